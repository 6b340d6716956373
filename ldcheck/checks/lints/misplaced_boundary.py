"""Symbols for the bounds of .bss, .data or a table that stand elsewhere.

## What it does
Reports a symbol that is called after the beginning of .bss or of .data (`__bss_start`, `_sbss`, `__data_start`) and
takes the location counter where no statement behind it takes such sections; and one that is called after the end of
them (`__bss_end`, `_ebss`, `_edata`) ahead of a statement that takes some of them into the same output section. Of a
table between two symbols (`__drv_start = .; *(.drv .drv.*) __drv_end = .;`) it reports a statement ahead of the start
symbol that takes what the table would take, or what is called after its beginning (`*(.drv.first)`). And it reports
`__init_array_start` with nothing up to `__init_array_end`, where no statement of the script takes constructors. A start
symbol that is rounded up while the location counter stays (`__bss_start = ALIGN(16); *(.bss)`) lies behind what is
aligned to less.
A symbol that is an alias (`__data_end__ = __bss_start__`) is where the other one is. In the image it reports a
beginning that lies behind all of the output section .bss or .data, and an end that lies ahead of all of it, and an
input ahead of a start symbol that is rounded up.

## Why is this bad
Start-up code clears from the one symbol, copies to the other. A symbol that was left where its section once stood, or
that stands ahead of sections which came later, makes it clear or overwrite those: the run-time code that lies there is
gone before it is called. What lies behind the end is not cleared, or not copied. Whoever walks a table from its start
symbol passes over what stands ahead of it. Constructors that no statement takes are orphans, which nobody calls.

## Example
    SECTIONS
    {
      .bss : { *(.bss .bss.*) }
      __bss_start = .;
      .runtime : { *(.runtime) }
    }

## Use instead
    SECTIONS
    {
      __bss_start = .;
      .bss : { *(.bss .bss.*) }
      .runtime : { *(.runtime) }
    }

## Limits
A range that ends where it starts is left alone, and so is a script that takes whole files there, or INCLUDEs one that
cannot be found. A start symbol that is rounded up to a word at most at the beginning of an output section is a note:
there is a word among its inputs as a rule. Other names are not recognised: state them with `bracket`. What a table has
of files that the script names (`*crtbegin.o(.ctors)`), or behind another symbol, may be meant to be apart.

## References
GNU ld manual, "Source Code Reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.aliases import place_of
from ldcheck.judging.enclosed import Pair, pairs, place_symbol
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.rounded import by_image, by_script, rounded
from ldcheck.judging.subjects import may_be_there, missing, unread
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.marks import is_start_to_end, marks_a_place
from ldcheck.script.syntax import Assignment, InputSectionDescription, Node, OutputSection
from ldcheck.sections.reach import names
from ldcheck.sections.rules import InputRule, flat
from ldcheck.sections.tables import is_table, names_in
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Symbols for the bounds of .bss, .data or a table that stand elsewhere."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
)

_START = re.compile(r"_*(?:s(bss|data)|(?:start_+)?(bss|data)(?:_*(?:start|begin))?)_*")
_END = re.compile(r"_*(?:e(bss|data)|(?:end_+)?(bss|data)(?:_*end)?)_*")
_IS_END = re.compile(r"end|^_*e(?:bss|data)")
_IS_START = re.compile(r"start|begin|^_*s(?:bss|data)")
# The names of the kind as such, which nobody puts behind its end on purpose.
_WHOLE = {"bss": frozenset((".bss", ".bss.*", ".bss*", "COMMON")), "data": frozenset((".data", ".data.*", ".data*"))}
# What the sections of a kind have in their names.
_OF = {"bss": re.compile(r"bss|COMMON|scommon|zero|noinit", re.IGNORECASE), "data": re.compile(r"data", re.IGNORECASE)}


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each symbol behind which nothing of its kind is."""
    if view.unread:
        return unread(view)
    if not view.rules:
        return Judgement(Standing.ABSENT, reason="the script places nothing")
    thrown = {id(part) for node in view.output_sections.get("/DISCARD/", ()) for part in flat(node.statements)}
    problems: list[Problem] = []
    for node in view.statements:
        kind, place = _kind(node, _START, _IS_START, view)
        if not isinstance(node, Assignment) or not isinstance(place, Assignment):
            continue
        at = view.positions[id(place)]
        behind = tuple(other for other in view.statements[at + 1 :] if id(other) not in thrown)
        if not any(_may_be(kind, other) for other in behind) and not _is_empty(place, behind):
            problems.append(_problem(node, kind, behind, view))
    ends = _ends_by_place(view)
    for section in view.statements if ends else ():
        if isinstance(section, OutputSection) and section.name.text != "/DISCARD/":
            problems += _ended_early(section, ends, view)
    problems += [*_begun_late(view), *_uncalled(view), *(by_script(found, view) for found in rounded(view))]
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _kind(node: Node, pattern: re.Pattern[str], word: re.Pattern[str], view: ScriptView) -> tuple[str, Node | None]:
    """What a symbol is the bound of by its name, `bss` or `data`, and at whose place it lies; None for others.

    That is the assignment that gives it, or what it is an alias of, the location counter, or an output section.
    """
    if not isinstance(node, Assignment):
        return "", None
    name = node.target.text.lower()
    found = pattern.fullmatch(name) if word.search(name) else None
    place = place_of(node, view) if found is not None else None
    if found is None or place is None:
        return "", None
    return found[1] or found[2], place


