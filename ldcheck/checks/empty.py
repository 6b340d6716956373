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
words in `.got.plt` on some architectures; give such a section a `limit` instead. Tables of relocations that
--emit-relocs left in the file do not count: they are not loaded. A name that nothing has is not
checked, lest a misspelling hold; those that toolchains give may be absent, and all of a rule with `optional: true`.

## References
GNU ld manual, "Output Section Discarding"; ELF gABI, "Special Sections".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ImageView
from ldcheck.judging.linked_sections import LinkedSection
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
            one.name,
            one.name,
            f"{one.name} must be empty and has {counted(one.size, 'byte')}",
            label="this output section has content",
            facts=_contributions(view, one),
        )
        for named in rule.names
        for name, found in view.sections.items()
        if section_glob(named.text).matches(name)
        for one in found
        if one.size and not _is_processed(one)
    )
    evidence = view.available
    if problems:
        return Judgement(Standing.REFUTED, problems, evidence=evidence)
    return Judgement(Standing.HOLDS, evidence=evidence)


def _is_processed(section: LinkedSection) -> bool:
    """Whether a section is a table of relocations that nobody loads: the linker has processed them."""
    return section.name.startswith(".rel") and not section.is_loaded


def _contributions(view: ImageView, section: LinkedSection) -> tuple[str, ...]:
    name, address = section.name, section.address
    place = f" at {address:#x}" if section.is_loaded else ""
    total = f"in the image: {name} has {counted(section.size, 'byte')}{place}"
    mapped = view.map.sections if view.map is not None else ()
    inputs = [part for one in mapped if (one.name, one.address) == (name, address) for part in one.inputs if part.size]
    if not inputs:
        return (total,)
    largest = sorted(inputs, key=lambda part: -part.size)
    return (f"{total}, from " + listed([f"{part.file}({part.name})" for part in largest]),)
