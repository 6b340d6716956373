"""The expressions of #if and #elif, evaluated as GNU cpp does ("The C Preprocessor", chapter "If").

`defined` asks the `World` only when the outcome depends on it: `defined(EFI) && !defined(BUILD_ID_EFI)` does not ask
for BUILD_ID_EFI where EFI is missing. That keeps the configurations apart that differ, and no others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from ldcheck.preprocess.files import SourceFile
from ldcheck.preprocess.lexer import tokens
from ldcheck.preprocess.macros import Expander, ExpansionError, Macro, Piece, Place, pieces
from ldcheck.preprocess.made_up import is_spelled


class World(Protocol):
    """What is defined where an expression is evaluated."""

    def defined(self, name: str) -> bool:
        """Whether a macro of that name is defined."""

    def macro(self, name: str) -> Macro | None:
        """The macro of that name."""

    def includable(self, name: str, angled: bool) -> bool:
        """Whether `#include` would find a file (`__has_include`)."""


class ConditionError(Exception):
    """An expression that cannot be evaluated."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


_SIMPLE = re.compile(r"\s*(!?)\s*defined\s*(?:\(\s*(\w+)\s*\)|(\w+))\s*\Z")
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)([uUlL]*)\Z")
_ESCAPES = {"n": 10, "t": 9, "r": 13, "0": 0, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27}
_MASK = (1 << 64) - 1
MAX_NESTING = 60
# More than any value has, with the zeros of one that was made up.
_MOST_DIGITS = 300


def holds(file: SourceFile, start: int, end: int, world: World) -> bool:
    """Whether the expression in `file.code[start:end]` is true. Raises ConditionError."""
    code = file.code[start:end]
    if simple := _SIMPLE.match(code):
        return world.defined(simple.group(2) or simple.group(3)) != bool(simple.group(1))
    written = pieces(file, tokens(file.code, start, end))
    if not written:
        raise ConditionError("the condition is empty")
    try:
        expanded = list(Expander(world.macro).expand(_protected(written)))
    except ExpansionError as error:
        raise ConditionError(error.message, error.place) from None
    return _Evaluator(expanded, world).value() != 0


def number(written: Sequence[Piece], world: World) -> int:
    """The value of a macro's replacement as a number of 64 bits. Raises ConditionError for what is none.

    Unlike in a condition, a name that is no macro has no value.
    """
    try:
        expanded = list(Expander(world.macro).expand(list(written)))
    except ExpansionError as error:
        raise ConditionError(error.message, error.place) from None
    if any(piece.kind == "name" or is_spelled(piece.text) for piece in expanded):
        raise ConditionError("not every name in it is a macro")
    return _Evaluator(expanded, world).value()


def _protected(written: list[Piece]) -> list[Piece]:
    """The operands of `defined` and `__has_include` made proof against expansion."""
    result: list[Piece] = []
    at = 0
    while at < len(written):
        piece = written[at]
        result.append(piece)
        at += 1
        if piece.text == "defined":
            result[-1] = piece._replace(painted=True)
            stop = at + 3 if at < len(written) and written[at].text == "(" else at + 1
            result.extend(operand._replace(painted=True) for operand in written[at:stop])
            at = stop
        elif piece.text in ("__has_include", "__has_include_next"):
            result[-1] = piece._replace(painted=True)
            while at < len(written) and written[at].text != ")":
                result.append(written[at]._replace(painted=True))
                at += 1
    return result


class _Number(NamedTuple):
    """A value of 64 bits."""

    bits: int
    unsigned: bool = False

    @property
    def value(self) -> int:
        return self.bits if self.unsigned or self.bits < 1 << 63 else self.bits - (1 << 64)


def _number(value: int, unsigned: bool = False) -> _Number:
    return _Number(value & _MASK, unsigned)


_BINARY: dict[str, int] = {
    "*": 10, "/": 10, "%": 10, "+": 9, "-": 9, "<<": 8, ">>": 8, "<": 7, ">": 7, "<=": 7, ">=": 7,
    "==": 6, "!=": 6, "&": 5, "^": 4, "|": 3, "&&": 2, "||": 1,
}  # fmt: skip