_Ends = Mapping[int, Sequence[tuple[str, Assignment]]]


def _ended_early(section: OutputSection, at_place: _Ends, view: ScriptView) -> Iterator[Problem]:
    """A problem for each kind whose last end symbol in an output section stands ahead of a statement that takes it."""
    ends: dict[str, Assignment] = {}
    late: dict[str, list[InputSectionDescription]] = {}
    for node in flat(section.statements):
        for kind, end in at_place.get(id(node), ()):
            ends[kind] = end
            late[kind] = []
        if isinstance(node, InputSectionDescription):
            taken = {pattern.pattern.text for pattern in node.patterns or ()}
            for kind in ends:
                if taken & _WHOLE[kind]:
                    late[kind].append(node)
    for kind, end in ends.items():
        if late[kind]:
            yield _early(end, kind, late[kind], view)


def _ends_by_place(view: ScriptView) -> _Ends:
    """The symbols that are the end of a kind, each with it, by the `id` of the statement at whose place they lie."""
    found: dict[int, list[tuple[str, Assignment]]] = {}
    for node in view.statements:
        kind, place = _kind(node, _END, _IS_END, view)
        if place is not None and isinstance(node, Assignment):
            found.setdefault(id(place), []).append((kind, node))
    return found


def _early(end: Assignment, kind: str, late: Sequence[InputSectionDescription], view: ScriptView) -> Problem:
    name = end.target.text
    return view.problem(
        end,
        name,
        f"{name} is the end of .{kind}, and a statement behind it takes more of that",
        label=f"the end of .{kind}, by its name",
        related=(Related(view.locate(node), "not ahead of it") for node in late),
        help=f"{_placed(end)} behind what takes .{kind}",
        severity=Severity.WARNING,
    )


# A suffix that says where in a table something belongs.
_FIRST = re.compile(r"(.+)[._](?:first|begin|start|early)")


def _begun_late(view: ScriptView) -> Iterator[Problem]:
    """A problem for each table whose start symbol stands behind a statement that takes a part of it."""
    for pair in pairs(view):
        section = view.enclosing.get(id(pair.start))
        if section is None or not is_table(names_in(pair.inputs)):
            continue
        statements = {id(node) for node in pair.inputs}
        table = [rule for rule in view.rules if id(rule.statement) in statements and not rule.discards]
        start = view.positions[id(pair.start)]
        ahead = [
            rule
            for rule in view.rules
            if rule.section is section
            and view.positions[id(rule.statement)] < start
            and not rule.stretch
            and rule.files.takes("x.o", None)
            and _is_part(rule, table)
        ]
        if ahead and not _is_marked(section, view):
            yield _late(pair, ahead, view)


def _is_part(rule: InputRule, table: Sequence[InputRule]) -> bool:
    """Whether a rule is for sections that those of a table would take, or that are called after its beginning."""
    name = rule.pattern.pattern.text if rule.pattern is not None else ""
    first = _FIRST.fullmatch(name)
    return bool(name) and any(
        names(rule.names, one.names) or (first is not None and one.names.matches(first[1])) for one in table
    )


def _is_marked(section: OutputSection, view: ScriptView) -> bool:
    """Whether a symbol directly ahead of an output section marks its beginning."""
    before = view.statements[: view.positions[id(section)]][-1:]
    return any(place_symbol(node) is not None and id(node) not in view.enclosing for node in before)


def _late(pair: Pair, ahead: Sequence[InputRule], view: ScriptView) -> Problem:
    name = pair.start.target.text
    return view.problem(
        pair.start,
        name,
        f"{name} is the start of a table, and `{ahead[0].text}` puts a part of that ahead of it",
        label="who starts here passes over it",
        related=(Related(view.locate(rule.node), "not behind the start symbol") for rule in ahead),
        help=f"put it ahead of `{ahead[0].text}`",
        severity=Severity.WARNING,
    )


# Constructors of every kind, by an example each.
_CONSTRUCTORS = (".init_array", ".init_array.00101", ".ctors", ".ctors.65434")
_ARRAY_START = re.compile(r"_*init_array_(?:start|begin)_*")


