"""Where sections of these names may end up.

## What it does
`in` lists the output sections that they may be in, `never-in` those that they must not be in; `between` gives two
symbols that must enclose them, `never-between` two that must not. The script is asked which statements such sections
really reach and where those stand; a map (or, for output sections of that name, the ELF) where they lie.

## Why is this bad
The init range is freed after boot: a table that is used later and lies inside becomes a use after free. Code outside it
is never freed. Data between read-only boundaries faults when written; tables outside them can be overwritten.

## Example
    rules:
      - id: proc-info-never-freed
        place: .proc.info
        never-between: [__init_begin, __init_end]

with

    __init_begin = .;
    .init.data : { *(.init.data) *(.proc.info) }
    __init_end = .;

## Use instead
    .rodata : { *(.rodata) *(.proc.info) }
    __init_begin = .;
    .init.data : { *(.init.data) }
    __init_end = .;

## Limits
Sections that no statement takes (orphans) are not judged here. With the script alone, `between` holds where the
addresses are proved to lie so in every link; where output sections have addresses or memory regions of their own,
mostly only the image can tell.

## References
GNU ld manual, "Input Section Basics", "The Location Counter".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing, all_of, unless_undecided
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.subjects import INPUT, SYMBOL, absent, address_of, marks_a_place, merged_away
from ldcheck.layout.facts import not_behind
from ldcheck.policy.declare import Declaration, Key, Kind, Names
from ldcheck.policy.rule import Named, Rule, names_of
from ldcheck.record import replace
from ldcheck.script.syntax import Name, Node, OutputSection
from ldcheck.sections.globs import contains, has_wildcard, section_glob
from ldcheck.sections.reach import Witness, reaching
from ldcheck.sections.rules import InputRule
from ldcheck.source import Related
from ldcheck.words import counted, listed

if TYPE_CHECKING:
    from ldcheck.image.model import MapInput, MapSection

DECLARATION = Declaration(
    head=Key("place", Kind.NAMES, "Input sections, by name or pattern.", names=Names.TAKEN),
    keys=(
        Key("in", Kind.NAMES, "Output sections (names or patterns) that they may be in.", names=Names.ANY),
        Key("never-in", Kind.NAMES, "Output sections (names or patterns) that they must not be in."),
        Key("between", Kind.NAME_PAIR, "Two symbols that must enclose them."),
        Key("never-between", Kind.NAME_PAIR, "Two symbols that must not enclose them."),
    ),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE, EvidenceKind.MAP),
    one_of=(("in", "never-in", "between", "never-between"),),
)

# So many names and statements are told in a message.
_MOST = 4


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """REFUTED where a statement that such sections reach stands in the wrong place."""
    for key in ("between", "never-between"):
        for named in names_of(rule.keys.get(key)):
            if named.text not in view.assignments:
                return absent(named, view, SYMBOL)
            if not marks_a_place(view.assignments[named.text][-1]):
                reason = f"{named.text} is not the address of the place where it is assigned"
                return Judgement(Standing.UNKNOWN, reason=f"{reason}: only the image can tell")
    found = [_judge(named, rule, view) for named in rule.names]
    judged = all_of([judgement for judgement, _ in found], optional=rule.optional)
    if judged.standing is Standing.ABSENT:
        return judged
    causes: dict[tuple[object, ...], list[_Stray]] = {}
    for stray in (stray for _, strays in found for stray in strays):
        causes.setdefault((stray.message, id(stray.taker.section)), []).append(stray)
    return replace(judged, problems=tuple(_problem(strays, view) for strays in causes.values()))


class _Stray(NamedTuple):
    """What is wrong with a statement that takes sections of a name, and the boundary symbols that are concerned."""

    name: str
    taker: InputRule
    witness: Witness
    message: str
    label: str
    symbols: tuple[Named, ...]


def _judge(named: Named, rule: Rule, view: ScriptView) -> tuple[Judgement, list[_Stray]]:
    found = reaching(view.rules, named.text)
    if not found.takers:
        return unless_undecided(absent(named, view, INPUT), len(found.undecided)), []
    strays: list[_Stray] = []
    undecided = ""
    if all(taker.discards for taker, _ in found.takers) and (wanted := rule.keys.get("in") or rule.keys.get("between")):
        taker, witness = found.takers[0]
        where = "in" if "in" in rule.keys else "between"
        message = f"must be {where} {_texts(names_of(wanted))}"
        return Judgement(Standing.REFUTED), [_Stray(named.text, taker, witness, message, "discards it", ())]
    for taker, witness in found.takers:
        if taker.discards:
            continue
        for message, label, symbols in _misplaced(taker, rule, view):
            fixed = _explicitly_placed(symbols, taker, view) if symbols else None
            if fixed is not None:
                undecided = f"{fixed.name.text} has an address or memory region of its own: only the image can tell"
            else:
                strays.append(_Stray(named.text, taker, witness, message, label, symbols))
        undecided = undecided or _unproven(taker, rule, view)
    if strays:
        return Judgement(Standing.REFUTED), strays
    standing = Standing.UNKNOWN if undecided else Standing.HOLDS
    return unless_undecided(Judgement(standing, reason=undecided), len(found.undecided)), []


def _misplaced(taker: InputRule, rule: Rule, view: ScriptView) -> Iterator[tuple[str, str, tuple[Named, ...]]]:
    """What is wrong with where the taker stands: message, label, and the boundary symbols if they are concerned."""
    wanted, unwanted = names_of(rule.keys.get("in")), names_of(rule.keys.get("never-in"))
    if wanted and not _is_one_of(taker.output, wanted):
        yield f"must be in {_texts(wanted)}", f"puts it into {taker.output}", ()
    if unwanted and _is_one_of(taker.output, unwanted):
        yield f"must not be in {taker.output}", f"puts it into {taker.output}", ()
    for key, inside in (("between", True), ("never-between", False)):
        symbols = names_of(rule.keys.get(key))
        if symbols and _enclosed(taker.statement, symbols, view) is not inside:
            must = "must" if inside else "must not"
            label = "stands outside" if inside else "stands inside"
            yield f"{must} lie between {symbols[0].text} and {symbols[1].text}", label, symbols


def _unproven(taker: InputRule, rule: Rule, view: ScriptView) -> str:
    """Why the order of the statements may not be that of the addresses; empty if it is in every link."""
    statement = taker.statement
    low, high = view.layout.first_input(statement), view.layout.after(statement)
    for key, inside in (("between", True), ("never-between", False)):
        symbols = names_of(rule.keys.get(key))
        if not symbols or _enclosed(statement, symbols, view) is not inside:
            continue
        start, end = (place[1] if (place := address_of(symbol.text, view)) else None for symbol in symbols)
        if inside and not_behind(start, low) and not_behind(high, end):
            continue
        if not inside and (not_behind(high, start) or not_behind(end, low)):
            continue
        fixed = _explicitly_placed(symbols, taker, view)
        if fixed is not None:
            return f"{fixed.name.text} has an address or memory region of its own: only the image can tell"
        names = " and ".join(symbol.text for symbol in symbols)
        return f"the script alone does not tell whether what `{taker.text}` takes lies between {names}"
    return ""


def _enclosed(statement: Node, symbols: tuple[Named, ...], view: ScriptView) -> bool:
    start, end = (_position(symbol, view) for symbol in symbols)
    return start < view.positions[id(statement)] < end


def _position(symbol: Named, view: ScriptView) -> int:
    return view.positions[id(view.assignments[symbol.text][-1])]


def _explicitly_placed(symbols: tuple[Named, ...], taker: InputRule, view: ScriptView) -> OutputSection | None:
    """An output section between symbols and taker whose address does not follow from the order of the statements."""
    places = [_position(symbol, view) for symbol in symbols] + [view.positions[id(taker.statement)]]
    for node in view.statements[min(places) : max(places)]:
        if isinstance(node, OutputSection) and (_is_elsewhere(node) or node.region is not None):
            return node
    return taker.section if taker.section is not None and taker.section.region is not None else None


def _is_elsewhere(node: OutputSection) -> bool:
    """Whether a section has an address that is not the place where it stands."""
    here = isinstance(node.address, Name) and node.address.name == "."
    return node.address is not None and not here


def _problem(strays: list[_Stray], view: ScriptView) -> Problem:
    """One problem for all that goes astray in one output section in one way."""
    first = strays[0]
    takers = list(dict.fromkeys(stray.taker for stray in strays))
    names = listed(list(dict.fromkeys(_called(stray) for stray in strays)), most=_MOST)
    taking = listed([f"`{taker.text}`" for taker in takers], most=_MOST)
    several = len({_called(stray) for stray in strays}) > 1
    related = [Related(view.locate(taker.node), first.label) for taker in takers[1:]]
    related += [
        Related(view.locate(view.assignments[symbol.text][-1]), f"{symbol.text} is here") for symbol in first.symbols
    ]
    it, verb = ("them" if several else "it"), ("takes" if len(takers) == 1 else "take")
    return view.problem(
        first.taker.node,
        first.name,
        f"{names} {first.message}; {taking} {verb} {it} in {first.taker.output}",
        label=first.label,
        related=related,
        witness=first.witness.section,
        help=f"look at which statement is to take {it}: the first one that matches does, and this one is the first",
    )


def _called(stray: _Stray) -> str:
    """The sections by the name that the rule gives them, or one of them where the statement may not take all."""
    if not has_wildcard(stray.name):
        return stray.name
    return f"`{stray.name}`" if contains(stray.taker.names, section_glob(stray.name)) else stray.witness.section


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED where the map, or for output sections of that name the ELF, shows such a section in the wrong place."""
    return all_of([_shown(named.text, rule, view) for named in rule.names], optional=rule.optional)


