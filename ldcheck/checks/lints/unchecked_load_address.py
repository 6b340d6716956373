"""Load addresses that no region checks.

## What it does
Reports output sections that go to a memory region and are loaded from an address that depends on what is linked
(`AT(_etext)`) in place of a region (`AT>`), where no ASSERT of the script speaks of their size.

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
alone: the region checks that. So are sections without bytes to load. Whether an ASSERT on the section's size bounds it
well is not looked at.

## References
GNU ld manual, "Output Section LMA".
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.findings import EvidenceKind, Judgement, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Call,
    Data,
    InputSectionDescription,
    Name,
    Node,
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
        if not fixed and not _is_address(node) and _has_bytes(node) and node.name.text not in bounded:
            yield node


def _is_address(node: OutputSection) -> bool:
    """Whether the load address is written as the address is, by the same symbols: the region then checks both."""
    if node.address is None or node.load_address is None:
        return False
    from ldcheck.script.printer import print_expression

    dotless = not any(isinstance(part, Name) and part.name == "." for part in walk(node.address))
    return dotless and print_expression(node.address) == print_expression(node.load_address)


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
    """The sections of whose size or load address ASSERTs speak, also by symbols that are made of them."""
    made = {
        node.target.text: _sections(node.value)
        for nodes in view.assignments.values()
        for node in nodes
        if isinstance(node, Assignment)
    }
    found: set[str] = set()
    for fact in view.layout.assertions():
        assert isinstance(fact.node, Assertion)
        found |= _sections(fact.node.condition)
        for part in walk(fact.node.condition):
            if isinstance(part, Name):
                found |= made.get(part.name, set())
    return found


def _sections(expression: Node) -> set[str]:
    """The sections whose size or load address goes into an expression."""
    return {
        argument.text
        for part in walk(expression)
        if isinstance(part, Call) and part.function in ("SIZEOF", "LOADADDR")
        for argument in part.arguments
        if isinstance(argument, Word)
    }
