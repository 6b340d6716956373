"""ASSERTs in an output section that look at an offset and not at the address.

## What it does
Reports an ASSERT inside an output section whose condition uses the location counter, or a symbol assigned from it in
the same section, in an alignment test or a comparison with a number, without ABSOLUTE().

## Why is this bad
Inside an output section `.` counts from the section's start in GNU ld: `ASSERT(!(. & 7), ...)` tests the offset, and
holds wherever the section is. lld takes the address. An ASSERT that cannot fail is worse than none.

## Example
    .text : { *(.text) ASSERT(!(. & 0xfff), "unaligned"); }

## Use instead
    .text : { *(.text) ASSERT(!(ABSOLUTE(.) & 0xfff), "unaligned"); }

## Limits
A difference (`end - start`) means the same either way and is not reported, nor is a comparison with a place in another
section, which GNU ld makes in addresses.

## References
GNU ld manual, "Expression Section", "Builtin Functions" (ABSOLUTE).
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.subjects import marks_a_place
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.environment import Environment
from ldcheck.script.expressions import evaluate
from ldcheck.script.syntax import Assertion, Binary, Call, Expression, Name, Node, OutputSection, Word, children, walk

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "ASSERTs that look at an offset and not at the address."),
    evidence=(EvidenceKind.SCRIPT,),
)

_COMPARING = ("-", "<", ">", "<=", ">=", "==", "!=")
# Functions whose value does not depend on what their operand is relative to.
_ABSOLUTE = frozenset({"ABSOLUTE", "ADDR", "LOADADDR", "SIZEOF", "ALIGNOF", "DEFINED"})


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each such ASSERT."""
    problems = tuple(
        view.problem(
            node,
            node.message.text,
            f"this ASSERT looks at `{name}` as an offset in {section.name.text}, not as an address",
            label="counts from the section's start in GNU ld",
            help=f"write `ABSOLUTE({name})`, or move the ASSERT out of the output section",
        )
        for section, node in _assertions(view)
        for name in _relative(node.condition, _own_symbols(section, view), _places(view))
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _assertions(view: ScriptView) -> Iterator[tuple[OutputSection, Assertion]]:
    for sections in view.output_sections.values():
        for section in sections:
            for node in section.statements:
                # From address 0 on, an offset is an address.
                if isinstance(node, Assertion) and not _at_zero(section):
                    yield section, node


def _at_zero(section: OutputSection) -> bool:
    return section.address is not None and evaluate(section.address, Environment()).number == 0


def _places(view: ScriptView) -> set[str]:
    """The symbols that are assigned from the location counter, anywhere."""
    return {name for name, nodes in view.assignments.items() if any(marks_a_place(node) for node in nodes)}


def _own_symbols(section: OutputSection, view: ScriptView) -> set[str]:
    return {
        name
        for name, nodes in view.assignments.items()
        if name == "."
        or any(section.body_start < node.start < section.body_end and marks_a_place(node) for node in nodes)
    }


def _relative(condition: Expression, own: set[str], places: set[str]) -> Iterator[str]:
    """The first name that is taken as an offset where an address is meant."""
    pending: list[Node] = [condition]
    while pending:
        node = pending.pop()
        if isinstance(node, Name) and node.name in own | {"."}:
            yield node.name
            return
        if isinstance(node, Call) and node.function in _ABSOLUTE:
            continue
        if isinstance(node, Binary) and (_difference(node, own) or _meets(node, places - own)):
            continue
        pending.extend(part for part in children(node) if not isinstance(part, Word))


def _meets(node: Binary, elsewhere: set[str]) -> bool:
    """Whether a side is a place of another section: GNU ld then makes addresses of both."""
    if node.operator not in _COMPARING:
        return False
    return any(
        (isinstance(part, Name) and part.name in elsewhere) or (isinstance(part, Call) and part.function == "ADDR")
        for side in (node.left, node.right)
        for part in walk(side)
    )


def _difference(node: Binary, own: set[str]) -> bool:
    """A comparison or difference of two places of the same section, which does not depend on where that is."""
    sides = (node.left, node.right)
    places = [side for side in sides if isinstance(side, Name) and side.name in own | {"."}]
    return len(places) == 2 and node.operator in _COMPARING
