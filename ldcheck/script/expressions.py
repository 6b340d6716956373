"""The value of an expression, as GNU ld computes it (ldexp.c, `exp_fold_tree_1`).

A value is a number of 64 bits that wraps, and what it is relative to: an output section (then it is an offset from the
section's start), the absolute section, or nothing, if it is a plain number. Operators work on the number and not on the
address, so `!(. & 7)` in an output section looks at an offset. What the environment does not know makes a value
unknown, with the reason; an unknown operand does not spread where the result is the same whatever it is.

Where it is evaluated decides: outside of output sections (`section` is None) a number is absolute, inside it is plain.
"""

from __future__ import annotations

from collections.abc import Callable

from ldcheck.script.arithmetic import FORCED, MASK, OPERATORS, PLAIN_RESULT, align, divide
from ldcheck.script.environment import ABSOLUTE, SOMEWHERE, Environment, Value
from ldcheck.script.syntax import Binary, Call, Conditional, Expression, Name, Number, Unary, Word


def evaluate(expression: Expression, environment: Environment) -> Value:
    """The value of an expression of any depth. Never raises; what cannot be computed is unknown, with the reason."""
    value, _ = _Evaluation(environment).run(expression)
    return value


def absolute(value: Value, environment: Environment) -> Value:
    """The address that a value stands for (`make_abs`)."""
    if value.number is None:
        return Value(None, ABSOLUTE, value.reason)
    if value.section is None or value.section == ABSOLUTE:
        return Value(value.number, ABSOLUTE)
    base = environment.base(value.section)
    if base is None:
        return Value(None, ABSOLUTE, f"the address of {value.section} is unknown")
    return Value(value.number + base & MASK, ABSOLUTE)


def assigned(value: Value, environment: Environment) -> Value:
    """What a symbol becomes that the value is assigned to: a plain number is relative to where it stands."""
    if value.section is not None:
        return value
    return Value(value.number, environment.section or ABSOLUTE, value.reason)


def constant(expression: Expression, cache: dict[int, int | None] | None = None) -> int | None:
    """The number that GNU ld makes of the expression already while it reads; None if it does not (`exp_value_fold`).

    `cache` keeps the numbers of divisions by the `id` of their nodes, so that nested ones take no quadratic time.
    """
    value, literal = _Evaluation(Environment(), cache).run(expression)
    return value.number if literal else None


def while_reading(expression: Expression, regions: set[str]) -> str:
    """Why an expression that GNU ld wants to know while it reads the script is no constant; empty if it is one.

    `regions` are the memory regions that are known by then.
    """
    return evaluate(expression, _WhileReading(regions)).reason


class _WhileReading(Environment):
    """What GNU ld knows while it reads a script: next to nothing. Numbers that it knows are 1 here."""

    def __init__(self, regions: set[str]) -> None:
        self._regions = regions

    @property
    def dot(self) -> int | None:
        return 0

    def defined(self, name: str) -> bool | None:  # noqa: ARG002 - no name is defined yet
        return False

    def constant(self, name: str) -> int | None:
        return 1 if name in ("MAXPAGESIZE", "COMMONPAGESIZE") else None

    def origin(self, region: str) -> int | None:
        return 1 if region in self._regions else None

    length = origin


