"""Expressions over abstract values: what GNU ld's expression evaluator may yield, in all links at once.

Which operation keeps, loses or adds what a value is relative to follows ldexp.c (`exp_fold_tree_1`, `fold_binary`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from ldcheck.layout.facts import UNKNOWN, Known, Order, Reason, distance, known, order
from ldcheck.layout.frames import (
    ABSOLUTE,
    FOREIGN,
    UNSURE,
    UNSURE_VALUE,
    Frame,
    Value,
    absolute_value,
    difference,
    plain_address,
    relative_number,
    relative_value,
)
from ldcheck.layout.numbers import MASK, ONE, Number, either, exact, signed
from ldcheck.script.syntax import Binary, Call, Conditional, Expression, Name, Unary, Word
from ldcheck.script.syntax import Number as Literal


class Scope:
    """Where an expression is evaluated: its frame, the location counter, and how names are looked up.

    `symbol` and `function` give the values of names and of functions on sections, regions and constants.
    `sane` is LD_FEATURE("SANE_EXPR"). `drifts`: the location counter hung on later statements somewhere, so that it may
    differ from one run to the next. `by_address`: as lld evaluates it, where every value is an unsigned address.
    """

    __slots__ = ("by_address", "dot", "drifts", "frame", "function", "sane", "symbol")

    def __init__(
        self,
        frame: Frame,
        dot: Value,
        symbol: Callable[[str], Value],
        function: Callable[[str, str], Value],
        sane: bool = False,
        drifts: bool = False,
        by_address: bool = False,
    ) -> None:
        self.frame = frame
        self.dot = dot
        self.symbol = symbol
        self.function = function
        self.sane = sane
        self.drifts = drifts
        self.by_address = by_address

    def literal(self, value: int) -> Value:
        """A number as written, by its value."""
        return _absolute_literal(value) if self.frame is ABSOLUTE and not self.sane else _plain_literal(value)

    @property
    def difference_frame(self) -> Frame | None:
        """What arithmetic on two values of one section is relative to (`arith_result_section`)."""
        return ABSOLUTE if self.frame is ABSOLUTE and not self.sane else None


@lru_cache(maxsize=512)
def _absolute_literal(value: int) -> Value:
    return absolute_value(known(value))


@lru_cache(maxsize=512)
def _plain_literal(value: int) -> Value:
    return Value(exact(value))


def evaluate(expression: Expression, scope: Scope) -> Value:
    """The value of an expression, of any depth."""
    simple = _leaf(expression, scope)
    if simple is not None:
        return simple
    results: list[Value] = []
    pending: list[tuple[Expression, bool]] = [(expression, False)]
    while pending:
        node, ready = pending.pop()
        if ready:
            _apply(node, results, scope)
            continue
        leaf = _leaf(node, scope)
        if leaf is not None:
            results.append(leaf)
            continue
        pending.append((node, True))
        if isinstance(node, Binary):
            pending.append((node.right, False))
            pending.append((node.left, False))
        elif isinstance(node, Unary):
            pending.append((node.operand, False))
        elif isinstance(node, Conditional):
            pending.extend(((node.no, False), (node.yes, False), (node.test, False)))
        elif isinstance(node, Call):
            pending.extend((item, False) for item in reversed(operands(node)))
    return results.pop()


def operands(call: Call) -> list[Expression]:
    """The arguments of a function that are values, not names, as far as it is known what they do."""
    found = [item for item in call.arguments if not isinstance(item, Word)]
    # How far the end lies behind the place that is given does not move it below that.
    return found[-1:] if call.function == "DATA_SEGMENT_RELRO_END" else found


def _leaf(node: Expression, scope: Scope) -> Value | None:
    if isinstance(node, Literal):
        return scope.literal(node.value)
    if isinstance(node, Name):
        return scope.dot if node.name == "." and not node.quoted else scope.symbol(node.name)
    if isinstance(node, Call) and not operands(node):
        name = node.arguments[0].text if node.arguments and isinstance(node.arguments[0], Word) else ""
        return scope.function(_FUNCTIONS.get(node.function, node.function), name)
    return None


_FUNCTIONS = {"org": "ORIGIN", "o": "ORIGIN", "len": "LENGTH", "l": "LENGTH"}


def _apply(node: Expression, results: list[Value], scope: Scope) -> None:
    if isinstance(node, Binary):
        right, left = results.pop(), results.pop()
        results.append(_binary(node.operator, left, right, scope))
    elif isinstance(node, Unary):
        results.append(_unary(node.operator, results.pop()))
    elif isinstance(node, Conditional):
        no, yes, test = results.pop(), results.pop(), results.pop()
        truth = test.number.truth
        results.append(_either(yes, no) if truth is None else yes if truth else no)
    elif isinstance(node, Call):
        count = len(operands(node))
        arguments = results[-count:]
        del results[-count:]
        results.append(_call(node, arguments, scope))


def _either(one: Value, other: Value) -> Value:
    if one.frame is other.frame and one.home is other.home:
        return Value(one.number.join(other.number), one.frame, one.address.join(other.address), one.home)
    return UNSURE_VALUE


def _unary(operator: str, value: Value) -> Value:
    number = value.number
    if operator == "+":
        return value
    if value.frame is UNSURE or value.frame is FOREIGN:
        return UNSURE_VALUE
    if operator == "!":
        truth = number.truth
        return relative_number(either(None if truth is None else not truth), value.frame)
    return relative_number(~number if operator == "~" else exact(0) - number, value.frame)


_COMPARISONS = frozenset(("==", "!=", "<", ">", "<=", ">=", "&&", "||"))


def _binary(operator: str, left: Value, right: Value, scope: Scope) -> Value:
    if operator not in _COMPARISONS and _is_unsure(operator, left, right, scope):
        return UNSURE_VALUE
    frame: Frame | None
    left_frame: Frame | None
    if left.frame is right.frame:
        frame, left_frame = right.frame, left.frame
    elif left.frame is not None and right.frame is not None:
        left, right = absolute_value(left.absolute()), absolute_value(right.absolute())
        frame, left_frame = ABSOLUTE, ABSOLUTE
    else:
        frame, left_frame = left.frame or right.frame, None
    if operator in _COMPARISONS:
        return Value(either(_compare(operator, left, right)))
    if frame is left_frame:
        frame = scope.difference_frame
    address = None
    if operator == "+":
        number, address = left.number + right.number, _sum(left, right)
    elif operator == "-":
        number, address = _minus(left, right)
    elif scope.by_address and operator in _UNSIGNED:
        number = _UNSIGNED[operator](left.number, right.number)
    else:
        number = _ARITHMETIC[operator](left.number, right.number)
    value = relative_number(number, frame, address if frame is not None else None)
    return _at_home(operator, left, right, value) if scope.by_address else value


def _at_home(operator: str, left: Value, right: Value, value: Value) -> Value:
    """The result of an operation by lld, which has sections as well as addresses.

    The offset that is -1 means the end of the section to it (SectionBase::getOffset).
    """
    home = left.home or right.home if operator in ("+", "&", "|") else left.home
    if home is None or operator not in ("+", "-", "&", "|") or (operator == "-" and right.home is not None):
        return value
    least = distance(home.start, value.address)[0]
    if (least is None or least < 0) and value.number.equal(home.start.number - ONE) is not False:
        end = home.start.grow(f"end of {home.name}")
        return Value(value.number.join(end.number), value.frame, value.address.join(end), home)
    return Value(value.number, value.frame, value.address, home)


def _is_unsure(operator: str, left: Value, right: Value, scope: Scope) -> bool:
    """Whether the operands' sections decide the result, and are not known."""
    frames = (left.frame, right.frame)
    if UNSURE in frames:
        return True
    if FOREIGN not in frames or ABSOLUTE in frames:
        return False
    return operator != "-" or scope.frame is not ABSOLUTE or None in frames


