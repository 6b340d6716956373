"""Symbols that are to mark where a section starts, and are in another memory region.

## What it does
Reports a symbol that takes the location counter ahead of an output section which goes into a memory region, where the
location counter is not in that region: ahead of all sections it is 0, and else it is where the region of the section
before was left. It reports symbols that have an end symbol behind the section (`_sdata = .; ... _edata = .;`), and any
symbol that is 0.

## Why is this bad
The start of a region is not where the location counter is: GNU ld and lld go there when the section comes. Start-up
code that copies or clears from the one symbol to the other begins in the flash, and its length is that of half the
address space.

## Example
    MEMORY
    {
      FLASH (rx) : ORIGIN = 0x8000000, LENGTH = 64K
      RAM (rw) : ORIGIN = 0x20000000, LENGTH = 16K
    }
    SECTIONS
    {
      .text : { *(.text .text.*) } > FLASH
      _sdata = .;
      .data : { *(.data .data.*) } > RAM AT> FLASH
      _edata = .;
    }

## Use instead
    MEMORY
    {
      FLASH (rx) : ORIGIN = 0x8000000, LENGTH = 64K
      RAM (rw) : ORIGIN = 0x20000000, LENGTH = 16K
    }
    SECTIONS
    {
      .text : { *(.text .text.*) } > FLASH
      .data : { _sdata = .; *(.data .data.*) _edata = .; } > RAM AT> FLASH
    }

## Limits
Only addresses that are known as numbers tell: regions whose ORIGIN hangs on symbols do not. A symbol for the place
where the section is loaded from belongs there, and is told by its end: that has to be behind the section.

## References
GNU ld manual, "Output Section Region".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.layout.facts import Known
from ldcheck.layout.flow import flow
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.marks import is_start_to_end, marks_a_place
from ldcheck.script.syntax import Assertion, Assignment, Node, OutputSection
from ldcheck.sections.rules import flat
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Symbols that are to mark where a section starts, and are in another memory region."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each symbol that cannot be where the section behind it starts."""
    items = [node for node, _ in flow(view.tree).items]
    problems = [problem for at in range(len(items)) for problem in _outside(items, at, view)]
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _outside(items: Sequence[Node], at: int, view: ScriptView) -> Iterator[Problem]:
    mark = items[at]
    if not isinstance(mark, Assignment) or mark.target.text == "." or not marks_a_place(mark):
        return
    then = next((after for after in range(at + 1, len(items)) if not _is_passed(items[after])), len(items))
    section = items[then] if then < len(items) else None
    if not isinstance(section, OutputSection) or section.region is None or section.address is not None:
        return
    place = view.usual_layout.value(mark)
    start = next((fact.start for fact in view.usual_layout.sections if fact.node is section), None)
    if place is None or start is None or not _are_apart(place, start):
        return
    name, region = mark.target.text, section.region.text
    if place.value == 0:
        message = (
            f"{name} is 0: nothing ahead of it sets the location counter, and {section.name.text} starts in {region}"
        )
        end = None
    else:
        end = _end(mark, section, items[then + 1 :], start, view)
        if end is None:
            return
        message = f"{name} is not where {section.name.text} starts: the location counter is not in {region} yet"
    ends = () if end is None else (Related(view.locate(end), f"{end.target.text} is"),)
    yield view.problem(
        mark,
        name,
        message,
        label=f"is {place}",
        related=(Related(view.locate(section), f"its start: {start}"), *ends),
        help=f"look at whether {name} is to stand first in {section.name.text}, or to be ADDR({section.name.text})",
        severity=Severity.WARNING,
    )


def _is_passed(node: Node) -> bool:
    """Whether a statement leaves the location counter where it is."""
    return isinstance(node, Assertion) or (isinstance(node, Assignment) and node.target.text != ".")


def _are_apart(one: Known, other: Known) -> bool:
    """Whether two addresses differ, by their numbers."""
    return one.number.high < other.number.low or other.number.high < one.number.low


def _end(
    mark: Assignment, section: OutputSection, behind: Sequence[Node], start: Known, view: ScriptView
) -> Assignment | None:
    """The symbol at the end of what a symbol begins: in the section or behind it, and not ahead of its start."""
    for node in (*flat(section.statements), *behind):
        if isinstance(node, Assignment) and is_start_to_end(mark, node):
            place = view.usual_layout.value(node)
            return node if place is not None and place.number.low >= start.number.low else None
    return None
