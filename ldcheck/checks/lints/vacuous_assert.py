"""ASSERTs that cannot fail, whatever is linked.

## What it does
Reports an ASSERT that GNU ld finds true in every link although what it speaks of is not decided: one inside an output
section that is true of offsets and not of addresses, and one that compares with `>= 0`. Warns of an alignment test of
an offset in a section that may start unaligned.

## Why is this bad
Inside an output section `.` and the section's symbols count from the section's start in GNU ld: at the start,
`ASSERT(!(. & 0xfff), ...)` tests 0, wherever the section is. lld takes the address. And numbers have no sign:
`end - start >= 0` is true of every number. Each side of `||` is a condition of its own, and every number but 0 is true.
An ASSERT that cannot fail is worse than none.

## Example
    .stack : { stack_low = .; *(.stack) ASSERT(!(stack_low & 0xfff), "unaligned"); }

## Use instead
    .stack : { stack_low = .; *(.stack) ASSERT(!(ABSOLUTE(stack_low) & 0xfff), "unaligned"); }

## Limits
An ASSERT is reported because it is proved to be true, not for its looks: what compares two places, the size of a
section with a number, or a place with another section's, means the same either way. That a script itself sees to what
it asserts is no fault. In a script that was preprocessed, a number beside `||` may be an option, and is left alone.

## References
GNU ld manual, "Expression Section", "Builtin Functions" (ABSOLUTE).
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.layout.result import AssertionFact, Truth
from ldcheck.linker import GNU, only_lld
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.expressions import constant
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Binary,
    Call,
    Expression,
    Name,
    Node,
    Number,
    OutputSection,
    Unary,
    Word,
    children,
    statements,
    walk,
)

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "ASSERTs that cannot fail."),
    evidence=(EvidenceKind.SCRIPT,),
)

# Functions whose value does not count from the start of a section.
_ABSOLUTE = frozenset({"ABSOLUTE", "LOADADDR", "SIZEOF", "ALIGNOF", "DEFINED", "ALIGN"})


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each ASSERT that cannot fail, or looks at an offset where an address is meant."""
    sections = _sections(view)
    by_address = only_lld(view.linkers)
    problems = tuple(
        problem
        for fact in view.layout_by(GNU).assertions()
        # What GNU ld takes for an offset is an address to lld.
        if not (by_address and fact.as_addresses not in (None, fact.truth))
        if (problem := _judge(fact, sections.get((fact.node.start, fact.node.end)), view)) is not None
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _sections(view: ScriptView) -> dict[tuple[int, int], OutputSection]:
    """The output sections that ASSERTs stand in, by the places of these, also of those that are assigned."""
    found = {}
    for section in (section for sections in view.output_sections.values() for section in sections):
        for node in statements(section):
            if isinstance(node, Assertion):
                found[node.start, node.end] = section
            elif isinstance(node, Assignment) and isinstance(node.value, Call) and node.value.function == "ASSERT":
                found[node.value.start, node.value.end] = section
    return found


def _judge(fact: AssertionFact, section: OutputSection | None, view: ScriptView) -> Problem | None:
    node = fact.node
    unsigned = next((part for part in walk(node.condition) if _is_never_negative(part)), None)
    if unsigned is not None:
        return view.problem(
            node,
            node.message.text,
            "this comparison is true of every number: they have no sign",
            at=unsigned,
            label="always true",
            help="compare the two sides with each other, as in `end >= start`",
            severity=Severity.ERROR,
        )
    number = None if _is_preprocessed(node, view) else next(_alternatives(node.condition), None)
    if number is not None:
        shown = view.sources.text(number.start, number.end)
        return view.problem(
            node,
            node.message.text,
            f"`{shown}` is true by itself: what is on the other side of `||` does not count",
            at=number,
            label="always true",
            help=f"write out what is to be {shown}, as in `x == 1 || x == 2`, or take the ASSERT out",
            # Who writes 1 wants to be rid of the ASSERT.
            severity=Severity.WARNING if constant(number) == 1 else Severity.ERROR,
        )
    if section is None:
        return None
    name = next(_relative(node.condition, _own_symbols(section, view)), "")
    if not name:
        return None
    beyond = _beyond(node.condition, section, view)
    if beyond is not None:
        what = (
            f"this ASSERT cannot fail: `{name}` counts from the start of {section.name.text}, "
            f"which {beyond} does not let be that large"
        )
        severity = Severity.ERROR
    elif fact.truth is Truth.TRUE and fact.as_addresses is not Truth.TRUE:
        what = f"this ASSERT cannot fail: `{name}` counts from the start of a section there, and is no address"
        severity = Severity.ERROR
    elif fact.truth is Truth.UNKNOWN and (step := _tested(node.condition, section, view)) is not None:
        what = (
            f"this ASSERT tests how far `{name}` is from the start of {section.name.text}, "
            f"which need not be a multiple of {step}"
        )
        severity = Severity.WARNING
    else:
        return None
    return view.problem(
        node,
        node.message.text,
        what,
        label="an offset in GNU ld, an address in lld",
        help=f"write `ABSOLUTE({name})`, or move the ASSERT out of the output section",
        severity=severity,
    )


def _alternatives(condition: Expression) -> Iterator[Expression]:
    """The numbers that make a condition true as one side of `||`, whatever the other side is."""
    if not isinstance(condition, Binary) or condition.operator not in ("||", "&&"):
        return
    sides = (condition.left, condition.right)
    if condition.operator == "||":
        yield from (
            one
            for one, other in (sides, sides[::-1])
            if not _is_condition(one) and constant(one) and constant(other) is None
        )
    for side in sides:
        yield from _alternatives(side)


def _is_condition(node: Expression) -> bool:
    """Whether a side of `||` is a comparison of its own, if one of numbers: a macro's value with what it should be."""
    return isinstance(node, Binary) and node.operator in ("==", "!=", "<", ">", "<=", ">=", "&&", "||")


def _is_preprocessed(node: Node, view: ScriptView) -> bool:
    return view.sources.find(node.start)[2] is not None


def _is_never_negative(node: Node) -> bool:
    if isinstance(node, Unary) and node.operator == "!":
        below = node.operand
        low, high = (below.left, below.right) if isinstance(below, Binary) and below.operator == "<" else (None, None)
        return isinstance(high, Number) and high.value == 0 and not isinstance(low, Number)
    if not isinstance(node, Binary):
        return False
    low, high = (node.right, node.left) if node.operator == ">=" else (node.left, node.right)
    zero = isinstance(low, Number) and low.value == 0
    return node.operator in (">=", "<=") and zero and not isinstance(high, Number)


def _own_symbols(section: OutputSection, view: ScriptView) -> set[str]:
    """What counts from the start of a section inside of it: the location counter, and what is assigned there only."""
    inside = [node for node in statements(section) if isinstance(node, Assignment) and not _is_absolute(node.value)]
    here = {id(node) for node in inside}
    names = {node.target.text for node in inside}
    return {"."} | {name for name in names if all(id(node) in here for node in view.assignments[name])}


def _is_absolute(value: Expression) -> bool:
    return isinstance(value, Call) and value.function in ("ABSOLUTE", "LOADADDR", "ASSERT")


def _relative(condition: Expression, own: set[str]) -> Iterator[str]:
    """The names in a condition that stand for an offset."""
    pending: list[Node] = [condition]
    while pending:
        node = pending.pop()
        if isinstance(node, Name) and node.name in own:
            yield node.name
        elif isinstance(node, Call) and node.function == "ADDR" and isinstance(node.arguments[0], Word):
            yield f"ADDR({node.arguments[0].text})"
        elif not (isinstance(node, Call) and node.function in _ABSOLUTE):
            pending.extend(reversed(list(children(node))))


def _beyond(condition: Expression, section: OutputSection, view: ScriptView) -> str | None:
    """The region of a section, if the condition limits an offset to more than all of it, as if it were an address."""
    if section.region is None or section.region.text not in view.named_regions or not isinstance(condition, Binary):
        return None
    length = view.named_regions[section.region.text][1]
    low, high = condition.left, condition.right
    if condition.operator in (">", ">="):
        low, high = high, low
    elif condition.operator not in ("<", "<="):
        return None
    limit = constant(high)
    offset = isinstance(low, Name) and low.name in _own_symbols(section, view)
    return section.region.text if offset and limit is not None and limit > length else None


def _tested(condition: Expression, section: OutputSection, view: ScriptView) -> int | None:
    """The alignment for which an offset is tested, unless the section starts at a multiple of it anyway."""
    start = view.layout_by(GNU).before(section.statements[0])
    own = _own_symbols(section, view)
    cache: dict[int, int | None] = {}
    for part in walk(condition):
        if not isinstance(part, Binary) or part.operator not in ("&", "%"):
            continue
        for one, other in ((part.left, part.right), (part.right, part.left)):
            value = constant(other, cache)
            step = None if value is None else value + 1 if part.operator == "&" else value
            alone = isinstance(one, Name) and one.name in own
            if alone and step and step > 1 and step & (step - 1) == 0 and not (start and start.aligned_to(step)):
                return step
    return None
