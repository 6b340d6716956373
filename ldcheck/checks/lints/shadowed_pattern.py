"""Input section patterns that nothing can ever reach.

## What it does
Reports each pattern whose every section is taken by patterns ahead of it. File patterns, EXCLUDE_FILE and section
flags count; the answer is a decision about all names that a section could have. With a map it also reports a pattern
that took nothing although sections of its names were linked, and tells the bytes.

## Why is this bad
The first pattern that matches takes a section, and no linker says a word about the one behind it. A dead pattern
means that what its author wanted does not happen: destructors that were to be discarded are kept, init code is never
freed, the table between two boundary symbols stays empty.

## Example
    .text : { *(.text) *(.text.*) }
    .init.text : { *(.init.text) *(.text.startup) }

## Use instead
    .init.text : { *(.init.text) *(.text.startup) }
    .text : { *(.text) *(.text.*) }

## Limits
It is an error where a wildcard swallows what another output section, or the other side of a symbol, lists. A note is a
pattern whose sections are in the right place anyway: next to the taker or with whole ranges between the two (from
`x_start` to `x_end`), in an output section of the same name, in two statements for /DISCARD/, a name that is simply
listed twice (a warning, if symbols enclose the empty place, or its SIZEOF() is asked for), or data that a section for
relocations would have taken. Code that goes to the same memory region either way is a warning: it runs, and what the
symbols around its own place enclose is empty.
A pattern that merely matches nothing in today's link is not reported: that is normal; nor is one for all files whose
sections went to a statement for some of them (`boot.o(.head)` ahead of `*(.head)`). The same pattern twice between
the same boundary symbols is harmless and not reported either, nor one under KEEP() whose sections go to the same
output section without: GNU ld looks for KEEP() in every statement that matches. Nor are `.ctors.*` and `.dtors.*`
behind `.init_array` and `.fini_array`, which GNU ld's own default scripts keep for toolchains without the latter.
Where a dead pattern is kept for other configurations, allow it under that condition.

## References
GNU ld manual, "Input Section Basics".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.findings import EvidenceKind, Fix, Judgement, Problem, Severity, Standing, unless_undecided
from ldcheck.judging.edits import move_ahead
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.loading import regions_of
from ldcheck.judging.subjects import marks_a_place, tried_ahead
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.marks import is_start_to_end
from ldcheck.script.syntax import Assignment, Call, OutputSection, Sections, Word, walk
from ldcheck.sections.families import Family, family_of
from ldcheck.sections.globs import contains, has_wildcard
from ldcheck.sections.left import State
from ldcheck.sections.reach import Reach, Relation, reaches, relation
from ldcheck.sections.rules import InputRule, flat
from ldcheck.sections.tables import brackets
from ldcheck.source import Related
from ldcheck.words import counted, first_of, listed

if TYPE_CHECKING:
    from ldcheck.image.model import MapInput

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Patterns that nothing can ever reach."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.MAP),
)

# So many patterns are named in a message.
_MOST = 5


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each cause: the patterns of an output section that the same rules leave nothing."""
    found = reaches(view.rules)
    dead = [
        reach
        for reach in found
        if reach.state is State.DEAD
        and reach.earlier
        and any(relation(reach.rule, earlier) is not Relation.SAME_STATEMENT for earlier in reach.earlier)
        and not _moved_to_array(reach)
        and not _repeats(reach)
        and not any(_special(taker) for taker in (reach.rule, *reach.earlier))
    ]
    causes: dict[tuple[object, ...], list[Reach]] = {}
    wanted = _Wanted(view) if dead else None
    levels = _Levels()
    for reach in dead:
        weight = _weight(reach, wanted is not None and wanted.here(reach.rule, found), levels, view)
        causes.setdefault((weight, id(reach.rule.section), _cause(reach)), []).append(reach)
    problems = tuple(_problem(same, weight, view) for (weight, *_), same in causes.items())
    judgement = Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)
    return unless_undecided(judgement, sum(reach.state is State.UNDECIDED for reach in found))