def _sum(left: Value, right: Value) -> Known | None:
    """The sum as an address, where one operand is a mere number."""
    if left.frame is right.frame and left.frame is not ABSOLUTE:
        return None
    if right.number.value is not None and left.frame is not None and left.number.value is None:
        return left.address.add(signed(right.number.value))
    if left.number.value is not None and right.frame is not None and right.number.value is None:
        return right.address.add(signed(left.number.value))
    return None


def _minus(left: Value, right: Value) -> tuple[Number, Known | None]:
    if left.frame is not None and left.frame is right.frame:
        number = difference(left.address, right.address)
        if right.number.value is not None and left.number.value is None and left.frame is ABSOLUTE:
            return number, left.address.add(-signed(right.number.value))
        return number, None
    number = left.number - right.number
    if right.number.value is not None and left.frame is not None and left.number.value is None:
        return number, left.address.add(-signed(right.number.value))
    return number, None


_ARITHMETIC: dict[str, Callable[[Number, Number], Number]] = {
    "*": Number.__mul__,
    "/": Number.divide,
    "%": Number.modulo,
    "<<": Number.left_shift,
    ">>": Number.right_shift,
    "&": Number.__and__,
    "|": Number.__or__,
    "^": Number.__xor__,
}


# As lld has them.
_UNSIGNED: dict[str, Callable[[Number, Number], Number]] = {
    "/": Number.divide_unsigned,
    "%": Number.modulo_unsigned,
}


def _compare(operator: str, left: Value, right: Value) -> bool | None:
    if operator == "&&":
        one, other = left.number.truth, right.number.truth
        return False if one is False or other is False else (None if one is None or other is None else True)
    if operator == "||":
        one, other = left.number.truth, right.number.truth
        return True if one or other else (None if one is None or other is None else False)
    if operator in ("<=", ">="):
        inverse = _compare("<" if operator == ">=" else ">", left, right)
        return None if inverse is None else not inverse
    if operator == ">":
        return _compare("<", right, left)
    if operator == "!=":
        equal = _compare("==", left, right)
        return None if equal is None else not equal
    found = left.number.less(right.number) if operator == "<" else left.number.equal(right.number)
    if found is not None or left.frame is None or left.frame is not right.frame:
        return found
    placed = order(left.address, right.address)
    if placed is None or not (is_behind_start(left) and is_behind_start(right)):
        return None
    return _LESS.get(placed) if operator == "<" else _EQUAL.get(placed)


