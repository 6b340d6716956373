"""Sections that no statement took, and that the linker placed by their flags.

## What it does
With a map, or the ELF and its script, lists the loaded sections that are orphans in this link: how many bytes, whose,
behind which boundary symbol and ahead of which, in which segment; at the statement that places their family. With
objects alone, it plays the link through and tells behind which output section each would come.

## Why is this bad
What start-up code clears, copies or maps ends at a boundary symbol. A section behind `__bss_end` is never cleared, one
behind `_edata` is never copied, one behind `_etext` may be no code to the page tables; and neither GNU ld nor lld says
so unless --orphan-handling asks for it.

## Example
    .bss : { __bss_start = .; *(.bss .bss.*) *(COMMON) __bss_end = .; }

linked for RISC-V, whose compilers put small variables into `.sbss`.

## Use instead
    .bss : { __bss_start = .; *(.sbss .sbss.*) *(.bss .bss.*) *(COMMON) __bss_end = .; }

## Limits
It is an error where data that start-up code is to clear or to copy lies outside of the symbols around the rest of its
family; else a warning. It is only noted of notes (`entry-not-first` looks at what they precede), of names that are
identifiers of C (the linker gives such an orphan symbols, `__start_x` and `__stop_x`), of what lies between the symbols
of its family, and of programs that a dynamic loader starts. Of a map of lld, and of an ELF without a map, the script
tells what was taken.

## References
GNU ld manual, "Orphan Sections"; option --orphan-handling.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.image.model import ImageSection
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.expressions import image_values
from ldcheck.judging.surroundings import Landmark, homes, shown_segment, surroundings
from ldcheck.judging.unplaced import hidden
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.record import dataclass
from ldcheck.script.syntax import Assignment, Data
from ldcheck.sections.families import Family, family_of
from ldcheck.sections.kinship import needs_its_name
from ldcheck.sections.rules import DISCARD, InputRule
from ldcheck.source import Location, Related
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Sections that no statement took, and where the linker put them."),
    evidence=(EvidenceKind.IMAGE, EvidenceKind.MAP, EvidenceKind.OBJECTS),
)

# Room that lld makes behind what is read-only after relocation.
_MADE = frozenset((".relro_padding",))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Orphan:
    """One section that nothing took; `output` is the section of the image that it lies in, if there is an ELF."""

    name: str
    file: str
    address: int
    size: int
    output: ImageSection | None

    @property
    def family(self) -> Family:
        """What its bytes are for, by its name, or by the flags of the section that it lies in."""
        known = family_of(self.name)
        if known is not Family.OTHER or self.output is None:
            return known
        if self.output.executable:
            return Family.CODE
        if not self.output.writable:
            return Family.CONSTANT
        return Family.DATA if self.output.occupies_file else Family.ZERO


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED with a problem for each group of orphans that belong and lie together."""
    orphans = _orphans(view)
    if orphans is None and view.image.objects is not None and view.script is not None:
        problems = tuple(_foreseen(view, view.script))
        return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems, evidence=(EvidenceKind.OBJECTS,))
    if orphans is None:
        what = "a map of lld" if view.map is not None else "an ELF"
        reason = f"{what} alone does not tell which sections were orphans, give the script"
        return Judgement(Standing.UNKNOWN, reason=reason if view.available else "no map, give --map")
    groups: dict[tuple[object, ...], list[_Orphan]] = {}
    for orphan in orphans:
        groups.setdefault(_group(orphan, view), []).append(orphan)
    problems = tuple(_problem(group, view) for group in groups.values())
    if not problems and (unknown := hidden(view)) is not None:
        return unknown
    evidence = (EvidenceKind.MAP,) if view.map is not None else (EvidenceKind.IMAGE,)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems, evidence=evidence)


