"""Sections come ahead of all code and data: where a processor or a boot ROM looks for them.

## What it does
For each name: nothing that compilers emit may stand ahead of these sections, neither in their output section nor in an
output section ahead of it in the same memory region. Sections that are listed with `behind` may.

## Why is this bad
A processor reads its vector table, and enters an image, at an address that no symbol tells it. With code ahead of the
table, it takes instructions for the addresses of handlers, and never gets as far as the first line of C.

## Example
    rules:
      - id: vectors-first
        first: .vectors

with

    .text : { *(.text .text.*) KEEP(*(.vectors)) }

## Use instead
    .text : { KEEP(*(.vectors)) *(.text .text.*) }

## Limits
Where something else stands ahead (a boot block, a header, data of the script, room that it reserves), whoever made the
device knows whether that belongs there: then it is not checked. With `movable`, it is a warning where the script aligns
them to 32 or more, has a symbol for a vector table, or puts them in RAM. Where several statements take sections of a
name, one of them has to be first. With `optional`, a name counts where some statement names it.

## References
GNU ld manual, "Input Section Basics", "Output Section Region".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing, all_of, unless_undecided
from ldcheck.judging.ahead import TELLS, Ahead, Place, ahead_of, is_of_all, takes_files
from ldcheck.judging.edits import move_ahead
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.loading import loaded, regions_of
from ldcheck.judging.subjects import INPUT, absent, naming
from ldcheck.policy.declare import Declaration, Key, Kind, Names
from ldcheck.policy.rule import Named, Rule, names_of
from ldcheck.record import replace
from ldcheck.script.syntax import Node
from ldcheck.sections.families import Family, family_of
from ldcheck.sections.globs import Glob, section_glob
from ldcheck.sections.reach import reaching
from ldcheck.sections.rules import InputRule
from ldcheck.source import Related
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck.image.model import MapInput

DECLARATION = Declaration(
    head=Key("first", Kind.NAMES, "Input sections, by name or pattern.", names=Names.TAKEN),
    keys=(
        Key("behind", Kind.NAMES, "Sections that may stand ahead of them, such as a header.", names=Names.FREE),
        Key("movable", Kind.FLAG, "Whether code, or a loader, can tell the processor that they are elsewhere."),
    ),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE, EvidenceKind.MAP),
)


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """REFUTED where code of every object stands ahead of such sections, NOT_GUARANTEED where that may be meant."""
    asked = _asked(rule)
    return all_of([_judge(named, asked, view) for named in rule.names], optional=rule.optional)


class _Asked(NamedTuple):
    """What a rule says of its names: what may be ahead of them, and whether they may be told to be elsewhere."""

    allowed: tuple[Glob, ...]
    movable: bool


def _asked(rule: Rule) -> _Asked:
    allowed = tuple(section_glob(named.text) for named in (*rule.names, *names_of(rule.keys.get("behind"))))
    return _Asked(allowed, rule.keys.get("movable") is True)


def _judge(named: Named, asked: _Asked, view: ScriptView) -> Judgement:
    naming_rules = [rule for rule in naming(named.text, view) if not rule.discards]
    found = reaching(view.rules, named.text)
    takers = [rule for rule, _ in found.takers if not rule.discards]
    if naming_rules:
        along = next((rule for rule in takers if is_of_all(rule)), None)
        if along is not None and along.index < naming_rules[0].index:
            problem = _problem(named.text, naming_rules[0].node, Ahead(along, named.text), view, naming_rules[0])
            return Judgement(Standing.REFUTED, (problem,))
        places = [
            Place(rule.section, rule)
            for rule in takers
            if rule is not along and rule.section is not None and not takes_files(rule)
        ]
    else:
        places = [Place(section) for section in view.output_sections.get(named.text, ())]
    if not places:
        return unless_undecided(absent(named, view, INPUT), len(found.undecided))
    return unless_undecided(_best(_placed(named.text, place, asked, view) for place in places), len(found.undecided))


def _best(judgements: Iterable[Judgement]) -> Judgement:
    """Of several places of a name, the best counts: the others may be for copies."""
    order = (Standing.HOLDS, Standing.UNKNOWN, Standing.NOT_GUARANTEED, Standing.REFUTED)
    return min(judgements, key=lambda one: order.index(one.standing))


def _placed(name: str, place: Place, asked: _Asked, view: ScriptView) -> Judgement:
    ahead, doubt = ahead_of(place, asked.allowed, view)
    if ahead is not None:
        node = place.rule.node if place.rule is not None else place.section
        problem = _problem(name, node, ahead if asked.movable else ahead._replace(meant=""), view, place.rule)
        standing = Standing.REFUTED if problem.severity is None else Standing.NOT_GUARANTEED
        return Judgement(standing, (problem,))
    return Judgement(Standing.UNKNOWN, reason=doubt) if doubt else Judgement(Standing.HOLDS)


def _problem(name: str, node: Node, ahead: Ahead, view: ScriptView, rule: InputRule | None) -> Problem:
    """The problem that a name, which `rule` or an output section of that name stands for, has something ahead of it."""
    taker = ahead.taker
    takes = ahead.witness == name
    certain = takes or family_of(ahead.witness) is Family.CODE
    meant = ahead.meant or ("" if certain else f"as soon as an object has {ahead.witness}")
    verb = "takes them along" if takes else "stands ahead of it"
    if rule is None or rule.section is not taker.section:
        own, other = rule.output if rule is not None else name, taker.output
    else:
        own, other = f"`{rule.text}`", f"`{taker.text}`"
    return view.problem(
        node,
        name,
        f"{name} does not come first: `{taker.text}` {verb} in {taker.output}{f', {meant}' if meant else ''}",
        label="has to come first",
        related=(Related(view.locate(taker.node), "stands ahead"),),
        witness=ahead.witness,
        help=f"look at the order of {other} and {own}, and at what hangs on it",
        fix=move_ahead(rule, taker, view, takes=takes) if rule is not None else None,
        severity=Severity.WARNING if meant else None,
    )


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED where the map, or for output sections of that name the ELF, shows what compilers emit ahead of it."""
    asked = _asked(rule)
    return all_of([_shown(named, asked, view) for named in rule.names], optional=rule.optional)