class _Evaluator:
    """Recursive descent over the expanded tokens. `live` is false where the outcome does not count."""

    def __init__(self, expression: list[Piece], world: World) -> None:
        self._pieces = expression
        self._at = 0
        self._world = world
        self._depth = 0

    def value(self) -> int:
        result = self._conditional(live=True)
        if self._at < len(self._pieces):
            raise self._error(f"`{self._peek()}` is not expected here")
        return result.bits

    def _peek(self) -> str:
        return self._pieces[self._at].text if self._at < len(self._pieces) else ""

    def _next(self) -> Piece:
        if self._at >= len(self._pieces):
            raise self._error("the condition ends too early")
        self._at += 1
        return self._pieces[self._at - 1]

    def _expect(self, text: str) -> None:
        if self._peek() != text:
            raise self._error(f"`{text}` is missing")
        self._at += 1

    def _error(self, message: str) -> ConditionError:
        if not self._pieces:
            return ConditionError(message)
        return ConditionError(message, self._pieces[min(self._at, len(self._pieces) - 1)].place)

    def _conditional(self, live: bool) -> _Number:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise self._error("the condition is nested too deeply")
        test = self._binary(1, live)
        if self._peek() == "?":
            self._at += 1
            yes = self._conditional(live and test.bits != 0)
            self._expect(":")
            no = self._conditional(live and test.bits == 0)
            unsigned = yes.unsigned or no.unsigned
            test = _Number((yes if test.bits else no).bits, unsigned)
        self._depth -= 1
        return test

    def _binary(self, strength: int, live: bool) -> _Number:
        left = self._unary(live)
        while (level := _BINARY.get(self._peek(), 0)) >= strength:
            sign = self._next().text
            if sign in ("&&", "||"):
                decided = (left.bits != 0) == (sign == "||")
                right = self._binary(level + 1, live and not decided)
                left = _number(int(left.bits != 0 if decided else right.bits != 0))
            else:
                right = self._binary(level + 1, live)
                left = self._apply(sign, left, right, live)
        return left

    def _unary(self, live: bool) -> _Number:
        signs: list[str] = []
        while self._peek() in ("!", "-", "+", "~") and self._pieces[self._at].kind == "sign":
            signs.append(self._next().text)
        value = self._primary(live)
        for sign in reversed(signs):
            if sign == "!":
                value = _number(int(value.bits == 0))
            elif sign == "-":
                value = _number(-value.bits, value.unsigned)
            elif sign == "~":
                value = _number(~value.bits, value.unsigned)
        return value

    def _primary(self, live: bool) -> _Number:
        piece = self._next()
        text = piece.text
        if text == "(":
            value = self._conditional(live)
            self._expect(")")
            return value
        if text == "defined":
            bracket = self._peek() == "("
            self._at += bracket
            operand = self._next()
            if operand.kind != "name":
                raise self._error("`defined` wants a name")
            if bracket:
                self._expect(")")
            return _number(int(live and self._world.defined(operand.text)))
        if text in ("__has_include", "__has_include_next"):
            return self._has_include(live)
        if piece.kind == "name":
            if self._peek() == "(":
                self._at -= 1
                raise self._error(f"{text} is called like a macro, and none of that name is defined")
            return _number(0)
        if piece.kind == "number" and (match := _NUMBER.match(text)):
            bits = _read(match.group(1))
            return _number(bits, "u" in match.group(2).lower() or bits > _MASK >> 1)
        if piece.kind == "string" and text[0] == "'" and len(text) > 2:
            body = text[1:-1]
            return _number(_ESCAPES.get(body[1], ord(body[1])) if body[0] == "\\" and len(body) > 1 else ord(body[-1]))
        self._at -= 1
        raise self._error(f"`{text}` is not valid in a condition")

    def _has_include(self, live: bool) -> _Number:
        self._expect("(")
        name, angled = "", self._peek() == "<"
        while self._peek() != ")":
            name += self._next().text
        self._expect(")")
        return _number(int(live and self._world.includable(name.strip('<>"'), angled)))

    def _apply(self, sign: str, left: _Number, right: _Number, live: bool) -> _Number:
        unsigned = left.unsigned or right.unsigned
        one, two = _Number(left.bits, unsigned).value, _Number(right.bits, unsigned).value
        if sign in ("/", "%"):
            if two == 0:
                if live:
                    raise self._error("division by zero")
                return _number(0, unsigned)
            quotient = abs(one) // abs(two)
            if (one < 0) != (two < 0):
                quotient = -quotient
            return _number(quotient if sign == "/" else one - quotient * two, unsigned)
        if sign in ("<<", ">>"):
            return _shifted(left, right if sign == "<<" else _number(-right.value))
        return _number(int(_OPERATIONS[sign](one, two)), unsigned and sign in ("*", "+", "-", "&", "^", "|"))


def _read(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        return 0
    base = {"0x": 16, "0b": 2}.get(digits[:2].lower(), 8 if digits[0] == "0" else 10)
    return int(digits[2:] if base in (2, 16) else digits, base)


def _shifted(left: _Number, by: _Number) -> _Number:
    count = by.value
    if count >= 0:
        return _number(left.bits << count if count < 64 else 0, left.unsigned)
    return _number(left.value >> min(-count, 64), left.unsigned)


_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "*": lambda a, b: a * b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "&": lambda a, b: a & b,
    "^": lambda a, b: a ^ b,
    "|": lambda a, b: a | b,
}
