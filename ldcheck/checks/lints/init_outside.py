"""Code of an object that is meant to be init code, outside of the init range.

## What it does
Looks in the map (or the objects) for files all of whose plain sections were renamed (`.text` to `.init.text`,
`.rodata` to `.init.rodata`), and reports the ones with a suffix (`.text.foo`) that were not.

## Why is this bad
`objcopy --rename-section .text=.init.text` does not rename `.text.foo`. With -ffunction-sections the library code
that is meant to be freed after boot stays in .text for good, and no tool says a word.

## Example
    objcopy --rename-section .text=.init.text libelf.o

of an object that was compiled with -ffunction-sections.

## Use instead
Compile such objects without -ffunction-sections, or rename with a wildcard: `--prefix-alloc-sections=.init`.

## Limits
Files that have plain sections of their own beside renamed ones are ordinary objects with some init code, and are not
reported.

## References
GNU binutils manual, "objcopy" (--rename-section, --prefix-alloc-sections).
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing
from ldcheck.judging.evidence import ImageView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.sections.families import Family, family_of
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Init code outside of the init range."),
    evidence=(EvidenceKind.MAP, EvidenceKind.OBJECTS),
)

_INIT = ".init."
_PLAIN = (".text", ".data", ".rodata", ".bss")


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED with a problem for each file whose split sections were forgotten."""
    if view.map is None and view.image.objects is None:
        return Judgement(Standing.UNKNOWN, reason="no map and no objects, give --map or --objects")
    evidence = (EvidenceKind.MAP,) if view.map is not None else (EvidenceKind.OBJECTS,)
    files: dict[str, dict[str, int]] = {}
    for file, name, size in _parts(view):
        sections = files.setdefault(file, {})
        sections[name] = sections.get(name, 0) + size
    problems = tuple(problem for file, sections in files.items() if (problem := _problem(file, sections)) is not None)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems, evidence=evidence)


def _parts(view: ImageView) -> Iterator[tuple[str, str, int]]:
    """Every input section that has content: its file, name and size."""
    if view.map is not None:
        for _, part in view.inputs.loaded():
            yield f"{part.file}({part.member})" if part.member else part.file, part.name, part.size
        return
    for section in view.image.objects or ():
        if section.size and section.allocated:
            yield f"{section.file}({section.member})" if section.member else section.file, section.name, section.size


def _problem(file: str, sections: dict[str, int]) -> Problem | None:
    renamed = [name for name in sections if name.startswith(_INIT) and f".{name.removeprefix(_INIT)}" in _PLAIN]
    if not renamed or any(name in sections for name in _PLAIN):
        return None
    left = [name for name in sections if family_of(name) is Family.CODE and name not in _PLAIN]
    if not left:
        return None
    size = counted(sum(sections[name] for name in left), "byte")
    return Problem(
        subject=file,
        message=f"{size} of init code of {file} are outside of the init range",
        facts=(f"in the image: {listed(left)} kept their names, {listed(renamed)} got theirs by renaming",),
        witness=left[0],
        help="compile the object without -ffunction-sections, or rename with --prefix-alloc-sections=.init",
    )