def _orphans(view: ImageView) -> list[_Orphan] | None:
    """The orphans by address; None where nothing tells which sections they are."""
    by_name = {section.name: section for section in reversed(view.elf.sections)} if view.elf is not None else {}
    placed = view.inputs.orphans()
    if placed is not None:
        return [
            _Orphan(part.name, part.member or part.file, part.address, part.size, by_name.get(section.name))
            for section, part in placed
            if section.name not in _MADE
        ]
    if view.elf is None or view.script is None:
        return None
    filled = {rule.output for rule in view.script.rules} | _made_up(view.script)
    return [
        _Orphan(section.name, "", section.address, section.size, section)
        for section in view.elf.sections
        if section.allocated and section.size and section.name not in _MADE and section.name not in filled
    ]


def _foreseen(view: ImageView, script: ScriptView) -> Iterator[Problem]:
    """A problem for each group of objects' sections that would be orphans, by where the linker would put them."""
    from ldcheck.sections.placing import place

    behind = ""
    groups: dict[tuple[InputRule | None, str, Severity], list[_Orphan]] = {}
    for placed in place(script.tree, view.image.objects or (), arch=view.arch, linker=script.linker):
        if placed.section is not None:
            behind = placed.output
        one = placed.input
        if placed.rule is None and placed.output != DISCARD and one.allocated and one.size and one.index >= 0:
            orphan = _Orphan(one.name, one.member or one.file, 0, one.size, None)
            groups.setdefault((_home(orphan, view), behind, _severity_by_name(one.name)), []).append(orphan)
    for (home, section, severity), orphans in groups.items():
        location, route, label, _ = _shown_at(home, section, None, view)
        yield Problem(
            subject=orphans[0].name,
            message=_sentence(orphans, f" behind {section}" if section else "", "would be"),
            location=location,
            label=label,
            witness=orphans[0].name,
            help=_help(_names(orphans), home, view.arch, bracketed=False),
            route=route,
            severity=severity,
        )


def _names(orphans: Sequence[_Orphan]) -> list[str]:
    return list(dict.fromkeys(orphan.name for orphan in orphans))


def _sentence(orphans: Sequence[_Orphan], where: str, verb: str = "") -> str:
    """Which orphans there are: names, bytes, whose, and where they lie."""
    names = _names(orphans)
    total = counted(sum(orphan.size for orphan in orphans), "byte")
    files = list(dict.fromkeys(orphan.file for orphan in orphans if orphan.file))
    whose = f"{total}, {listed(files)}" if files else total
    verb = verb or ("is" if len(names) == 1 else "are")
    return f"{listed(names)} ({whose}) {verb} {'an orphan' if len(names) == 1 else 'orphans'}{where}"


def _made_up(view: ScriptView) -> set[str]:
    """The output sections that the script itself gives some content."""
    return {
        section.name.text
        for section in view.enclosing.values()
        for node in section.statements
        if isinstance(node, Data) or (isinstance(node, Assignment) and node.target.text == ".")
    }


def _group(orphan: _Orphan, view: ImageView) -> tuple[object, ...]:
    """What orphans have in common that one finding tells."""
    home = _home(orphan, view)
    behind = surroundings(view).behind(orphan.address)
    inside = _is_inside(orphan, home, view)
    return id(home), behind, inside, _severity([orphan], home, view)


def _home(orphan: _Orphan, view: ImageView) -> InputRule | None:
    """The rule of the script that places the family of an orphan."""
    return homes(view.script).of(orphan.name) if view.script is not None else None


def _bracket(home: InputRule | None, view: ImageView) -> tuple[Landmark, Landmark] | None:
    return surroundings(view).bracket(home.statement) if home is not None else None


def _is_inside(orphan: _Orphan, home: InputRule | None, view: ImageView) -> bool | None:
    """Whether an orphan lies between the symbols around its family; None if there are none."""
    bracket = _bracket(home, view)
    if bracket is None:
        return None
    return bracket[0].address <= orphan.address and orphan.address + orphan.size <= bracket[1].address


def _severity(orphans: Sequence[_Orphan], home: InputRule | None, view: ImageView) -> Severity:
    first = orphans[0]
    if view.elf is not None and any(segment.type == "INTERP" for segment in view.elf.segments):
        return Severity.NOTE
    inside = _is_inside(first, home, view)
    if inside:
        return Severity.NOTE
    if inside is False and (first.family is Family.ZERO or (first.family is Family.DATA and _is_copied(home, view))):
        return Severity.ERROR
    return _severity_by_name(first.name)


