"""Load addresses that no region checks.

## What it does
Reports output sections that go to a memory region and are loaded from an address that depends on what is linked
(`AT(_etext)`) in place of a region (`AT>`), where no ASSERT of the script speaks of their size, by SIZEOF() or by the
symbols at both ends, and no section reserves room of that size.

## Why is this bad
`AT> FLASH` counts the bytes against FLASH, and the link fails when it is full. `AT(expression)` escapes that: as soon
as code and initial values together are larger than the flash, the values end up behind its end, and the board boots
with garbage in .data.

## Example
    .text : { *(.text) _etext = .; } > FLASH
    .data : AT(_etext) { *(.data) } > RAM

## Use instead
    .text : { *(.text) _etext = .; } > FLASH
    .data : { *(.data) } > RAM AT> FLASH

## Limits
A load address that is a number, or at a fixed distance from the section's own address or written as that is, is left
alone: the region checks that, as it does what is loaded from a place ahead in the region that it runs in. So are
sections without bytes to load. Whether an ASSERT on the section's size bounds it
well is not looked at.

## References
GNU ld manual, "Output Section LMA".
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.findings import EvidenceKind, Judgement, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.loading import region_at, regions_of
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.marks import marks_a_place
from ldcheck.script.syntax import (
    Assertion,
    Binary,
    Call,
    Data,
    Expression,
    InputSectionDescription,
    Name,
    OutputSection,
    Word,
    walk,
)
from ldcheck.sections.families import Family, project_family_of
from ldcheck.sections.rules import flat
from ldcheck.source import Related
from ldcheck.words import listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Load addresses that no region checks."),
    evidence=(EvidenceKind.SCRIPT,),
)

_NO_BYTES = frozenset(("NOLOAD", "DSECT", "COPY", "INFO", "OVERLAY"))


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with one problem for all load addresses that nothing checks."""
    unchecked = list(_unchecked(view))
    if not unchecked:
        return Judgement(Standing.HOLDS)
    first = unchecked[0]
    names = listed([node.name.text for node in unchecked], most=4)
    verb = "fits" if len(unchecked) == 1 else "fit"
    address = "the load address" if len(unchecked) == 1 else "the load addresses"
    problem = view.problem(
        first,
        first.name.text,
        f"nothing checks that {names} {verb} where {'it is' if len(unchecked) == 1 else 'they are'} loaded: "
        "the link succeeds with more bytes than there are",
        at=first.load_address,
        label="AT() escapes the region's overflow check",
        related=(Related(view.locate(node.load_address or node), "so does this") for node in unchecked[1:]),
        help=f"name the region in place of {address}{_region(first, view)}, or ASSERT that it ends within",
        severity=Severity.WARNING,
    )
    return Judgement(Standing.REFUTED, (problem,))


def _region(node: OutputSection, view: ScriptView) -> str:
    """The region in which a load address lies, if it is a symbol from there, as an advice in brackets."""
    if not isinstance(node.load_address, Name):
        return ""
    assigned = view.assignments.get(node.load_address.name, ())
    ahead = view.statements[: view.positions[id(assigned[0])]] if assigned else ()
    regions = [one.region.text for one in ahead if isinstance(one, OutputSection) and one.region is not None]
    return f" (`AT> {regions[-1]}`)" if regions else ""


def _unchecked(view: ScriptView) -> Iterator[OutputSection]:
    bounded = _bounded(view)
    for node in view.statements:
        if not isinstance(node, OutputSection) or node.region is None or node.load_address is None:
            continue
        load = view.layout.load_address(node.name.text)
        fixed = load is not None and (load.value is not None or view.layout.load_distance(node.name.text) is not None)
        if fixed or not _has_bytes(node) or node.name.text in bounded:
            continue
        if not _is_address(node) and not _is_at_home(node, bounded, view):
            yield node