class _Part(NamedTuple):
    """Something with content in the image: an input section, or an output section where no map tells those."""

    name: str
    origin: str
    output: str
    address: int
    given: MapInput | None = None


def _shown(named: Named, asked: _Asked, view: ImageView) -> Judgement:
    glob = section_glob(named.text)
    filled = {section.name for section in view.elf.sections if section.occupies_file} if view.elf is not None else None
    evidence = (EvidenceKind.MAP,)
    parts = [
        _Part(part.name, f"{part.name} of {part.file}", section.name, part.address, part)
        for section, part in view.inputs.loaded()
        if filled is None or section.name in filled
    ]
    if view.map is None and view.elf is not None:
        evidence = (EvidenceKind.IMAGE,)
        parts = [
            _Part(section.name, section.name, section.name, section.address)
            for section in view.elf.sections
            if section.allocated and section.size and section.occupies_file
        ]
    parts.sort(key=lambda part: part.address)
    own = [part for part in parts if glob.matches(part.name)] or [part for part in parts if part.output == named.text]
    if not own:
        has = f"the link has no input section {named.text}"
        reason = has if view.map is not None else f"an ELF does not name the inputs like {named.text}, give --map"
        unnamed = view.map is not None and (view.script is None or not naming(named.text, view.script))
        return Judgement(Standing.ABSENT if unnamed else Standing.UNKNOWN, reason=reason)
    judgements = (_in_image(named.text, part, parts, asked, view) for part in _firsts(own))
    return replace(_best(judgements), evidence=evidence)


def _firsts(parts: Sequence[_Part]) -> list[_Part]:
    """The first of the parts in each output section."""
    return list({part.output: part for part in reversed(parts)}.values())


def _in_image(name: str, own: _Part, parts: Sequence[_Part], asked: _Asked, view: ImageView) -> Judgement:
    if own.output in _copied(view):
        return Judgement(Standing.UNKNOWN, reason=f"{own.output} is copied to where it runs")
    start = _start(own, view)
    if own.address == start:
        return Judgement(Standing.HOLDS)
    ahead = [
        part
        for part in parts
        if part.address < own.address
        and (part.output == own.output if start is None else part.address >= start)
        and not any(glob.matches(part.name) for glob in asked.allowed)
    ]
    emitted = next((part for part in reversed(ahead) if _is_of_all(part, view)), None)
    if emitted is None:
        if ahead:
            reason = f"{ahead[-1].origin} lies ahead of {own.origin}{TELLS}, list it with `behind` if so"
            return Judgement(Standing.UNKNOWN, reason=reason)
        if start is None:
            reason = f"without the memory regions of a script, nobody knows where that of {own.origin} begins"
            return Judgement(Standing.UNKNOWN, reason=reason)
        if any(start <= part.address < own.address for part in parts):
            return Judgement(Standing.HOLDS)
        room = counted(own.address - start, "byte")
        return Judgement(Standing.UNKNOWN, reason=f"{own.origin} lies {room} behind the start of its memory{TELLS}")
    return Judgement(
        Standing.REFUTED,
        (
            view.problem(
                own.output,
                name,
                f"{name} does not come first: {emitted.origin} lies ahead of it",
                label="has to come first",
                facts=(f"in the image: {emitted.origin} is at {emitted.address:#x}, {own.origin} at {own.address:#x}",),
                witness=emitted.name,
                severity=_severity(name, asked, view),
            ),
        ),
    )


def _is_of_all(part: _Part, view: ImageView) -> bool:
    """Whether a part is what compilers emit for every object, and no piece of it that the script lists by its name."""
    taken = view.inputs.rules(part.given) if part.given is not None else ()
    return family_of(part.name) is not Family.OTHER and (not taken or is_of_all(taken[0]))


def _copied(view: ImageView) -> set[str]:
    """The output sections that run elsewhere than they are loaded."""
    if view.elf is not None:
        return {one.name for one in loaded(view) if one.is_copied}
    return {one.name for one in view.map.sections if one.load_address != one.address} if view.map is not None else set()


def _start(own: _Part, view: ImageView) -> int | None:
    """Where the memory region of a part begins; None if nothing tells."""
    if view.script is None:
        return None
    regions = regions_of(view.script)
    region = view.script.regions.get(regions.holding(own.address))
    if region is not None:
        return region[0]
    if view.script.memory:
        return None
    return min((one.address for one in view.loaded_sections), default=None)


def _severity(name: str, asked: _Asked, view: ImageView) -> Severity | None:
    """A warning where the script says that the table may be found elsewhere too."""
    script = view.script
    if script is None or not asked.movable:
        return None
    places = [
        Place(rule.section, rule) for rule in naming(name, script) if rule.section is not None and not rule.discards
    ]
    found = [ahead for place in places if (ahead := ahead_of(place, asked.allowed, script)[0]) is not None]
    return Severity.WARNING if found and all(ahead.meant for ahead in found) else None