def is_behind_start(value: Value) -> bool:
    """Whether a value lies behind the start of its section, so that its number is no wrapped negative one."""
    if value.frame is None or value.frame is ABSOLUTE or value.frame is FOREIGN:
        return True
    least = distance(value.frame.start, value.address)[0]
    return least is not None and least >= 0


_LESS = {Order.LESS: True, Order.EQUAL: False, Order.GREATER: False, Order.GREATER_OR_EQUAL: False}
_EQUAL = {Order.LESS: False, Order.EQUAL: True, Order.GREATER: False}


def _call(node: Call, arguments: list[Value], scope: Scope) -> Value:
    function, last = node.function, arguments[-1]
    if function in ("ALIGN", "BLOCK") and len(arguments) == 1:
        return _align_dot(node, scope, last, scope.frame)
    if function == "NEXT":
        return _align_dot(node, scope, absolute_value(last.absolute()), ABSOLUTE)
    if function == "DATA_SEGMENT_RELRO_END":
        end = scope.dot.absolute() if scope.by_address else last.absolute()
        return absolute_value(end.grow(function, Reason(node, "may move to the end of a page")))
    if len(arguments) == 2 and function in ("ALIGN", "MAX", "MIN", "DATA_SEGMENT_ALIGN"):
        return _call_binary(node, arguments[0], last, scope)
    if function == "ABSOLUTE":
        return last if scope.by_address else absolute_value(last.absolute())
    if function == "LOG2CEIL":
        return Value(_log2ceil(last.number))
    if function == "SEGMENT_START":
        # The default; -Ttext and its like may name another.
        return relative_value(plain_address(last.number), scope.frame)
    if function in ("ASSERT", "DATA_SEGMENT_END"):
        return scope.dot if scope.by_address else last
    return absolute_value(UNKNOWN)


def _call_binary(node: Call, left: Value, right: Value, scope: Scope) -> Value:
    if node.function == "DATA_SEGMENT_ALIGN":
        if scope.drifts:
            # It keeps to where an earlier run began the segment.
            return absolute_value(UNKNOWN)
        return absolute_value(scope.dot.absolute().grow("DATA_SEGMENT_ALIGN", Reason(node, "depends on page sizes")))
    if _is_unsure(node.function, left, right, scope):
        return UNSURE_VALUE
    if left.frame is not None and right.frame is not None and left.frame is not right.frame:
        left, right = absolute_value(left.absolute()), absolute_value(right.absolute())
    frame = left.frame or right.frame
    if node.function == "ALIGN":
        number = left.number.align(right.number)
        step = right.number.value
        if left.frame is ABSOLUTE and step is not None:
            aligned = left.address.align_value(step, Reason(node, f"rounds up to a multiple of {step}"))
            return Value(aligned.number, ABSOLUTE, aligned, left.home)
        return relative_number(number, frame)
    if left.frame is right.frame and left.frame is not None:
        return _extreme(node.function, left, right, left.frame)
    return relative_number(_extreme_number(node.function, left.number, right.number), frame)


def _extreme(function: str, left: Value, right: Value, frame: Frame) -> Value:
    placed = order(left.address, right.address) if is_behind_start(left) and is_behind_start(right) else None
    if placed in (Order.LESS, Order.LESS_OR_EQUAL, Order.EQUAL):
        return right if function == "MAX" else left
    if placed is not None:
        return left if function == "MAX" else right
    number = _extreme_number(function, left.number, right.number)
    return relative_number(number, frame, left.address.join(right.address, function))


def _extreme_number(function: str, left: Number, right: Number) -> Number:
    joined = left.join(right)
    if function == "MAX":
        return joined.within(max(left.low, right.low), MASK)
    return joined.within(0, min(left.high, right.high))


def _align_dot(node: Call, scope: Scope, boundary: Value, frame: Frame) -> Value:
    step = boundary.number.value
    dot = scope.dot
    address = dot.absolute()
    if step is None:
        if address.value == 0:
            return relative_value(address, frame)
        operand = node.arguments[0]
        if isinstance(operand, Call) and operand.function in ("CONSTANT", "ALIGNOF"):
            # Unknown, but a power of two.
            why = Reason(node, "aligns to an unknown boundary")
            return relative_value(address.align_unknown(1, "ALIGN", (), why), frame)
        return relative_value(address.grow("ALIGN", Reason(node, "aligns to an unknown boundary")), frame)
    aligned = address.align_up(step, Reason(node, f"rounds up to a multiple of {step}"))
    if frame is ABSOLUTE or dot.frame is not frame:
        return relative_value(aligned, frame)
    number = difference(aligned, frame.start)
    low = dot.number.low
    return relative_value(aligned, frame, number.within(low, MASK))


def _log2ceil(number: Number) -> Number:
    def power(value: int) -> int:
        return (value - 1).bit_length() if value > 1 else 0

    low, high = power(number.low), power(number.high)
    return exact(low) if low == high else Number(1, 0, low, high)
