"""No wildcard takes sections ahead of the statement that names them.

## What it does
Finds the input section patterns that name the given sections, and decides for each whether a pattern ahead of it takes
some or all of the same sections from the same files. With a map it looks where such sections really went; a map of lld
names no patterns, and tells it together with the script only.

## Why is this bad
A linker gives an input section to the first pattern that matches it, in the order of the script, and says nothing.
One wildcard a line too high makes the pattern behind it dead: hardening becomes a no-op, init code is never freed,
read-mostly data lands between data that is written all the time.

## Example
    rules:
      - id: read-mostly-not-shadowed
        no-wildcard-may-shadow: .data.read_mostly

with

    .data : { *(.data .data.*) }
    .data.read_mostly : { *(.data.read_mostly) }

## Use instead
    .data.read_mostly : { *(.data.read_mostly) }
    .data : { *(.data .data.*) }

## Limits
Within one statement (`*(.data.read_mostly .data.*)`) the order of the patterns makes no difference to where a section
goes, and is not reported. Nor is a statement for some files that names the sections as well (`*x.o(.data.read_*)`): it
is there to have them. What an orphan section does is the business of `orphans`.

## References
GNU ld manual, "Input Section Basics": "If a file name matches more than one pattern, or if a file name appears
explicitly and is also matched by a pattern, the linker will use the first match in the linker script."
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing, all_of, undecided
from ldcheck.judging.edits import move_ahead
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.subjects import INPUT, absent, merged_away, tried_ahead
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Named, Rule
from ldcheck.sections.files import EVERY_FILE
from ldcheck.sections.globs import contains, has_wildcard, section_glob
from ldcheck.sections.left import State
from ldcheck.sections.reach import Relation, Shadowing, Taking, names, shadowing
from ldcheck.sections.rules import InputRule
from ldcheck.source import Related
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck.image.model import MapInput, MapSection

DECLARATION = Declaration(
    head=Key("no-wildcard-may-shadow", Kind.NAMES, "Sections that must reach the statement that names them."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.MAP),
)


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """REFUTED where a pattern that names the sections is dead for them, NOT_GUARANTEED where it competes."""
    return all_of([_judge(named, view) for named in rule.names], optional=rule.optional)


def _judge(named: Named, view: ScriptView) -> Judgement:
    found = shadowing(view.rules, named.text)
    if not found:
        return absent(named, view, INPUT)
    judgements = []
    for shadowed in found:
        takings = [taking for taking in shadowed.takings if _harmful(taking, named.text)]
        # One that takes them all tells it; what others take in passing is the same fault once more.
        takings = [taking for taking in takings if _takes_all(taking.earlier, shadowed.rule)][:1] or takings
        if shadowed.state is not State.DEAD:
            takings = [taking for taking in takings if not _by_chance(taking, shadowed.rule)]
        standing = Standing.REFUTED if shadowed.state is State.DEAD else Standing.NOT_GUARANTEED
        judgements += [Judgement(standing, (_problem(named.text, shadowed, taking, view),)) for taking in takings]
        open_questions = len(shadowed.undecided) + (shadowed.state is State.UNDECIDED)
        if open_questions:
            judgements.append(undecided(open_questions))
    return all_of(judgements) if judgements else Judgement(Standing.HOLDS)


def _harmful(taking: Taking, name: str) -> bool:
    """Whether a taking is by a wildcard of another statement; a second statement that names the sections is none."""
    if taking.relation is Relation.SAME_STATEMENT:
        return False
    earlier = taking.earlier
    if earlier.pattern is None or not has_wildcard(earlier.pattern.pattern.text):
        return earlier.pattern is None
    return not names(earlier.names, section_glob(name))


def _takes_all(earlier: InputRule, rule: InputRule) -> bool:
    """Whether one rule alone leaves nothing of the other's names, whatever file they are in."""
    return earlier.is_unconditional and earlier.files == EVERY_FILE and contains(earlier.names, rule.names)


