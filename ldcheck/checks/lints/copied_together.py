"""Sections that are copied in one go, although their load addresses are not in step with their addresses.

## What it does
Looks at neighbours in one memory region that are loaded from another (`> R AT> F`). If only the first of them has a
symbol with its load address, the others are copied along with it; that is right only if load addresses are as far
apart as addresses.

## Why is this bad
ld aligns the address of a section as its inputs want it, and not its load address. From the second section on, the
copy is shifted by the padding.

## Example
    MEMORY { F (rx) : ORIGIN = 0x1000, LENGTH = 4K R (rw) : ORIGIN = 0x11000, LENGTH = 4K }
    SECTIONS
    {
      .text : { *(.text .text.*) } > F
      .ramro : { to = .; *(.ramro) } > R AT> F
      .data : { *(.data .data.*) to_end = .; } > R AT> F
      from = LOADADDR(.ramro);
    }

## Use instead
    MEMORY { F (rx) : ORIGIN = 0x1000, LENGTH = 4K R (rw) : ORIGIN = 0x11000, LENGTH = 4K }
    SECTIONS
    {
      .text : { *(.text .text.*) } > F
      .ramro : { to = .; *(.ramro) } > R AT> F
      .data : ALIGN_WITH_INPUT { *(.data .data.*) to_end = .; } > R AT> F
      from = LOADADDR(.ramro);
    }

## Limits
From the script it is noted; an image in which the distances differ makes it an error. Sections that are empty in the
image are passed over; where the first one is, and no symbol is at both addresses of the next, the image does not tell.
A section that has a source of its own, LOADADDR() or a symbol, is copied on its own, and so is each section of an
OVERLAY.

## References
GNU ld manual, "Forced Output Alignment" (ALIGN_WITH_INPUT), "Output Section LMA".
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.loading import Loaded, Use, loaded, regions_of
from ldcheck.judging.overlays import overlay_of
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Name, OutputSection
from ldcheck.sections.families import Family, family_of
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Sections that are copied in one go and loaded out of step."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
)

_ALONE = "copy it on its own from LOADADDR()"


def _help(section: OutputSection) -> str:
    """ALIGN_WITH_INPUT goes with a region, and with no alignment that the header itself asks for."""
    if section.align is not None or section.load_address is not None:
        return _ALONE
    return f"write `ALIGN_WITH_INPUT` in its header, or {_ALONE}"


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a note for each neighbour whose load address may be out of step."""
    problems = tuple(
        view.problem(
            other.section,
            other.section.name.text,
            f"{other.section.name.text} is copied with {one.section.name.text}, and need not be loaded in step with it",
            label="no ALIGN_WITH_INPUT",
            related=(Related(view.locate(one.section), "the copy starts with this one"),),
            help=_help(other.section),
            severity=Severity.NOTE,
        )
        for one, other in _neighbours(view)
        if not other.section.align_with_input and not _in_step(one, other, view)
    )
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, problems)


def _neighbours(view: ScriptView) -> Iterator[tuple[Use, Use]]:
    """Sections next to each other of one copy, of which the second may have content."""
    return ((one, other) for run in _runs(view) for one, other in pairwise(run) if _has_content(other, view))


def _runs(view: ScriptView) -> Iterator[list[Use]]:
    """Sections behind each other in one region and loaded from one other, of which the first alone has a source."""
    uses = [use for use in regions_of(view).uses if use.region]
    known = regions_of(view).sources if any(use.has_own_load_address for use in uses) else ()
    run: list[Use] = []
    for use in uses:
        # AT(symbol) loads a section where the symbol is.
        has_source = use.section.name.text in known or isinstance(use.load_address, Name)
        # What is in an OVERLAY is copied when it is wanted, one by one.
        is_alone = overlay_of(use.section, view) is not None
        if run and not has_source and not is_alone and _is_together(run[-1], use):
            run.append(use)
            continue
        yield run
        run = [use] if has_source and not is_alone else []
    yield run


def _is_together(one: Use, other: Use) -> bool:
    """Whether two sections run in one region, and are both loaded from elsewhere: one region, or by expressions."""
    if one.region != other.region or one.load_region == one.region:
        return False
    if one.load_address is not None and other.load_address is not None:
        return True
    return bool(one.load_region) and one.load_region == other.load_region


def _has_content(use: Use, view: ScriptView) -> bool:
    """Whether a section may be one that is loaded: by its type, and by the names that it takes."""
    families = [family_of(rule.names.text) for rule in view.rules if rule.section is use.section]
    return not use.is_unloaded and any(family is not Family.ZERO for family in families)


def _in_step(one: Use, other: Use, view: ScriptView) -> bool:
    distances = [view.layout.load_distance(use.section.name.text) for use in (one, other)]
    return distances[0] is not None and distances[0] == distances[1]


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED with a problem for each neighbour that is loaded out of step."""
    if view.elf is None or view.script is None:
        missing = "no ELF, give --elf" if view.elf is None else "no script, whose symbols tell what is copied"
        return Judgement(Standing.UNKNOWN, reason=missing)
    by_name = {one.name: one for one in loaded(view) if one.is_copied}
    if not by_name:
        return Judgement(Standing.HOLDS)
    addresses = {symbol.value for symbol in view.elf.symbols.values() if symbol.defined}
    problems: list[Problem] = []
    unknown = ""
    for run in _runs(view.script):
        names = [use.section.name.text for use in run]
        # What is empty in the link is padded neither where it runs nor where it is loaded.
        filled = [by_name[name] for name in names if name in by_name]
        problems += [
            _problem(one, other, view)
            for one, other in pairwise(filled)
            if one.distance != other.distance and other.load not in addresses
        ]
        first = filled[0] if filled else None
        if first and first.name != names[0] and not {first.load, first.section.address} <= addresses:
            unknown = f"the copy starts with {names[0]}, which is empty in the link"
    if problems:
        return Judgement(Standing.REFUTED, tuple(problems))
    return Judgement(Standing.UNKNOWN, reason=unknown) if unknown else Judgement(Standing.HOLDS)


def _problem(one: Loaded, other: Loaded, view: ImageView) -> Problem:
    at = view.declared_at(one.name)
    written = view.script.output_sections.get(other.name, ()) if view.script is not None else ()
    places = [f"{each.name} runs at {each.section.address:#x} and is loaded at {each.load:#x}" for each in (one, other)]
    return view.problem(
        other.name,
        other.name,
        f"{other.name} is copied with {one.name}, and is not loaded in step with it",
        label="out of step",
        related=(Related(at, "the copy starts with this one"),) if at is not None else (),
        facts=(f"in the image: {', '.join(places)}",),
        help=_help(written[0]) if written else _ALONE,
    )
