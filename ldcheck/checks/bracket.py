"""Two boundary symbols enclose exactly a table, with no padding inside the bracket.

## What it does
`bracket` names the input sections of the table, `with` its start and stop symbols. The script must put nothing else
between the two; the start symbol must be the address of the first record, and the stop symbol the end of the last.
Where a symbol stands outside of the output section, that has to begin, or end, at it in every link with records: with
an address or an ALIGN of its own, or in a memory region, a section need not begin where the location counter is.
With an image, the symbols are compared with the input sections of the map, and their distance with `entry-size`; a
table of which the link dropped everything (`--gc-sections`) is none. Where nothing lies between the symbols and nothing
tells why, the rule is not checked, unless the script keeps the table by KEEP().

## Why is this bad
Code walks such a table from symbol to symbol. A start symbol that stands ahead of the padding in front of the first
record makes the loop read garbage; an ALIGN ahead of the stop symbol adds a phantom entry; a foreign section in between
is interpreted as records.

## Example
    rules:
      - id: ex-table
        bracket: .ex_table
        with: [__start___ex_table, __stop___ex_table]
        entry-size: 8

with

    .rodata : { *(.rodata) __start___ex_table = .; *(.ex_table) __stop___ex_table = .; }

## Use instead
    .rodata : { *(.rodata) . = ALIGN(8); __start___ex_table = .; *(.ex_table) __stop___ex_table = .; }

## Limits
Without `aligned-to` the script has to align the start to the largest power of two that divides `entry-size`: records
of 24 bytes may be aligned to 8, those of 64 to 64, and no script tells that they ask for less (`aligned-to` does). As
few ask for more than a pointer does, a start that is aligned to that is a warning. Without both keys it is the size of
a pointer. A start symbol that is the first thing in its output section has the section's
alignment, which is that of the inputs: that is accepted. What only an orphan could move is a note. Every input section
is taken to hold whole records.

## References
GNU ld manual, "Input Section Basics", "Source Code Reference"; LD behaviour: padding in front of an input section comes
behind a symbol that was assigned ahead of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing, unless_undecided
from ldcheck.judging.aligning import align_ahead
from ldcheck.judging.edits import put_ahead
from ldcheck.judging.enclosed import extent, off_ends, others
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.subjects import (
    INPUT,
    SYMBOL,
    absent,
    address_of,
    marks_a_place,
    merged_away,
    missing,
    opened_section,
)
from ldcheck.judging.unbroken import Bracket, breaks, subalign
from ldcheck.layout.facts import distance
from ldcheck.policy.declare import Declaration, Key, Kind, Names
from ldcheck.policy.rule import Rule, names_of
from ldcheck.policy.sizes import size_of
from ldcheck.script.expressions import constant
from ldcheck.script.syntax import Assignment, Data, InputSectionDescription, Node, OutputSection
from ldcheck.sections.globs import Glob, overlaps, section_glob
from ldcheck.sections.reach import names, reaching
from ldcheck.sections.rules import flat
from ldcheck.source import Related
from ldcheck.words import counted, listed, size

if TYPE_CHECKING:
    from ldcheck.image.model import InputSection, MapInput

DECLARATION = Declaration(
    head=Key("bracket", Kind.NAMES, "The input sections of the table.", names=Names.FREE),
    keys=(
        Key("with", Kind.NAME_PAIR, "The start symbol and the stop symbol.", required=True),
        Key("entry-size", Kind.SIZE, "The bytes of one record.", minimum=1),
        Key("aligned-to", Kind.SIZE, "The boundary that the first record lies at.", minimum=1),
    ),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE, EvidenceKind.MAP),
)


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """HOLDS where every link has exactly the table between the symbols."""
    start, stop = names_of(rule.keys["with"])
    for named in (start, stop):
        if named.text not in view.assignments:
            return absent(named, view, SYMBOL)
        if not marks_a_place(view.assignments[named.text][-1]):
            return Judgement(Standing.UNKNOWN, reason=f"{named.text} is not the address of the place of its assignment")
    found = [reaching(view.rules, named.text) for named in rule.names]
    takers = [taker for one in found for taker, _ in one.takers if not taker.discards]
    open_questions = sum(len(one.undecided) for one in found)
    if not takers:
        if rule.optional or open_questions:
            return unless_undecided(absent(rule.names[0], view, INPUT), open_questions)
        return Judgement(Standing.REFUTED, (_untaken(rule, start.text, stop.text, view),))
    opening, closing = view.assignments[start.text][-1], view.assignments[stop.text][-1]
    begin, end = view.positions[id(opening)], view.positions[id(closing)]
    table = _table(rule, view)
    if begin > end:
        problem = _problem(start.text, f"{stop.text} is assigned ahead of {start.text}", "ahead of", closing, view)
        return Judgement(Standing.REFUTED, (problem,))
    refuted = [
        _problem(start.text, f"`{taker.text}` is not between {start.text} and {stop.text}", "outside", taker.node, view)
        for taker in takers
        if not begin < view.positions[id(taker.statement)] < end
    ]
    between = view.statements[begin + 1 : end]
    refuted += _foreign(between, table, start.text, stop.text, view)
    off = list(_start_off(rule, opening, view))
    step = min(_boundary(rule, view), _divisor(rule, view) or _boundary(rule, view))
    if off and (place := address_of(start.text, view)) is not None:
        # That the start lies off is told: what else there is, is asked for records that would be aligned there.
        step = min(step, place[1].alignment)
    doubts = [*off, *_gaps(between, opening, view), *_end_off(between, closing, view)]
    doubts += breaks(Bracket(opening, closing, between, table, step), view)
    doubts += _between_records(rule, between, table, view)
    doubts += [problem for node in (opening, closing) for problem in _elsewhere(node, view)]
    if refuted:
        return Judgement(Standing.REFUTED, tuple(refuted + doubts))
    judgement = Judgement(Standing.NOT_GUARANTEED if doubts else Standing.HOLDS, tuple(doubts))
    return unless_undecided(judgement, open_questions)


def _table(rule: Rule, view: ScriptView) -> set[int]:
    """The statements (by `id`) all of whose patterns belong to the table."""
    globs = [section_glob(named.text) for named in rule.names]
    own: set[int] = set()
    others: set[int] = set()
    for taker in view.rules:
        inside = taker.pattern is not None and any(names(taker.names, glob) for glob in globs)
        (own if inside else others).add(id(taker.statement))
    return own - others


def _untaken(rule: Rule, start: str, stop: str, view: ScriptView) -> Problem:
    """A table of which the script has the symbols and no statement: it is empty, wherever the sections end up."""
    table = listed([named.text for named in rule.names])
    patterns = " ".join(named.text for named in rule.names)
    return view.problem(
        view.assignments[start][-1],
        start,
        f"nothing takes {table}: there is nothing between {start} and {stop}",
        label="the table should begin here",
        related=(Related(view.locate(view.assignments[stop][-1]), "and end here"),),
        help="look at the names in the policy, and at what is to stand between the two symbols",
        fix=put_ahead(f"*({patterns})", view.assignments[stop][-1], view, f"put `*({patterns})` between them"),
    )


def _foreign(between: Sequence[Node], table: set[int], start: str, stop: str, view: ScriptView) -> Iterator[Problem]:
    discarded = {id(one) for node in view.output_sections.get("/DISCARD/", ()) for one in flat(node.statements)}
    for node in between:
        if id(node) in discarded:
            continue
        if isinstance(node, Data) or (isinstance(node, InputSectionDescription) and id(node) not in table):
            text = view.sources.text(node.start, node.end)
            yield _problem(start, f"`{text}` lies between {start} and {stop}", "no part of the table", node, view)


def _start_off(rule: Rule, opening: Assignment, view: ScriptView) -> Iterator[Problem]:
    """A start symbol between which and the first record there may be padding."""
    wanted = _boundary(rule, view)
    start = opening.target.text
    place = address_of(start, view)
    known = None if place is None else place[1]
    opened = opened_section(opening, view)
    # With an address of its own, a section is not aligned for its inputs.
    by_inputs = opened is not None and opened.address is None
    if wanted <= 1 or known is None or known.aligned_to(wanted) or by_inputs:
        return
    pointer = _pointer(view)
    is_usual = "aligned-to" not in rule.keys and wanted > pointer and known.aligned_to(pointer)
    condition = f", if records are aligned to more than {size(known.alignment)}" if is_usual else ""
    unless = (
        f", or say `aligned-to: {size(known.alignment)}` in the rule if records ask for no more" if is_usual else ""
    )
    yield view.problem(
        opening,
        start,
        f"{start} may lie ahead of the padding in front of the first record{condition}",
        label=f"known here: {known}, needed: a multiple of {size(wanted)}",
        help=f"look at what stands ahead of {start}: that has to end at a multiple of {size(wanted)}{unless}",
        fix=align_ahead(f". = ALIGN({size(wanted)});", opening, view, "ahead of it", also=unless),
        severity=Severity.WARNING if is_usual else None,
    )


def _boundary(rule: Rule, view: ScriptView) -> int:
    if "aligned-to" in rule.keys:
        return size_of(rule.keys["aligned-to"], view.params)
    # The size of a C type is a multiple of its alignment, which may be any power of two that divides it.
    return _divisor(rule, view) or _pointer(view)


def _divisor(rule: Rule, view: ScriptView) -> int:
    """The largest power of two that divides the size of a record; 0 if that is not given."""
    entry = size_of(rule.keys["entry-size"], view.params) if "entry-size" in rule.keys else 0
    return entry & -entry


def _pointer(view: ScriptView) -> int:
    return 8 if view.arch.endswith("64") or view.arch == "s390x" else 4


def _gaps(between: Sequence[Node], opening: Assignment, view: ScriptView) -> Iterator[Problem]:
    """Movements of the location counter ahead of the last record, unless they are known to move nothing."""
    last = max((at for at, node in enumerate(between) if isinstance(node, InputSectionDescription)), default=-1)
    before = view.layout.value(opening)
    for node in between[: last + 1]:
        if isinstance(node, OutputSection):
            after = view.layout.section_start(node.name.text)
        else:
            after = view.layout.after(node)
        stays = before is not None and after is not None and distance(before, after) == (0, 0)
        if isinstance(node, Assignment) and node.target.text == "." and not stays:
            start = opening.target.text
            yield _problem(start, f"padding may lie behind {start}", "moves records away", node, view)
        before = after


def _end_off(between: Sequence[Node], closing: Assignment, view: ScriptView) -> Iterator[Problem]:
    """Movements of the location counter, or ends of output sections, between the last record and the stop symbol."""
    stop = closing.target.text
    last = max((at for at, node in enumerate(between) if isinstance(node, InputSectionDescription)), default=-1)
    for node in between[last + 1 :]:
        if isinstance(node, Assignment) and node.target.text == ".":
            message = f"padding may lie between the last record and {stop}"
            yield _problem(stop, message, f"moves {stop} away from the end of the table", node, view)
        elif isinstance(node, OutputSection) and node.name.text != "/DISCARD/":
            yield _problem(stop, f"{node.name.text} lies ahead of {stop}", "another output section", node, view)


def _between_records(rule: Rule, between: Sequence[Node], table: set[int], view: ScriptView) -> Iterator[Problem]:
    """SUBALIGN in the header of what holds records: it aligns each of them, whatever they ask for."""
    divides = _divisor(rule, view) or min(_boundary(rule, view), _pointer(view))
    told: set[int] = set()
    for node in between:
        aligned = subalign(node, view) if id(node) in table else None
        if aligned is None or id(aligned) in told:
            continue
        told.add(id(aligned))
        step = constant(aligned)
        if step is None or step > divides:
            known = "a number that is not known" if step is None else size(step)
            label = f"aligns each of them to {known}"
            yield _problem(rule.names[0].text, "padding may lie between the records", label, aligned, view)


def _elsewhere(boundary: Assignment, view: ScriptView) -> Iterator[Problem]:
    """A boundary symbol that may be another address than the one at which it stands: `s = ALIGN(8)` moves nothing."""
    value, place = view.layout.value(boundary), view.layout.after(boundary)
    if value is not None and place is not None and distance(value, place) == (0, 0):
        return
    symbol = boundary.target.text
    message = f"{symbol} may be another address than that of the place where it stands"
    yield _problem(symbol, message, "moves the symbol, and not what comes next", boundary, view)


def _problem(subject: str, message: str, label: str, node: Node, view: ScriptView) -> Problem:
    return view.problem(
        node,
        subject,
        message,
        label=label,
    )


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED where the symbols do not enclose the table exactly, or not a whole number of records."""
    start, stop = (named.text for named in names_of(rule.keys["with"]))
    low, high = view.address(start), view.address(stop)
    if low is None or high is None:
        name = start if low is None else stop
        return missing([name], view, f"the image has no symbol {name}")
    globs = [section_glob(named.text) for named in rule.names]
    faults = list(_faults(rule, start, stop, low, high, view))
    problems = tuple(
        view.problem(
            subject,
            subject,
            message,
            label="the boundary of the table",
            facts=(f"in the image: {start} is at {low:#x}, {stop} at {high:#x}",),
        )
        for subject, message in faults
    )
    if problems:
        return Judgement(Standing.REFUTED, problems, evidence=view.available)
    if view.map is not None and (hidden := [name for name in _names(rule) if view.inputs.merged(name)]):
        return Judgement(Standing.UNDECIDED, reason=merged_away(hidden[0], view))
    if low == high and (reason := _why_empty(globs, view)):
        said = f"{start} .. {stop} is empty, and {reason}"
        return Judgement(Standing.UNKNOWN if _is_kept(rule, view) else Standing.UNDECIDED, reason=said)
    if view.map is not None and not view.map.incomplete and not _linked(globs, view):
        table = listed(_names(rule))
        return Judgement(Standing.UNKNOWN, reason=f"the map has nothing of {table}: {start} .. {stop} is empty")
    if any(section.address < high and low < section.address + section.size for section, _ in view.inputs.untold()):
        return Judgement(Standing.UNKNOWN, reason="a map of lld does not tell where .eh_frame lies in its section")
    if view.map is None and ("entry-size" not in rule.keys or not _is_known(rule, view)):
        return Judgement(Standing.UNKNOWN, reason="an ELF does not name the input sections, give --map")
    return Judgement(Standing.HOLDS, evidence=view.available)