def _uncalled(view: ScriptView) -> Iterator[Problem]:
    """A problem for the symbols around an array of constructors that the script has no statement for."""
    starts = [name for name in view.assignments if _ARRAY_START.fullmatch(name)]
    if not starts or any(rule.names.matches(name) for rule in view.rules for name in _CONSTRUCTORS):
        return
    for start in starts:
        node = view.assignments[start][-1]
        behind = view.statements[view.positions[id(node)] + 1 :]
        if marks_a_place(node) and _is_empty(node, tuple(behind)):
            end = next(one for one in behind if isinstance(one, Assignment) and is_start_to_end(node, one))
            yield view.problem(
                node,
                start,
                f"no statement takes .init_array: as soon as an object has a constructor, that is not between {start} "
                f"and {end.target.text}",
                label="nobody calls what is not behind it",
                related=(Related(view.locate(end), "nor ahead of this"),),
                help="put `KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*))) KEEP(*(.init_array))` between the two",
                severity=Severity.WARNING,
            )


def _may_be(kind: str, node: Node) -> bool:
    """Whether a statement takes sections of a kind by their names, or may take them with everything else."""
    if isinstance(node, OutputSection):
        return _OF[kind].search(node.name.text) is not None
    if not isinstance(node, InputSectionDescription):
        return False
    taken = [pattern.pattern.text for pattern in node.patterns or ()]
    return not taken or any(name[0] in "*?[" or _OF[kind].search(name) for name in taken)


def _is_empty(start: Assignment, behind: tuple[Node, ...]) -> bool:
    """Whether a range is defined for no more than itself: its end comes next, at most with room in between."""
    for node in behind:
        if not isinstance(node, Assignment):
            return False
        if is_start_to_end(start, node):
            return True
    return False


def _placed(symbol: Assignment) -> str:
    """What to do with a symbol, up to where; an alias is moved to no avail."""
    return "put it" if marks_a_place(symbol) else f"write `{symbol.target.text} = .;`"


def _problem(start: Assignment, kind: str, behind: tuple[Node, ...], view: ScriptView) -> Problem:
    name = start.target.text
    following = next((one for one in behind if isinstance(one, OutputSection) and one.name.text != "/DISCARD/"), None)
    none = f"no statement behind {name} takes .{kind}"
    said = none if following is None else f"{name} is the beginning of {following.name.text}, and {none}"
    return view.problem(
        start,
        name,
        said,
        label=f"the beginning of .{kind}, by its name",
        related=() if following is None else (Related(view.locate(following), "lies there instead"),),
        help=f"{_placed(start)} directly ahead of what takes .{kind}, or take it out",
        severity=Severity.WARNING,
    )


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED with a problem for each bound on the wrong side of all of the output section that it is called after."""
    if view.script is None:
        return Judgement(Standing.UNKNOWN, reason="no script, whose symbols could be looked up")
    problems: list[Problem] = []
    lacking: list[str] = []
    for kind in _WHOLE:
        start, end = _extent(f".{kind}", view)
        begins, ends = (
            {name: view.symbol(name) for name in _called(kind, pattern, word, view.script)}
            for pattern, word in ((_START, _IS_START), (_END, _IS_END))
        )
        for name, address in (*begins.items(), *ends.items()) if end > start else ():
            if address is None:
                lacking.append(name)
            elif address in begins.values() and address in ends.values():
                # A range that ends where it starts.
                continue
            elif name in begins and address >= end:
                problems.append(_beside(name, f".{kind}", "beginning", "behind", address, view))
            elif name in ends and address <= start:
                problems.append(_beside(name, f".{kind}", "end", "ahead of", address, view))
    shown = [(one.start.target.text, by_image(one, view)) for one in rounded(view.script)]
    told = {problem.subject for problem in problems}
    problems += [problem for name, problem in shown if isinstance(problem, Problem) and name not in told]
    untold = [name for name, problem in shown if problem is None]
    if problems:
        return Judgement(Standing.REFUTED, tuple(problems))
    if may_be_there(lacking, view):
        return missing(lacking, view)
    if untold:
        return Judgement(Standing.UNKNOWN, reason=f"only a map tells what lies ahead of {untold[0]}, give --map")
    return Judgement(Standing.HOLDS)


def _extent(name: str, view: ImageView) -> tuple[int, int]:
    """From the first byte to the end of the last of the output sections of a name; nothing where there is none."""
    found = [one for one in view.loaded_sections if one.name == name]
    return min((one.address for one in found), default=0), max((one.address + one.size for one in found), default=0)


def _called(kind: str, pattern: re.Pattern[str], word: re.Pattern[str], view: ScriptView) -> Iterator[str]:
    """The symbols that mark a place, and are a bound of a kind by their names."""
    for node in view.statements:
        of, place = _kind(node, pattern, word, view)
        if of == kind and place is not None and isinstance(node, Assignment):
            yield node.target.text


def _beside(name: str, section: str, bound: str, side: str, address: int, view: ImageView) -> Problem:
    start, end = _extent(section, view)
    at = view.declared_at(section)
    return view.problem(
        name,
        name,
        f"{name} is the {bound} of {section} by its name, and lies {side} all of it: it is at {address:#x}",
        label=f"the {bound} of {section}, by its name",
        related=(Related(at, f"{section} is here"),) if at is not None else (),
        facts=(f"in the image: {section} is at {start:#x}, up to {end:#x}",),
        help=f"look at where {name} stands, and at what it is an alias of",
        severity=Severity.WARNING,
    )
