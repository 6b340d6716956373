"""Sections that must have no content.

## What it does
Looks at the linked image: each output section that matches one of the names must be absent or have size 0. With a map,
the input sections that brought the bytes are named.

## Why is this bad
A statically linked hypervisor, kernel or boot loader has nobody to process a dynamic relocation or to fill a global
offset table. A non-empty `.got`, `.plt` or `.rela.*` means that some code was compiled as position independent, or that
relocations were left over: the image then reads unrelocated addresses at run time. No linker warns.

## Example
    rules:
      - id: no-dynamic-relocations
        empty: [.got, .got.plt, .plt, .rela.*]

with a script whose `.got` received an entry:

    .got : { *(.got) }          /* 8 bytes */

## Use instead
Compile the object that is named with `-fno-pic` (or `-fvisibility=hidden`), and let the script say the same with
`ASSERT(!SIZEOF(.got), ".got non-empty")`.

## Limits
The script alone does not decide it: what the inputs bring is known after the link only. GNU ld keeps three reserved
words in `.got.plt` on some architectures; give such a section a `limit` instead. A name that nothing has is not
checked, lest a misspelling hold; those that toolchains give may be absent, and all of a rule with `optional: true`.

## References
GNU ld manual, "Output Section Discarding"; ELF gABI, "Special Sections".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ImageView
from ldcheck.policy.declare import Declaration, Key, Kind, Names
from ldcheck.policy.rule import Rule
from ldcheck.sections.globs import section_glob
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key(
        "empty", Kind.NAMES, "Output sections (names or patterns) that must have no content.", names=Names.EMITTED
    ),
    evidence=(EvidenceKind.IMAGE, EvidenceKind.MAP),
)


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """Refuted if an output section of one of these names has content; without ELF and map it stays unknown."""
    if view.elf is None and view.map is None:
        return Judgement(Standing.UNKNOWN, reason="no ELF and no map, give --elf or --map")
    problems = tuple(
        view.problem(
            name,
            name,
            f"{name} must be empty and has {counted(size, 'byte')}",
            label="this output section has content",
            facts=_contributions(view, name, size),
        )
        for named in rule.names
        for name, (_, size) in view.sections.items()
        if size and section_glob(named.text).matches(name)
    )
    evidence = view.available
    if problems:
        return Judgement(Standing.REFUTED, problems, evidence=evidence)
    return Judgement(Standing.HOLDS, evidence=evidence)


def _contributions(view: ImageView, name: str, size: int) -> tuple[str, ...]:
    address = view.address(name)
    place = f" at {address:#x}" if address is not None else ""
    total = f"in the image: {name} has {counted(size, 'byte')}{place}"
    sections = view.map.sections if view.map is not None else ()
    inputs = [part for section in sections if section.name == name for part in section.inputs if part.size]
    if not inputs:
        return (total,)
    largest = sorted(inputs, key=lambda part: -part.size)
    return (f"{total}, from " + listed([f"{part.file}({part.name})" for part in largest]),)