def _by_chance(taking: Taking, rule: InputRule) -> bool:
    """Whether two wildcards meet in names that nobody gives, on one side of all boundary symbols."""
    if taking.relation is not Relation.SAME_STRETCH or rule.pattern is None:
        return False
    return has_wildcard(rule.pattern.pattern.text)


def _problem(name: str, shadowed: Shadowing, taking: Taking, view: ScriptView) -> Problem:
    first, second = taking.earlier, shadowed.rule
    dead = shadowed.state is State.DEAD
    taker = first.pattern.pattern.text if first.pattern is not None else first.text
    seen = taking.witness.section if dead else f"{taking.witness.section} of {taking.witness.file}"
    return view.problem(
        first.node,
        name,
        f"`{taker}` takes {seen} ahead of its own pattern",
        label="the first pattern that matches takes the section",
        related=(Related(view.locate(second.node), "never reached" if dead else "reached by what is left"),),
        witness=taking.witness.section,
        help=tried_ahead(second, first, view),
        fix=move_ahead(second, first, view),
        causes=((second.node, first.node),) if dead else (),
    )


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """By the map: REFUTED where such a section was taken by a pattern that does not name it."""
    if view.map is None:
        return Judgement(Standing.UNKNOWN, reason="only a map tells which pattern took a section, give --map")
    judgements = [_shown(named.text, view) for named in rule.names]
    return all_of(judgements, optional=rule.optional)


def _shown(name: str, view: ImageView) -> Judgement:
    parts = view.inputs.named(section_glob(name))
    evidence = (EvidenceKind.MAP,)
    if not parts:
        return Judgement(Standing.UNKNOWN, reason=f"the map has no input section {name}", evidence=evidence)
    takers = [(section, part, _stranger(section, part, name, view)) for section, part in parts]
    strayed = [(section, part, taker) for section, part, taker in takers if taker]
    if not strayed:
        if view.inputs.merged(name):
            return Judgement(Standing.UNKNOWN, reason=merged_away(name, view), evidence=evidence)
        if any(taker is None for *_, taker in takers):
            rest = "give the script" if view.script is None else "and the flags that the script asks for decide it"
            return Judgement(Standing.UNKNOWN, reason=f"a map of lld names no patterns, {rest}", evidence=evidence)
        return Judgement(Standing.HOLDS, evidence=evidence)
    section, part, taker = strayed[0]
    total = sum(one.size for _, one, _ in strayed)
    size = f"{counted(total, 'byte')} ({counted(len(strayed), 'input section')})"
    own = view.sections.get(name, ())
    rest = "" if not own or any(one.size for one in own) else f"; {name} is empty"
    problem = view.problem(
        name,
        name,
        f"`{taker}` took {part.name} of {part.file}",
        label="does not get the sections of its name",
        facts=(f"in the image: {size} are in {section.name} at {part.address:#x}{rest}",),
        witness=part.name,
        help=f"look at where the script names {name}: `{taker}` is tried ahead of it",
    )
    return Judgement(Standing.REFUTED, (problem,), evidence=evidence)


def _stranger(section: MapSection, part: MapInput, name: str, view: ImageView) -> str | None:
    """The statement that took an input and does not name it, or empty; None where neither map nor script tells."""
    assert view.map is not None
    if view.map.linker != "lld":
        return "" if _named_by(part.pattern, name) else part.pattern
    if view.inputs.is_orphan(section, part):
        return ""
    taker = view.inputs.taker(section, part)
    if taker is None or view.script is None:
        return None
    wanted = section_glob(name)
    own = any(rule.statement is taker.statement and names(rule.names, wanted) for rule in view.script.rules)
    return "" if own else taker.text


def _named_by(statement: str, name: str) -> bool:
    """Whether the statement that a map prints has a pattern that names the sections of `name`."""
    wanted = section_glob(name)
    inside = statement.partition("(")[2].replace("(", " ").replace(")", " ").replace(",", " ")
    return any(names(section_glob(word), wanted) for word in inside.split())