def _names(rule: Rule) -> list[str]:
    return [named.text for named in rule.names]


def _why_empty(globs: list[Glob], view: ImageView) -> str:
    """What keeps from telling whether the link dropped a table that is empty; nothing if it is told."""
    if view.map is None or view.map.incomplete:
        return "only a map (--map) tells whether anything should"
    return view.inputs.unlisted.doubt(*globs) if view.map.linker == "lld" else ""


def _is_kept(rule: Rule, view: ImageView) -> bool:
    """Whether the script keeps all of the table, so that an empty one had nothing that could be dropped."""
    found = [reaching(view.script.rules, name) for name in _names(rule)] if view.script is not None else []
    takers = [taker for one in found for taker, _ in one.takers]
    return bool(takers) and all(taker.keep for taker in takers) and not any(one.undecided for one in found)


def _is_known(rule: Rule, view: ImageView) -> bool:
    """Whether anything but a map tells that there is such a table: the script, or an output section of its name."""
    globs = [section_glob(named.text) for named in rule.names]
    if view.script is not None:
        return any(overlaps(taker.names, glob) for taker in view.script.rules for glob in globs)
    return any(glob.matches(name) for name in view.sections for glob in globs)


def _faults(rule: Rule, start: str, stop: str, low: int, high: int, view: ImageView) -> Iterator[tuple[str, str]]:
    """What is wrong with the bracket in the image: the symbol concerned, and the message."""
    if high < low:
        yield stop, f"{stop} lies {counted(low - high, 'byte')} below {start}"
        return
    if "entry-size" in rule.keys:
        entry = size_of(rule.keys["entry-size"], view.params)
        if entry and (high - low) % entry:
            yield stop, f"{counted(high - low, 'byte')} between {start} and {stop} are no multiple of {entry}"
    if "aligned-to" in rule.keys and high > low:
        boundary = size_of(rule.keys["aligned-to"], view.params)
        if boundary and low % boundary:
            yield start, f"{start} is at {low:#x}, which is no multiple of {size(boundary)}"
    globs = [section_glob(named.text) for named in rule.names]
    if view.map is not None and not view.map.incomplete:
        # What has no name in the map may be what seems to lack, or to be foreign.
        if view.inputs.merged(*_names(rule)):
            return
        yield from _table_faults(globs, start, stop, low, high, view)
        return
    # Without the inputs, an output section of the table's name tells as much as that it is elsewhere.
    for section in view.elf.sections if view.elf is not None else ():
        named = section.allocated and section.size and any(glob.matches(section.name) for glob in globs)
        if named and (section.end <= low or section.address >= high):
            place = f"{section.name} ({counted(section.size, 'byte')} at {section.address:#x})"
            yield start, f"{place} is not between {start} and {stop}"