def _severity_by_name(name: str) -> Severity:
    """Notes are found by their segment, and the linker gives symbols of their own to sections with names of C."""
    return Severity.NOTE if name.startswith(".note") or name.isidentifier() else Severity.WARNING


def _is_copied(home: InputRule | None, view: ImageView) -> bool:
    """Whether the rest of the family is loaded elsewhere than it runs, so that something has to copy it."""
    if home is None:
        return False
    values = image_values(view)
    load = values.loadaddr(home.output)
    return load is not None and load != values.addr(home.output)


def _problem(orphans: Sequence[_Orphan], view: ImageView) -> Problem:
    first = orphans[0]
    home = _home(first, view)
    behind = surroundings(view).behind(first.address)
    ahead = surroundings(view).ahead(orphans[-1].address + orphans[-1].size)
    bracket = _bracket(home, view)
    outside = bracket is not None and _is_inside(first, home, view) is False
    section = surroundings(view).section_in_front(first.address)
    location, route, label, related = _shown_at(home, section, behind, view)
    if section:
        where = f" behind {section}"
    elif behind is not None:
        where = f" behind {behind.name}"
    else:
        where = f" ahead of {ahead.name}" if ahead is not None else ""
    facts = [_place(orphans, behind, ahead, view)]
    if outside and bracket is not None and home is not None:
        start, stop = bracket
        facts.append(
            f"outside of {start.name} .. {stop.name} ({start.address:#x} .. {stop.address:#x}), "
            f"between which `{home.text}` places its family"
        )
    return Problem(
        subject=first.name,
        message=_sentence(orphans, where),
        location=location,
        label=label,
        related=related,
        facts=tuple(facts),
        witness=first.name,
        help=_help(_names(orphans), home, view.arch, bracketed=bracket is not None),
        route=route,
        severity=_severity(orphans, home, view),
    )


def _shown_at(
    home: InputRule | None, section: str, behind: Landmark | None, view: ImageView
) -> tuple[Location | None, str, str, tuple[Related, ...]]:
    """Location, route, label and related places: at the statement for the family, else at what lies in front."""
    script = view.script
    if script is None:
        return None, "", "", ()
    in_front = script.declared(section) if section else behind.node if behind is not None else None
    label = "the orphan lies behind this"
    if home is not None:
        related = () if in_front is None or section else (Related(script.locate(in_front), label),)
        return script.locate(home.node), script.route(home.node), "does not take it", related
    if in_front is None:
        return None, "", "", ()
    return script.locate(in_front), script.route(in_front), label, ()


def _place(orphans: Sequence[_Orphan], behind: Landmark | None, ahead: Landmark | None, view: ImageView) -> str:
    first = orphans[0]
    count = f" ({counted(len(orphans), 'input section')})" if len(orphans) > 1 else ""
    said = [f"in the image: {first.name}{count} is at {first.address:#x}"]
    if behind is not None:
        said.append(f"behind {behind.name} ({behind.address:#x})")
    if ahead is not None:
        said.append(f"ahead of {ahead.name} ({ahead.address:#x})")
    segment = surroundings(view).segment(first.output)
    if segment is not None:
        said.append(f"in the segment {shown_segment(segment)}")
    return ", ".join(said)


def _help(names: Sequence[str], home: InputRule | None, arch: str, *, bracketed: bool) -> str:
    own = listed(names, joint="or")
    if home is None or home.section is None:
        return f"look at where {own} should be: a statement takes it there, or /DISCARD/ drops it"
    between = ", between the symbols that this one stands between" if bracketed else ""
    if any(needs_its_name(name, arch) and not name.startswith(home.output) for name in names):
        return f"give {own} an output section of its name{between}: the linker finds small data by that"
    return f"see that a statement of {home.output} takes {own}{between}"
