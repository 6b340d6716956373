"""Code of an object that is meant to be init code as a whole, outside of the init range.

## What it does
Looks in the objects, or in a map of GNU ld, for files that are init as a whole: those whose plain sections were all
renamed (there is an `.init.text` and no `.text`, which compilers always emit, be it empty), and those that are called
`*.init.o`. Of these it counts the code (and, beside it, the constants and data) in sections with a suffix (`.text.foo`)
that kept their names. Constants alone are a warning. With the script, a section that it puts into an init section all
the same does not count.

## Why is this bad
`objcopy --rename-section .text=.init.text` does not rename `.text.foo`. With -ffunction-sections the library code
that is meant to be freed after boot stays in .text for good, and no tool says a word.

## Example
    objcopy --rename-section .text=.init.text libelf.o

of an object that was compiled with -ffunction-sections.

## Use instead
Compile such objects without -ffunction-sections, or rename with a wildcard: `--prefix-alloc-sections=.init`.

## Limits
In a link of one `ld -r` object the map names that object for everything, and its parts have merged: give the objects
that went into it, as `--objects`. A map of lld does not list empty sections, so it does not tell what was renamed.

## References
GNU binutils manual, "objcopy" (--rename-section, --prefix-alloc-sections).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.sections.families import Family, family_of
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Init code outside of the init range."),
    evidence=(EvidenceKind.MAP, EvidenceKind.OBJECTS),
)

_PLAIN = ".text"
_RENAMED = ".init.text"
_INIT_OBJECT = ".init.o"
# The families of which -ffunction-sections and -fdata-sections split off parts.
_SPLIT = (".text.", ".rodata.", ".data.", ".bss.")
# So many times as many sections as all others together has the one object that ld -r made of all.
_MERGED = 3


class _Leak(NamedTuple):
    """A section that kept its name in an object that is init as a whole."""

    file: str
    name: str
    size: int
    code: bool


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED where code of such a file kept its name; the objects' word counts before the map's."""
    if view.image.objects is not None:
        evidence, files = EvidenceKind.OBJECTS, _of_objects(view)
    elif view.map is not None:
        evidence, files = EvidenceKind.MAP, _of_map(view)
        if view.map.linker == "lld":
            reason = "a map of lld does not list empty sections, give the objects"
            return Judgement(Standing.UNKNOWN, reason=reason, evidence=(evidence,))
        if merged := _merged(files):
            reason = f"{merged} has everything, merged by ld -r: give the objects that went into it"
            return Judgement(Standing.UNKNOWN, reason=reason, evidence=(evidence,))
    else:
        return Judgement(Standing.UNKNOWN, reason="no map and no objects, give --map or --objects")
    leaks = [leak for file, sections in files.items() if _is_init(file, sections) for leak in _left(file, sections)]
    if view.script is not None:
        leaks = [leak for leak in leaks if not _reaches_init(leak.name, view.script)]
    if not leaks:
        return Judgement(Standing.HOLDS, evidence=(evidence,))
    return Judgement(Standing.REFUTED, (_problem(leaks, view.script),), evidence=(evidence,))


def _of_objects(view: ImageView) -> Mapping[str, dict[str, int]]:
    """Size by name of the sections of each file; the empty ones are among them."""
    files: dict[str, dict[str, int]] = {}
    for section in view.image.objects or ():
        if section.allocated:
            _add(files, section.file, section.member, section.name, section.size)
    return files


def _of_map(view: ImageView) -> Mapping[str, dict[str, int]]:
    files: dict[str, dict[str, int]] = {}
    assert view.map is not None
    for section in view.map.sections:
        for part in section.inputs:
            _add(files, part.file, part.member, part.name, part.size)
    return files


def _add(files: dict[str, dict[str, int]], file: str, member: str, name: str, size: int) -> None:
    sections = files.setdefault(f"{file}({member})" if member else file, {})
    sections[name] = sections.get(name, 0) + size


def _merged(files: Mapping[str, Mapping[str, int]]) -> str:
    """The one object that all others were merged into ahead of the link; empty if there is none."""
    largest = max(files, key=lambda file: len(files[file]), default="")
    rest = sum(len(sections) for file, sections in files.items() if file != largest)
    if not largest or len(files[largest]) <= _MERGED * rest or any(_is_init(file, files[file]) for file in files):
        return ""
    # Whose parts are whose is only lost where there is code of both kinds.
    return largest if files[largest].get(_RENAMED) and files[largest].get(_PLAIN) else ""


def _is_init(file: str, sections: Mapping[str, int]) -> bool:
    if file.rstrip(")").endswith(_INIT_OBJECT):
        return True
    return _RENAMED in sections and _PLAIN not in sections


def _left(file: str, sections: Mapping[str, int]) -> Iterator[_Leak]:
    for name, size in sections.items():
        if size and name.startswith(_SPLIT):
            yield _Leak(file, name, size, family_of(name) is Family.CODE)


def _reaches_init(name: str, view: ScriptView) -> bool:
    """Whether the script puts sections of this name into an init section, or drops them."""
    from ldcheck.sections.reach import first_taker

    taker = first_taker(view.rules, name)
    return taker is not None and (taker.discards or "init" in taker.output.strip(".").split("."))


def _problem(leaks: Sequence[_Leak], script: ScriptView | None) -> Problem:
    code = [leak for leak in leaks if leak.code]
    data = [leak for leak in leaks if not leak.code]
    told = code or data
    what = "init code" if code else "init constants and data"
    files = tuple(dict.fromkeys(leak.file for leak in told))
    short = listed([os.path.basename(file) for file in files])
    message = f"{_amount(told, what)} of {short} are outside of the init range"
    facts = [f"in {file}: {_names(leak for leak in told if leak.file == file)}" for file in files[:4]]
    if code and data:
        where = listed([os.path.basename(file) for file in dict.fromkeys(leak.file for leak in data)])
        facts.append(f"beside it: {_amount(data, 'constants and data')} of {where}")
    # Constants that stay cost memory; code that stays can be called, and keeps its permissions.
    severity = None if code else Severity.WARNING
    advice = "compile these objects without -ffunction-sections, or rename with --prefix-alloc-sections=.init"
    if script is not None:
        from ldcheck.sections.reach import first_taker

        taker = first_taker(script.rules, told[0].name)
        if taker is not None:
            label = f"takes them into {taker.output}"
            return script.problem(
                taker.node,
                files[0],
                message,
                label=label,
                facts=tuple(facts),
                witness=told[0].name,
                help=advice,
                severity=severity,
            )
    return Problem(files[0], message, facts=tuple(facts), witness=told[0].name, help=advice, severity=severity)


def _amount(leaks: Sequence[_Leak], what: str) -> str:
    return f"{counted(sum(leak.size for leak in leaks), 'byte')} of {what} in {counted(len(leaks), 'section')}"


def _names(leaks: Iterable[_Leak]) -> str:
    return f"{listed([leak.name for leak in leaks])} kept their names"