def _linked(globs: list[Glob], view: ImageView) -> list[MapInput]:
    """The input sections of the table that the link has."""
    return [part for section, part in view.inputs.named(*globs) if view.inputs.is_loaded(section)]


def _dropped(parts: Sequence[MapInput | InputSection], start: str, stop: str) -> str:
    names = listed(list(dict.fromkeys(part.name for part in parts)))
    files = listed(list(dict.fromkeys(os.path.basename(part.member or part.file) for part in parts)))
    total = counted(sum(part.size for part in parts), "byte")
    return f"the link dropped {names} ({total}, {files}): nothing of the table is between {start} and {stop}"


def _table_faults(
    globs: list[Glob], start: str, stop: str, low: int, high: int, view: ImageView
) -> Iterator[tuple[str, str]]:
    own = _linked(globs, view)
    if not own:
        dropped: list[MapInput | InputSection] = [*view.inputs.dropped(*globs)]
        dropped += view.inputs.unlisted.dropped(*globs)
        if dropped:
            yield start, _dropped(dropped, start, stop)
        elif high > low:
            yield start, f"{counted(high - low, 'byte')} lie between {start} and {stop}, none of them of the table"
        return
    yield from off_ends(own, (start, low), (stop, high))
    inside = others(low, high, set(own), view)
    if inside:
        yield start, f"{inside[0].name} of {inside[0].file} lies between {start} and {stop}"
    used = sum(part.size for part in own)
    if extent(own) == (low, high) and not inside and used < high - low:
        yield start, f"{counted(high - low - used, 'byte')} of padding lie between the records"