def _cause(reach: Reach) -> tuple[object, ...]:
    """What a dead pattern shares with those that are dead for the same reason."""
    # A list that was copied is one cause, though each of its patterns has a taker of its own.
    if all(_named(earlier) == _named(reach.rule) for earlier in reach.earlier):
        return tuple(dict.fromkeys(earlier.output for earlier in reach.earlier))
    return tuple(earlier.index for earlier in reach.earlier)


def _weight(reach: Reach, wanted: bool, levels: _Levels, view: ScriptView) -> Severity:
    """How much is lost: what the author of the pattern wanted, or nothing because the sections are there anyway."""
    rule, takers = reach.rule, reach.earlier
    if {relation(rule, taker) for taker in takers} <= {Relation.SAME_STATEMENT, Relation.SAME_STRETCH}:
        return Severity.NOTE
    if rule.keep and not rule.discards and all(taker.discards for taker in takers):
        return Severity.ERROR
    # What compilers have put into COMDAT groups for twenty years.
    if ".gnu.linkonce." in rule.names.prefix:
        return Severity.NOTE
    # A leftover, if nobody wants it here.
    if _listed_twice(reach):
        return Severity.WARNING if wanted and rule.output != takers[0].output else Severity.NOTE
    # It would be among relocations, which is no place for it.
    if rule.output.startswith(".rel") and family_of(_named(rule)) is not Family.OTHER:
        return Severity.NOTE
    if all(_is_next(rule, taker) or levels.are_same(rule, taker) for taker in takers):
        return Severity.NOTE
    return Severity.WARNING if all(_common_region(rule, taker, view) for taker in takers) else Severity.ERROR


def _listed_twice(reach: Reach) -> bool:
    """Whether a name stands in two places, and is not what a wildcard swallows."""
    rule, takers = reach.rule, reach.earlier
    return all(contains(rule.names, taker.names) or _base(rule) == _base(taker) for taker in takers)


def _base(rule: InputRule) -> str:
    """What a pattern has in front of the wildcard that stands for the parts of one family."""
    return _named(rule).removesuffix("*").removesuffix(".")


def _is_next(rule: InputRule, taker: InputRule) -> bool:
    """Whether the two stand in output sections of one name, which lie side by side."""
    return rule.section is not taker.section and rule.output == taker.output


class _Levels:
    """Which range each statement of an output section lies in; whole ones ahead of it do not count."""

    def __init__(self) -> None:
        self._known: dict[int, dict[int, _Range | None]] = {}

    def are_same(self, rule: InputRule, taker: InputRule) -> bool:
        """Whether only whole ranges lie between the two, in one output section: both are in whatever is open there."""
        section = rule.section
        if section is None or section is not taker.section:
            return False
        known = self._known.get(id(section))
        if known is None:
            known = self._known[id(section)] = self._of(section)
        return known[id(rule.statement)] is known[id(taker.statement)]

    @staticmethod
    def _of(section: OutputSection) -> dict[int, _Range | None]:
        found: dict[int, _Range | None] = {}
        here: _Range | None = None
        for node in flat(section.statements):
            found[id(node)] = here
            if not isinstance(node, Assignment) or node.target.text == ".":
                continue
            is_end = here is not None and is_start_to_end(here.start, node)
            here = here.around if is_end and here is not None else _Range(node, here)
        return found


class _Range(NamedTuple):
    """What a symbol begins, and what that lies in."""

    start: Assignment
    around: _Range | None


def _common_region(rule: InputRule, taker: InputRule, view: ScriptView) -> str:
    """The memory region in which code runs, loaded in the same way, whichever of two output sections it is in."""
    if rule.section is taker.section or family_of(_named(taker)) is not Family.CODE:
        return ""
    by_section = regions_of(view).by_section
    one, other = (by_section.get(found.output) for found in (rule, taker))
    if one is None or other is None or one.load_address or other.load_address:
        return ""
    return one.region if (one.region, one.load_region) == (other.region, other.load_region) else ""


