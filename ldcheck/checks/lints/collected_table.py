"""Tables that --gc-sections dropped, although the script has symbols around them.

## What it does
Looks through the sections that the map lists as discarded for those that a statement between two boundary symbols
would have taken, for constructors and for vector tables. Where nothing of such a table was linked, it names what was
dropped, at the statement. A map of lld has no such list: there, the objects (`--objects`) tell what is missing.

## Why is this bad
Code walks such a table from symbol to symbol; no relocation refers to its entries, so that --gc-sections takes them
for unused. The link is silent, the loop runs zero times.

## Example
    .hooks : { hooks_start = .; *(.hooks) hooks_end = .; }

linked with --gc-sections.

## Use instead
    .hooks : { hooks_start = .; KEEP(*(.hooks)) hooks_end = .; }

## Limits
Between symbols around a whole family (`*(.text .text.*)`) it is right that what is unused goes. Where part of a table
was linked it is only noted: entries that belong to functions go with them. Symbols under PROVIDE() that nothing refers
to mean a table that nobody reads. The constructors of the compiler's own start-up files are not missed.

## References
GNU ld manual, "Input Section and Garbage Collection".
"""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Iterator

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ImageView
from ldcheck.judging.surroundings import Landmark, surroundings
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.record import dataclass
from ldcheck.script.syntax import InputSectionDescription
from ldcheck.sections.families import is_whole_family
from ldcheck.sections.matching import Matcher
from ldcheck.sections.rules import InputRule
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Tables that --gc-sections dropped."),
    evidence=(EvidenceKind.MAP, EvidenceKind.OBJECTS),
)

# What runs or is read without a reference, and what then does not happen.
_WANTED = (
    (".preinit_array", "its functions never run"),
    (".init_array", "its constructors never run"),
    (".ctors", "its constructors never run"),
    (".vectors", "the processor finds no vectors"),
    (".isr_vector", "the processor finds no vectors"),
    (".vector_table", "the processor finds no vectors"),
)
# The compiler's own start-up files, whose constructors register what was dropped as well.
_START_UP = ("crt",)


@dataclass(frozen=True, slots=True)
class _Dropped:
    """An input section that was given to the linker and is not in the image."""

    name: str
    file: str
    member: str
    size: int


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED with a problem for each statement whose table was dropped."""
    if view.script is None or view.map is None:
        missing = "no map, give --map" if view.map is None else "no script, whose symbols could be around a table"
        return Judgement(Standing.UNKNOWN, reason=missing)
    if view.map.linker == "lld" and view.image.objects is None:
        return Judgement(Standing.UNKNOWN, reason="a map of lld does not tell what was dropped, give --objects")
    dropped: dict[int, tuple[InputRule, list[_Dropped]]] = {}
    matcher = Matcher(view.script.rules)
    for part in _dropped(view):
        file, archive = (part.member, part.file) if part.member else (part.file, None)
        taker = next((rule for rule in matcher.named(part.name) if rule.files.takes(file, archive)), None)
        if taker is not None and not taker.discards and not taker.keep:
            dropped.setdefault(taker.index, (taker, []))[1].append(part)
    problems = tuple(
        problem for rule, parts in dropped.values() if (problem := _problem(rule, parts, view)) is not None
    )
    evidence = (EvidenceKind.MAP,) if view.map.linker != "lld" else (EvidenceKind.MAP, EvidenceKind.OBJECTS)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems, evidence=evidence)


def _dropped(view: ImageView) -> Iterator[_Dropped]:
    assert view.map is not None
    if view.map.linker != "lld":
        for part in view.map.discarded:
            if part.size:
                yield _Dropped(part.name, part.file, part.member, part.size)
        return
    for section in view.inputs.unlisted.dropped():
        yield _Dropped(section.name, section.file, section.member, section.size)


def _short(file: str) -> str:
    """A file's name as it is known in every folder."""
    return os.path.basename(file)


def _problem(rule: InputRule, parts: list[_Dropped], view: ImageView) -> Problem | None:
    assert view.script is not None
    wanted = next((effect for name, effect in _WANTED if rule.names.prefix.rstrip(".").startswith(name)), "")
    if wanted:
        parts = [part for part in parts if not _short(part.member or part.file).startswith(_START_UP)]
    bracket = _table(rule, view)
    if not parts or not (wanted or bracket):
        return None
    names = listed(list(dict.fromkeys(part.name for part in parts)))
    files = listed(list(dict.fromkeys(_short(part.member or part.file) for part in parts)))
    size = counted(sum(part.size for part in parts), "byte")
    left = any(taker.statement is rule.statement for taker in _takers(rule, view))
    effect = f": {wanted}" if wanted and not left else ""
    facts = []
    if bracket is not None:
        start, stop = bracket
        if start.address == stop.address:
            effect = effect or f": nothing is left between {start.name} and {stop.name}"
        facts.append(f"in the image: {start.name} is at {start.address:#x}, {stop.name} at {stop.address:#x}")
    return view.script.problem(
        rule.node,
        rule.text,
        f"--gc-sections dropped {names} ({size}, {files}){effect}",
        label="no KEEP()",
        facts=tuple(facts),
        witness=parts[0].name,
        help=f"look at `{rule.text}`: what nothing names has to be under KEEP()",
        severity=Severity.NOTE if left else None,
    )


def _takers(rule: InputRule, view: ImageView) -> Iterable[InputRule]:
    """The rules that took those of the linked sections that `rule` names."""
    for _, part in view.inputs.named(rule.names):
        yield from view.inputs.rules(part)[:1]


def _table(rule: InputRule, view: ImageView) -> tuple[Landmark, Landmark] | None:
    """The symbols around a statement, if there is nothing between them but tables."""
    assert view.script is not None
    bracket = surroundings(view).bracket(rule.statement)
    if bracket is None:
        return None
    first, last = (view.script.positions[id(landmark.node)] for landmark in bracket)
    for node in view.script.statements[first + 1 : last]:
        if isinstance(node, InputSectionDescription):
            names = [pattern.pattern.text for pattern in node.patterns or ()]
            if not names or any(is_whole_family(name) for name in names):
                return None
    return bracket