class _Evaluation:
    """One walk over an expression. Results are values, and whether each was a constant while ld read the script."""

    __slots__ = ("_cache", "_environment", "_outside")

    def __init__(self, environment: Environment, cache: dict[int, int | None] | None = None) -> None:
        self._environment = environment
        self._cache = cache
        self._outside = environment.section is None and not environment.sane

    def run(self, expression: Expression) -> tuple[Value, bool]:
        """The expression's value, operands first, on a stack instead of by recursion."""
        results: list[tuple[Value, bool]] = []
        pending: list[tuple[Expression, int]] = [(expression, 0)]
        while pending:
            node, step = pending.pop()
            if isinstance(node, Number):
                results.append((self._plain(node.value), True))
            elif isinstance(node, Name):
                results.append((self._name(node.name), False))
            elif isinstance(node, Conditional):
                self._conditional(node, step, pending, results)
            elif step == 0:
                if self._cache is not None and id(node) in self._cache:
                    number = self._cache[id(node)]
                    known = number is not None
                    results.append((self._plain(number) if number is not None else Value(None), known))
                    continue
                pending.append((node, 1))
                pending.extend((operand, 0) for operand in reversed(_operands(node)))
            else:
                count = len(_operands(node))
                operands = results[len(results) - count :]
                del results[len(results) - count :]
                result = self._apply(node, operands)
                if self._cache is not None and isinstance(node, Binary):
                    self._cache[id(node)] = result[0].number if result[1] else None
                results.append(result)
        return results.pop()

    def _plain(self, number: int) -> Value:
        """A number as written."""
        return Value(number & MASK, ABSOLUTE if self._outside else None)

    def _from_absolute(self, address: int | None, reason: str) -> Value:
        """An address as a value relative to where the expression stands (`new_rel_from_abs`)."""
        section = self._environment.section
        if address is None:
            return Value(None, section or ABSOLUTE, reason)
        if section is None:
            return Value(address & MASK, ABSOLUTE)
        base = self._environment.base(section)
        if base is None:
            return Value(None, section, f"the address of {section} is unknown")
        return Value(address - base & MASK, section)

    def _name(self, name: str) -> Value:
        if name == ".":
            return self._from_absolute(self._environment.dot, "the location counter is unknown")
        value = self._environment.symbol(name)
        if value is None:
            return Value(None, SOMEWHERE, f"symbol {name} is unknown")
        if value.section == ABSOLUTE and not self._outside:
            return Value(value.number, None, value.reason)
        if value.section is None and self._outside:
            return Value(value.number, ABSOLUTE, value.reason)
        return value

    def _conditional(
        self,
        node: Conditional,
        step: int,
        pending: list[tuple[Expression, int]],
        results: list[tuple[Value, bool]],
    ) -> None:
        """Only the branch that is chosen is evaluated. If the test is unknown, both have to agree."""
        if step == 0:
            pending += ((node, 1), (node.test, 0))
        elif step == 1:
            test, literal = results.pop()
            if test.number is None:
                results.append((test, False))
                if not self._environment.strict:
                    pending += ((node, 2), (node.no, 0), (node.yes, 0))
            elif literal:
                # GNU ld folds the whole only if all three are constants; so both branches are looked at.
                results.append((test, True))
                pending += ((node, 3), (node.no, 0), (node.yes, 0))
            else:
                pending += ((node, 4), (node.yes if test.number else node.no, 0))
        elif step == 4:
            value, _ = results.pop()
            results.append((value, False))
        else:
            (no, no_literal), (yes, yes_literal), (test, literal) = results.pop(), results.pop(), results.pop()
            if step == 2:
                results.append((yes if yes == no else Value(None, None, test.reason), False))
            else:
                results.append((yes if test.number else no, literal and yes_literal and no_literal))

    def _apply(self, node: Expression, operands: list[tuple[Value, bool]]) -> tuple[Value, bool]:
        if isinstance(node, Binary):
            (left, left_literal), (right, right_literal) = operands
            value = self._binary(node.operator, left, right)
            return self._folded(value, left_literal and right_literal)
        if isinstance(node, Unary):
            value, literal = operands[0]
            return self._folded(_unary(node.operator, value), literal)
        assert isinstance(node, Call)
        literal = node.function in _FOLDED and all(known for _, known in operands)
        return self._folded(self._call(node, [value for value, _ in operands]), literal)

    def _folded(self, value: Value, literal: bool) -> tuple[Value, bool]:
        """What GNU ld computed while it read is a number as written from then on."""
        if literal and value.number is not None:
            return self._plain(value.number), True
        return value, False

    def _binary(self, operator: str, left: Value, right: Value) -> Value:
        left, right, _, outcome = self._together(left, right)
        a, b = left.number, right.number
        if a is None or b is None:
            forced = None if self._environment.strict else FORCED.get(operator)
            number = forced(a, b) if forced is not None else None
            if number is None:
                return Value(None, None if operator in PLAIN_RESULT else outcome, left.reason or right.reason)
        elif operator in ("/", "%"):
            quotient, reason = divide(operator, a, b)
            return Value(quotient, outcome, reason)
        else:
            number = OPERATORS[operator](a, b) & MASK
        return Value(number, None if operator in PLAIN_RESULT else outcome)

    def _together(self, left: Value, right: Value) -> tuple[Value, Value, str | None, str | None]:
        """Both operands with one section for the two, and the section of an arithmetic result.

        Values of different sections are made absolute, unless one is a plain number; the result then keeps the other's
        section. Of two values of one section, or two plain numbers, the result is plain, or absolute outside.
        """
        sections = left.section, right.section
        if SOMEWHERE in sections:
            # Whether the other one is made absolute hangs on whether the two are of one section.
            outcome = ABSOLUTE if self._outside and None not in sections else SOMEWHERE
            return _lost(left), _lost(right), SOMEWHERE, outcome
        if left.section == right.section:
            return left, right, left.section, ABSOLUTE if self._outside else None
        if left.section is not None and right.section is not None:
            left, right = absolute(left, self._environment), absolute(right, self._environment)
            return left, right, ABSOLUTE, ABSOLUTE if self._outside else None
        section = left.section if right.section is None else right.section
        return left, right, section, section

    def _call(self, node: Call, values: list[Value]) -> Value:
        function = node.function
        environment = self._environment
        if function in _LOOKUPS:
            word = node.arguments[0]
            assert isinstance(word, Word)
            return self._lookup(function, word.text)
        if function == "SIZEOF_HEADERS":
            return _known(environment.sizeof_headers(), "the size of the headers is unknown")
        if function == "ASSERT":
            return values[0]
        for value in values:
            if value.number is None:
                return Value(None, None, value.reason)
        numbers = [value.number for value in values if value.number is not None]
        if function in ("ALIGN", "BLOCK", "NEXT"):
            if len(values) == 1:
                dot = environment.dot
                if dot is None or isinstance(environment, _WhileReading):
                    return Value(None, None, "the location counter is unknown")
                if function != "NEXT":
                    return self._from_absolute(align(dot, numbers[0]), "")
                # The only one that looks at the address of its operand.
                step = absolute(values[0], environment)
                return step if step.number is None else Value(align(dot, step.number), ABSOLUTE)
            return self._pairwise(align, values)
        if function == "MAX":
            return self._pairwise(max, values)
        if function == "MIN":
            return self._pairwise(min, values)
        if function == "ABSOLUTE":
            return absolute(values[0], environment)
        if function == "LOG2CEIL":
            return Value(max(numbers[0] - 1, 0).bit_length(), None)
        if function == "SEGMENT_START":
            word = node.arguments[0]
            assert isinstance(word, Word)
            return self._from_absolute(
                environment.segment_start(word.text, numbers[0]), "the segment's start is unknown"
            )
        if environment.section is not None:
            return Value(None, None, f"{function} has no value inside an output section")
        return Value(
            environment.data_segment(function, tuple(numbers)), ABSOLUTE, f"{function} is known only of an image"
        )

    def _pairwise(self, compute: Callable[[int, int], int], values: list[Value]) -> Value:
        """MAX, MIN and ALIGN with two operands keep the section that the two have together."""
        left, right, section, _ = self._together(values[0], values[1])
        if left.number is None or right.number is None:
            return Value(None, section, left.reason or right.reason)
        return Value(compute(left.number, right.number) & MASK, section)

    def _lookup(self, function: str, name: str) -> Value:
        """A function of a name."""
        environment = self._environment
        reason = f"{function}({name}) is unknown"
        if function == "ADDR":
            address = environment.addr(name)
            if environment.by_address:
                return Value(
                    None if address is None else address & MASK, ABSOLUTE, "" if address is not None else reason
                )
            # The start of a section is 0 bytes behind its start, wherever that is.
            return Value(0, name) if address is not None else Value(None, name, reason)
        if function == "LOADADDR":
            address = environment.loadaddr(name)
            return Value(None, ABSOLUTE, reason) if address is None else Value(address & MASK, ABSOLUTE)
        if function == "ORIGIN":
            return self._from_absolute(environment.origin(name), reason)
        if function == "DEFINED":
            defined = environment.defined(name)
            return Value(None, None, reason) if defined is None else Value(int(defined))
        find = {
            "ALIGNOF": environment.alignof,
            "CONSTANT": environment.constant,
            "LENGTH": environment.length,
            "SIZEOF": environment.sizeof,
        }[function]
        return _known(find(name), reason)