class _Wanted:
    """What a script wants to have in a certain place: between two symbols, or where it asks for SIZEOF() or ADDR()."""

    def __init__(self, view: ScriptView) -> None:
        self.bracketed = frozenset(
            id(statement)
            for node in view.tree.statements
            if isinstance(node, Sections)
            for bracket in brackets(list(flat(node.statements)))
            if marks_a_place(bracket.start) and marks_a_place(bracket.end)
            for statement in bracket.statements
        )
        self.asked = frozenset(
            argument.text
            for node in walk(view.tree)
            if isinstance(node, Call) and node.function in ("ADDR", "LOADADDR", "SIZEOF")
            for argument in node.arguments
            if isinstance(argument, Word)
        )

    def here(self, rule: InputRule, found: Sequence[Reach]) -> bool:
        """Whether the place of a dead rule is wanted, and empty."""
        if id(rule.statement) in self.bracketed:
            return True
        others = (reach for reach in found if reach.rule.section is rule.section)
        return rule.output in self.asked and all(reach.state is State.DEAD for reach in others)


def _special(rule: InputRule) -> bool:
    """SPECIAL sections take what the target's emulation says (ldlang.c leaves them out of the matching)."""
    return rule.section is not None and rule.section.constraint == "SPECIAL"


def _repeats(reach: Reach) -> bool:
    """Whether a pattern is there a second time, or only to keep what patterns of its output section have taken.

    Under --gc-sections GNU ld looks for KEEP() in every statement that matches, not in the one that takes the section.
    """
    rule = reach.rule
    relations = {relation(rule, earlier) for earlier in reach.earlier}
    near = relations <= {Relation.SAME_STATEMENT, Relation.SAME_STRETCH}
    if near and all(_named(earlier) == _named(rule) for earlier in reach.earlier):
        return True
    return rule.keep and Relation.OTHER_OUTPUT not in relations and not all(earlier.keep for earlier in reach.earlier)


def _moved_to_array(reach: Reach) -> bool:
    array = {".ctors": ".init_array", ".dtors": ".fini_array"}.get(reach.rule.output)
    return array is not None and all(earlier.output == array for earlier in reach.earlier)


def _problem(reaches: list[Reach], weight: object, view: ScriptView) -> Problem:
    first = reaches[0]
    rule = first.rule
    earlier = tuple({taker.index: taker for reach in reaches for taker in reach.earlier}.values())
    assert isinstance(weight, Severity)
    patterns = list(dict.fromkeys(f"`{_named(reach.rule)}`" for reach in reaches))
    takers = list(dict.fromkeys(f"`{_named(taker)}`" for taker in earlier))
    verb = "takes" if len(takers) == 1 else "take"
    it = "it" if len(patterns) == 1 else "them"
    why = f"{_listed(takers)} ahead of {it} {verb} it all"
    if len(patterns) > 1 and set(patterns) == set(takers):
        why = "the same patterns stand ahead of them"
    return view.problem(
        rule.node,
        _named(rule),
        f"nothing reaches {_listed(patterns)}: {why}",
        label=f"meant to be {'discarded' if rule.discards else f'in {rule.output}'}",
        related=(Related(view.locate(taker.node), f"takes it into {taker.output}") for taker in earlier[:_MOST]),
        facts=(f"both places are in {region}",) if (region := _common_region(rule, earlier[0], view)) else (),
        witness=first.witness.section if first.witness is not None else "",
        help=_advice(reaches, weight, view),
        fix=_draft(reaches, weight, view),
        severity=weight,
        causes=((reach.rule.node, taker.node) for reach in reaches for taker in reach.earlier),
    )


def _listed(patterns: list[str]) -> str:
    shown = patterns[:_MOST]
    if len(patterns) > _MOST:
        shown.append(counted(len(patterns) - _MOST, "other"))
    return listed(shown)