class _Place(NamedTuple):
    """Where a section is in the image: what it is called in a finding, its output section, and its bytes.

    `room` is how many of them take memory there.
    """

    shown: str
    section: str
    address: int
    size: int
    room: int


def _place(section: MapSection, part: MapInput) -> _Place:
    shown = f"{part.name} of {part.file}"
    return _Place(shown, section.name, part.address, part.size, part.size if section.room else 0)


def _shown(name: str, rule: Rule, view: ImageView) -> Judgement:
    for key in ("between", "never-between"):
        for named in names_of(rule.keys.get(key)):
            if view.address(named.text) is None:
                if doubt := view.doubt(named.text):
                    return Judgement(Standing.UNDECIDED, reason=doubt)
                return Judgement(Standing.UNKNOWN, reason=f"the image has no symbol {named.text}")
    glob = section_glob(name)
    evidence = EvidenceKind.MAP
    places = [_place(section, part) for section, part in view.inputs.named(glob)]
    if not places:
        # An ELF names no input sections, and a link may have none of that name; an output section of that name tells
        # where they went, or would have gone.
        evidence = EvidenceKind.IMAGE if view.elf is not None else EvidenceKind.MAP
        places = [
            _Place(one.name, one.name, one.address, one.size, one.room if one.is_loaded else 0)
            for found in view.sections.values()
            for one in found
            if one.size and glob.matches(one.name)
        ]
    if not places and view.inputs.merged(name):
        return Judgement(Standing.UNKNOWN, reason=merged_away(name, view))
    if not places:
        reason = (
            f"the link has no input section {name}"
            if view.map is not None
            else f"an ELF does not name the inputs like {name}, give --map"
        )
        return Judgement(Standing.UNKNOWN, reason=reason)
    by_address = any(rule.keys.get(key) for key in ("between", "never-between"))
    if by_address and glob.matches(".eh_frame") and view.inputs.untold():
        return Judgement(Standing.UNKNOWN, reason="a map of lld does not tell where .eh_frame lies in its section")
    strayed = [(place, wrong) for place in places if (wrong := _wrong(place, rule, view))]
    merged = [_place(section, part) for section, part in view.inputs.merged(name)]
    if not strayed and any(_wrong(place, rule, view) for place in merged):
        return Judgement(Standing.UNKNOWN, reason=merged_away(name, view))
    if not strayed:
        return Judgement(Standing.HOLDS, evidence=(evidence,))
    (shown, section, address, *_), wrong = strayed[0]
    total = sum(place.size for place, _ in strayed)
    problem = view.problem(
        section,
        name,
        f"{shown} {wrong}",
        label=f"holds {name}",
        facts=(f"in the image: {counted(total, 'byte')} of {name} are in {section} at {address:#x}",),
        witness=shown.partition(" ")[0],
    )
    return Judgement(Standing.REFUTED, (problem,), evidence=(evidence,))


def _wrong(place: _Place, rule: Rule, view: ImageView) -> str:
    """What is wrong with a place in the image; empty if nothing is."""
    _, section, address, _, room = place
    wanted, unwanted = names_of(rule.keys.get("in")), names_of(rule.keys.get("never-in"))
    if wanted and not _is_one_of(section, wanted):
        return f"must be in {_texts(wanted)}"
    if unwanted and _is_one_of(section, unwanted):
        return f"must not be in {section}"
    for key, inside in (("between", True), ("never-between", False)):
        symbols = names_of(rule.keys.get(key))
        if not symbols:
            continue
        start, end = view.address(symbols[0].text), view.address(symbols[1].text)
        assert start is not None
        assert end is not None
        if inside and not start <= address <= address + room <= end:
            return f"must lie between {symbols[0].text} and {symbols[1].text}"
        # What takes no memory lies between no addresses.
        if not inside and room and address < end and start < address + room:
            return f"must not lie between {symbols[0].text} and {symbols[1].text}"
    return ""


def _is_one_of(section: str, names: tuple[Named, ...]) -> bool:
    return any(section_glob(named.text).matches(section) for named in names)


def _texts(names: tuple[Named, ...]) -> str:
    return listed([named.text for named in names], joint="or")
