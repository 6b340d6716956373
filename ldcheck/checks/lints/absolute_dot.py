"""Location counters that are set to an address inside an output section.

## What it does
Reports, inside an output section, `. = number` where the number is an address and not a size, and `. = ORIGIN(R) +
LENGTH(R)` in a section that goes to that region.

## Why is this bad
Inside an output section GNU ld counts a number from the section's start: `. = 0x20004000` makes the section half a
gigabyte long, and it does not fit. lld takes the address. And a section that is filled up to the end of its region
takes all that is left of it: nothing that comes behind fits, the region is reported as full whatever the program needs,
and with one input that has bytes all of it gets into the image.

## Example
    MEMORY { RAM : ORIGIN = 0x20000000, LENGTH = 16K }
    SECTIONS { .heap : { end = .; *(.heap) . = ORIGIN(RAM) + LENGTH(RAM); limit = .; } > RAM }

## Use instead
    MEMORY { RAM : ORIGIN = 0x20000000, LENGTH = 16K }
    SECTIONS { .heap : { end = .; *(.heap) } > RAM limit = ORIGIN(RAM) + LENGTH(RAM); }

## Limits
A note where the section has no input of its own, and is made to fill the region. A number is taken for an address if
the region is not that large; without a region, if the section cannot start below 64K and the number is no less than its
start.

## References
GNU ld manual, "The Location Counter", "Expression Section".
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.linker import only_lld
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.linear import linear
from ldcheck.script.syntax import Assignment, InputSectionDescription, Number, OutputSection
from ldcheck.sections.rules import flat

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Location counters that are set to an address in an output section."),
    evidence=(EvidenceKind.SCRIPT,),
)

# A section that starts from here on may be smaller than its address is high.
_HIGH = 1 << 16


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each location counter that is set to an address."""
    if only_lld(view.linkers):
        return Judgement(Standing.ABSENT, reason="lld takes such numbers for addresses")
    problems = tuple(
        problem
        for sections in view.output_sections.values()
        for section in sections
        for problem in _in_section(section, view)
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _in_section(section: OutputSection, view: ScriptView) -> Iterator[Problem]:
    for node in flat(section.statements):
        if isinstance(node, Assignment) and node.target.text == "." and node.operator == "=":
            if (number := view.layout.offset(node)) is not None and number.value is not None:
                yield from _number(node, number.value, section, view)
            elif _fills(node, section, view):
                yield _filled(node, section, view)


def _number(node: Assignment, number: int, section: OutputSection, view: ScriptView) -> Iterator[Problem]:
    region = view.named_regions.get(section.region.text) if section.region is not None else None
    start = view.layout.before(section.statements[0])
    name = section.name.text
    if region is not None and number > region[1] and section.region is not None:
        message = f"{name} is to be {number:#x} bytes long, and {section.region.text} has {region[1]:#x}"
        severity = Severity.ERROR
    elif region is None and start is not None and _HIGH <= start.low <= number:
        message = f"GNU ld makes {name} {number:#x} bytes long, where lld goes on to the address {number:#x}"
        severity = Severity.WARNING
    else:
        return
    shown = node.value.text if isinstance(node.value, Number) else f"{number:#x}"
    yield view.problem(
        node,
        name,
        message,
        at=node.value,
        label="counts from the start of the section",
        help=f"write `. = ABSOLUTE({shown});` if it is an address, else the size",
        severity=severity,
    )


def _fills(node: Assignment, section: OutputSection, view: ScriptView) -> bool:
    """Whether the location counter is set to the end of the section's region."""
    if section.region is None:
        return False
    name = section.region.text
    parts = linear(node.value)
    if parts is not None and parts.parts == {f"ORIGIN({name})": 1, f"LENGTH({name})": 1}:
        return parts.number == 0
    region, after = view.named_regions.get(name), view.layout.after(node)
    return region is not None and after is not None and after.value == region[0] + region[1]


def _filled(node: Assignment, section: OutputSection, view: ScriptView) -> Problem:
    assert section.region is not None
    name, region = section.name.text, section.region.text
    inputs = any(isinstance(one, InputSectionDescription) for one in flat(section.statements))
    loads = inputs and not (section.type is not None and section.type.keyword == "NOLOAD")
    more = ", and with one input that has bytes all of it is in the image" if loads else ""
    return view.problem(
        node,
        name,
        f"{name} takes all that is left of {region}, whatever the program needs{more}",
        label="nothing fits behind it, and the region is always full",
        help=f"assign the end outside of the section: `limit = ORIGIN({region}) + LENGTH({region});`",
        severity=Severity.WARNING if inputs else Severity.NOTE,
    )