def _advice(reaches: list[Reach], weight: Severity, view: ScriptView) -> str:
    rule, taker = reaches[0].rule, reaches[0].earlier[0]
    if weight is Severity.ERROR:
        return tried_ahead(rule, taker, view)
    if rule.output != taker.output:
        return f"look at which of the two places is meant: the sections are in {taker.output}"
    needed = "it is needed" if len(reaches) == 1 else "they are needed"
    return f"look at whether {needed}: the sections are {'discarded' if rule.discards else 'there'} anyway"


def _draft(reaches: list[Reach], weight: Severity, view: ScriptView) -> Fix | None:
    """The pattern ahead of the wildcard that swallows it; of several patterns none, nor where both stand side by side.

    In the same stretch that is harmless, but only so come the sections in the order in which they are written.
    """
    (first, *others) = reaches
    rule, taker = first.rule, first.earlier[0]
    if others or _listed_twice(first) or (weight is not Severity.ERROR and rule.section is not taker.section):
        return None
    return move_ahead(rule, taker, view)


def _named(rule: InputRule) -> str:
    return rule.pattern.pattern.text if rule.pattern is not None else rule.text


def on_image(_: Rule, view: ImageView) -> Judgement:
    """By the map: REFUTED with a problem for each pattern that others left nothing of what it names."""
    if view.map is None or view.script is None:
        missing = "no map, give --map" if view.map is None else "no script, whose patterns could be compared"
        return Judgement(Standing.UNKNOWN, reason=missing)
    lost, taken = _tally(view)
    problems = tuple(
        _in_fact(rule, view.script, parts)
        for rule in view.script.rules
        if (parts := lost.get(rule.index)) and rule.index not in taken and not _special(rule)
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems, evidence=(EvidenceKind.MAP,))


# What another rule took of the sections that a rule names: the rule that did, the input, and where it lies.
_Lost = tuple[InputRule, "MapInput", str]


def _tally(view: ImageView) -> tuple[dict[int, list[_Lost]], set[int]]:
    """By the index of each rule: the sections it names that went to rules ahead of it, and which rules took any."""
    lost: dict[int, list[_Lost]] = {}
    taken: set[int] = set()
    losers: dict[tuple[InputRule, ...], list[InputRule]] = {}
    for section, part in view.inputs.loaded():
        rules = view.inputs.rules(part)
        if not rules or view.inputs.is_orphan(section, part):
            continue
        first, *others = rules
        taken.add(first.index)
        if others:
            if rules not in losers:
                losers[rules] = [rule for rule in others if _is_loss(rule, first)]
            for rule in losers[rules]:
                lost.setdefault(rule.index, []).append((first, part, section.name))
    return lost, taken


def _is_loss(rule: InputRule, first: InputRule) -> bool:
    """Whether sections that a rule names belong to it rather than to the rule that took them."""
    # A statement for some files, ahead of one for all the others, is there to take them.
    if rule.files.everything and not first.files.everything:
        return False
    # Of two sections with ONLY_IF_RO and ONLY_IF_RW, a link has one.
    if rule.constraint or first.constraint:
        return False
    return relation(rule, first) in (Relation.OTHER_OUTPUT, Relation.SAME_OUTPUT) and not has_wildcard(_named(rule))


def _in_fact(rule: InputRule, script: ScriptView, parts: list[_Lost]) -> Problem:
    first, part, output = parts[0]
    size = counted(sum(one.size for _, one, _ in parts), "byte")
    inputs = counted(len(parts), "input section")
    takers = first_of((f"`{_named(taker)}`" for taker, _, _ in parts), "pattern")
    outputs = first_of((name for _, _, name in parts), "output section")
    files = first_of((one.file for _, one, _ in parts), "file")
    place = f"{', the first' if len(parts) > 1 else ''} at {part.address:#x}"
    return script.problem(
        rule.node,
        _named(rule),
        f"`{_named(rule)}` took nothing: {size} of that name went to {takers}",
        label=f"meant to be in {rule.output}",
        related=(Related(script.locate(first.node), f"took them into {output}"),),
        facts=(f"in the image: {size} ({inputs}) are in {outputs}{place}, from {files}",),
        witness=part.name,
        help=tried_ahead(rule, first, script),
    )