def _is_address(node: OutputSection) -> bool:
    """Whether the load address is written as the address is, by the same symbols: the region then checks both."""
    load = node.load_address
    if isinstance(load, Call) and load.function == "ADDR":
        return any(isinstance(one, Word) and one.text == node.name.text for one in load.arguments)
    if node.address is None or load is None:
        return False
    from ldcheck.script.printer import print_expression

    dotless = not any(isinstance(part, Name) and part.name == "." for part in walk(node.address))
    return dotless and print_expression(node.address) == print_expression(load)


def _is_at_home(node: OutputSection, bounded: set[str], view: ScriptView) -> bool:
    """Whether a section is loaded to the region that it runs in, from a place ahead of it, which its address is behind.

    Between that place and the section lies room for the sections whose sizes are added.
    """
    assert node.load_address is not None
    homes: set[str] = set()
    seen: set[str] = set()
    pending: list[Expression] = [node.load_address]
    while pending:
        part = pending.pop()
        if isinstance(part, Binary) and part.operator == "+":
            pending += [part.left, part.right]
        elif isinstance(part, Call) and part.function == "SIZEOF":
            if any(isinstance(one, Word) and one.text not in bounded for one in part.arguments):
                return False
        elif isinstance(part, Name) and part.name not in seen:
            seen.add(part.name)
            assigned = view.assignments.get(part.name, ())
            if len(assigned) != 1 or view.positions[id(assigned[0])] > view.positions[id(node)]:
                return False
            if marks_a_place(assigned[0]):
                homes.add(region_at(assigned[0], view))
            else:
                pending.append(assigned[0].value)
        else:
            return False
    return homes == {regions_of(view).named(node.region)}


def _has_bytes(node: OutputSection) -> bool:
    """Whether an output section has anything to load."""
    if node.type is not None and node.type.keyword in _NO_BYTES:
        return False
    body = list(flat(node.statements))
    names = [
        pattern.pattern.text
        for part in body
        if isinstance(part, InputSectionDescription)
        for pattern in part.patterns or ()
    ]
    return any(isinstance(part, Data) for part in body) or any(
        project_family_of(name) is not Family.ZERO for name in names
    )


def _bounded(view: ScriptView) -> set[str]:
    """The sections of whose size or load address ASSERTs speak, and those for which room is reserved."""
    found: set[str] = set()
    told: set[str] = set()
    pending = [fact.node.condition for fact in view.layout.assertions() if isinstance(fact.node, Assertion)]
    while pending:
        expression = pending.pop()
        found |= _sections(expression, view)
        for part in walk(expression):
            if isinstance(part, Name) and part.name not in told and part.name != ".":
                told.add(part.name)
                pending += [node.value for node in view.assignments.get(part.name, ())]
    for node in view.assignments.get(".", ()):
        # Room of the size of what is loaded there, in a section whose region overflows.
        room = view.enclosing.get(id(node))
        if room is not None and room.region is not None:
            found |= _sections(node.value, view) - {room.name.text}
    return found


def _sections(expression: Expression, view: ScriptView) -> set[str]:
    """The sections whose size or load address goes into an expression: by its name, or by the symbols around it."""
    found = {
        argument.text
        for part in walk(expression)
        if isinstance(part, Call) and part.function in ("SIZEOF", "LOADADDR")
        for argument in part.arguments
        if isinstance(argument, Word)
    }
    for part in walk(expression):
        if isinstance(part, Binary) and part.operator == "-":
            found |= _between(part.right, part.left, view)
    return found


def _between(start: Expression, end: Expression, view: ScriptView) -> set[str]:
    """The sections from one symbol to another, if all of them have a load address of their own."""
    places = [view.assignments.get(one.name, ()) if isinstance(one, Name) else () for one in (start, end)]
    if not all(len(nodes) == 1 and marks_a_place(nodes[0]) for nodes in places):
        return set()
    (first,), (last,) = places
    low = view.positions[id(view.enclosing.get(id(first), first))]
    sections = [one for one in view.statements[low : view.positions[id(last)]] if isinstance(one, OutputSection)]
    return {one.name.text for one in sections} if all(one.load_address is not None for one in sections) else set()