def _lost(value: Value) -> Value:
    """A value beside one of an unknown section: an offset in a section may count as such, or as an address."""
    if value.section is None or value.section == ABSOLUTE:
        return value
    return Value(None, SOMEWHERE, value.reason or "what the other operand is relative to is unknown")


def _operands(node: Expression) -> tuple[Expression, ...]:
    if isinstance(node, Binary):
        return node.left, node.right
    if isinstance(node, Unary):
        return (node.operand,)
    assert isinstance(node, Call)
    return tuple(item for item in node.arguments if not isinstance(item, Word))


def _known(number: int | None, reason: str) -> Value:
    return Value(None, None, reason) if number is None else Value(number & MASK)


def _unary(operator: str, value: Value) -> Value:
    number = value.number
    if number is None or operator == "+":
        return value
    if operator == "-":
        number = -number
    elif operator == "~":
        number = ~number
    else:
        number = int(not number)
    return Value(number & MASK, value.section)


_LOOKUPS = frozenset({"ADDR", "ALIGNOF", "CONSTANT", "DEFINED", "LENGTH", "LOADADDR", "ORIGIN", "SIZEOF"})
# The functions that GNU ld computes while it reads, if their operands are constants.
_FOLDED = frozenset({"LOG2CEIL", "MAX", "MIN"})
