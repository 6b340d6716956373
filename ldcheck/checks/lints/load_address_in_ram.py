"""Initialised data and code that is loaded to RAM, in an image whose other data is loaded from ROM.

## What it does
In an image whose start-up code copies data from where it is loaded (`AT>`), reports a section with content whose load
address is in RAM: one with neither `AT>` nor (NOLOAD), in a region of its own.

## Why is this bad
Nothing is at that address when the device starts: the initial values are never there. objcopy -O binary fills the gap
between ROM and RAM, and the .bin has hundreds of megabytes.

## Example
    MEMORY
    {
      F (rx) : ORIGIN = 0, LENGTH = 64K
      R (rw) : ORIGIN = 0x20000000, LENGTH = 16K
      K (rw) : ORIGIN = 0x30000000, LENGTH = 4K
    }
    SECTIONS
    {
      .text : { *(.text .text.*) } > F
      .data : { *(.data .data.*) } > R AT> F
      .kept : { *(.data.kept) } > K
    }

## Use instead
    MEMORY
    {
      F (rx) : ORIGIN = 0, LENGTH = 64K
      R (rw) : ORIGIN = 0x20000000, LENGTH = 16K
      K (rw) : ORIGIN = 0x30000000, LENGTH = 4K
    }
    SECTIONS
    {
      .text : { *(.text .text.*) } > F
      .data : { *(.data .data.*) } > R AT> F
      .kept (NOLOAD) : { *(.data.kept) } > K
    }

## Limits
An image of which nothing is copied is loaded to RAM as a whole, and not judged; nor is the region that it begins in.
GNU ld gives a section without a load address that of the section in front of it in its region, so that only the first
one of a region needs `AT>`. Which regions are RAM, the image tells by what is copied or zeroed there, the script by
their attributes and names; for code, by both.

## References
GNU ld manual, "Output Section LMA".
"""

from __future__ import annotations

import re

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.loading import Loaded, Use, loaded, regions_of
from ldcheck.judging.overlays import at_header, overlay_of
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Data, OutputSection
from ldcheck.sections.families import Family, project_family_of
from ldcheck.words import counted

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Initialised data and code that is loaded to RAM."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
)

# Parts of the names of sections that have no content.
_EMPTY = ("bss", "noinit", "no_init", "uninit", "heap", "stack", "noload", "zero")


# Parts of the names of sections that are code, which always has content.
_CODE = re.compile(r"code|func|text(?!ure)", re.IGNORECASE)


_EMPTY_ADVICE = ", or `(NOLOAD)` if it has no initial values"
# What lies as near to data that is copied is in the same memory.
_NEAR = 64 << 10


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for each section that is loaded to RAM as soon as an object gives it content."""
    regions = regions_of(view)
    sources = {use.load_region for use in regions.uses if use.load_region and use.load_region != use.region}
    copied = {use.region for use in regions.uses if use.load_region and use.load_region != use.region}
    problems: list[Problem] = []
    # What the script begins with runs first, and where that is loaded to RAM, a loader does it.
    begins = regions.uses[0].region if regions.uses else ""
    seen: set[str] = set()
    for use in regions.uses:
        if use.region == begins:
            continue
        first = use.region not in seen
        seen.add(use.region)
        if not sources or not use.region or use.region in sources or use.has_own_load_address or use.is_unloaded:
            continue
        # Where a region of that name is, nobody knows, and its being missing is another finding.
        if view.memory and use.region not in view.memory:
            continue
        # What is not the first in its region has the load address of what is in front of it, and so on.
        if (first or not copied & {use.region}) and regions.is_memory(use.region) and _is_initialised(use, view):
            problems.append(_likely(use, sources, view))
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, tuple(problems))


def _is_initialised(use: Use, view: ScriptView) -> bool:
    """Whether sections that it takes have content, as far as names tell."""
    names = [rule.names.text for rule in view.rules if rule.section is use.section]
    if any(word in name.lower() for name in [use.section.name.text, *names] for word in _EMPTY):
        return False
    return any(
        project_family_of(name) in (Family.CODE, Family.CONSTANT, Family.DATA) or _CODE.search(name) for name in names
    ) or any(isinstance(node, Data) for node in use.section.statements)


def _likely(use: Use, sources: set[str], view: ScriptView) -> Problem:
    name = use.section.name.text
    source = min(sources)
    code = any(_CODE.search(rule.names.text) for rule in view.rules if rule.section is use.section)
    return view.problem(
        use.section,
        name,
        f"{name} is loaded to {use.region}, and not from {source}, as soon as an object has content for it",
        at=use.section.region,
        label="no AT> and no (NOLOAD)",
        help=_advice(f"AT> {source}", use.section, view, may_be_empty=not code),
        severity=Severity.WARNING,
    )


def _advice(region: str, section: OutputSection, view: ScriptView, *, may_be_empty: bool) -> str:
    if overlay_of(section, view) is not None:
        return f"give {at_header(section, view)} `{region}`, and copy it"
    return f"write `{region}` and copy it{_EMPTY_ADVICE if may_be_empty else ''}"


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED with a problem for each section that is loaded to RAM."""
    if view.elf is None or view.script is None:
        missing = "no ELF, give --elf" if view.elf is None else "no script, whose memory regions tell what is RAM"
        return Judgement(Standing.UNKNOWN, reason=missing)
    regions = regions_of(view.script)
    content = loaded(view)
    copied = [one for one in content if one.is_copied]
    sources = {use.load_region for use in regions.uses if use.load_region and use.load_region != use.region}
    sources |= {regions.holding(one.load) for one in copied} - {""}
    written = {regions.holding(one.section.address) for one in copied}
    written |= {
        regions.holding(one.address)
        for one in view.elf.sections
        if one.allocated and one.size and not one.occupies_file
    }
    sources.discard("")
    begins = regions.holding(view.elf.entry)
    spans = _written(view, copied)
    problems = []
    for one in content if sources or spans else ():
        region = regions.holding(one.load)
        if region:
            # What is only read may be in another flash, whatever the attributes of that say.
            in_memory = regions.is_memory(region) if one.section.writable else regions.is_volatile(region)
            in_ram = region in written or in_memory
        else:
            in_ram = any(low <= one.load < high for low, high in spans)
        is_source = region in sources or (region and region == begins)
        if not one.is_copied and in_ram and not is_source:
            problems.append(_problem(one, content, region, view))
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _written(view: ImageView, copied: list[Loaded]) -> list[tuple[int, int]]:
    """The addresses that data is copied to or zeroed at, from the first to the last, where no region tells of them."""
    assert view.elf is not None
    if not copied:
        return []
    low = min(one.section.address for one in copied)
    high = max(one.section.end for one in copied)
    zeroed = [
        one
        for one in view.elf.sections
        if one.allocated and one.size and not one.occupies_file and low <= one.address < high + _NEAR
    ]
    return [(low, max([high, *(one.end for one in zeroed)]) + _NEAR)]


def _problem(one: Loaded, content: list[Loaded], region: str, view: ImageView) -> Problem:
    low, high = min(other.load for other in content), max(other.load_end for other in content)
    node = view.script.declared(one.name) if view.script is not None else None
    size = counted(one.section.size, "byte")
    return view.problem(
        one.name,
        one.name,
        f"{one.name} ({size}) is loaded to {region or 'RAM'}, where nothing is when the device starts",
        label="no AT> and no (NOLOAD)" if isinstance(node, OutputSection) else "",
        facts=(
            f"in the image: {one.name} has the load address {one.load:#x}",
            f"objcopy -O binary writes {counted(high - low, 'byte')}, from {low:#x} to {high:#x}",
        ),
        help=_advice("AT>", node, view.script, may_be_empty=one.section.writable)
        if isinstance(node, OutputSection) and view.script is not None
        else f"see that a statement takes {one.name}, in an output section that is loaded elsewhere and copied",
    )
