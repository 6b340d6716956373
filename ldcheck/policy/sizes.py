"""Sizes as people write them in policies (`4K`, `0x1000`, `2 * PAGE_SIZE`), and their values.

The language is the linker's own, with G beside K and M. A size is built from numbers and from the policy's params; what
also needs symbols of a script or an image is an expression, and the checks evaluate it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ldcheck.documents.nodes import shown
from ldcheck.findings import CheckError, InputError
from ldcheck.policy.rule import Named, Value
from ldcheck.source import Location
from ldcheck.words import did_you_mean

if TYPE_CHECKING:
    from ldcheck.script.syntax import Call, Expression

_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_LIMIT = 1 << 64
# Origin and length of memory regions by name.
Regions = Mapping[str, tuple[int, int]]
# Long enough for any size, and short enough that no nesting is deep.
_LONGEST = 400
_MOST_ERRORS = 100


def plain_size(text: str) -> int | None:
    """The value of a number with or without a unit (`4K`, `0x1000`, `64`); None for anything else."""
    unit = _UNITS.get(text[-1:].upper())
    digits = text[:-1] if unit else text
    if not digits.isascii() or len(digits) > 20:
        return None
    if digits.isdecimal() and (digits[0] != "0" or digits == "0"):
        return int(digits) * (unit or 1)
    if digits[:2] in ("0x", "0X") and digits[2:].isalnum():
        try:
            return int(digits, 16) * (unit or 1)
        except ValueError:
            return None
    return None


def region_in(text: str) -> str:
    """The name in `region NAME`; empty for anything else."""
    words = text.split()
    return words[1] if len(words) == 2 and words[0] == "region" else ""


def share_of(text: str, whole: int) -> int:
    """The bytes that a share such as `95%` is of a whole, rounded down."""
    from fractions import Fraction

    return int(Fraction(text.strip().removesuffix("%").strip()) * whole / 100)


def is_identifier(text: str) -> bool:
    """Whether the text is the name of a param as C would have it."""
    return text.isascii() and text.isidentifier()


def check_syntax(text: str) -> str:
    """What keeps the text from being an expression; empty if it is one."""
    if plain_size(text) is not None or is_identifier(text):
        return ""
    if len(text) > _LONGEST:
        return f"longer than {_LONGEST:,} characters"
    from ldcheck.script.parser import parse_expression

    parsed = parse_expression(text, giga=True)
    if parsed.ok:
        return ""
    return next((problem.message for problem in parsed.problems if problem.severity == "error"), "no expression")


def names_in(text: str) -> tuple[str, ...]:
    """The names (params, symbols, dot) that an expression of sound syntax uses, in order, each once."""
    if plain_size(text) is not None:
        return ()
    if is_identifier(text):
        return (text,)
    from ldcheck.script.parser import parse_expression
    from ldcheck.script.syntax import Name, walk

    expression = parse_expression(text, giga=True).expression
    if expression is None:
        return ()
    return tuple(dict.fromkeys(node.name for node in walk(expression) if isinstance(node, Name)))


def regions_in(text: str) -> tuple[str, ...]:
    """The memory regions that a size of sound syntax speaks of: `RAM` of `LENGTH(RAM) - 4K`, each once."""
    if "(" not in text:
        return ()
    from ldcheck.script.parser import parse_expression
    from ldcheck.script.syntax import Call, Word, walk

    expression = parse_expression(text[:_LONGEST], giga=True).expression
    calls = [node for node in walk(expression) if isinstance(node, Call)] if expression is not None else []
    named = (call.arguments[0] for call in calls if call.function in _OF_REGIONS)
    return tuple(dict.fromkeys(word.text for word in named if isinstance(word, Word)))


# What is asked of a memory region, by the place in its pair of origin and length.
_OF_REGIONS = {"ORIGIN": 0, "LENGTH": 1}


def size_of(value: Value, params: Mapping[str, int], regions: Regions | None = None) -> int:
    """The value of a key of kind SIZE. Raises CheckError at its place for what has none or is negative.

    `regions` are the memory regions (origin and length) that it may speak of.
    """
    if not isinstance(value, Named):
        raise TypeError("a size is one text")
    known = _known(value.text, params)
    return known if known is not None else evaluate(value.text, params, value.location, regions)


def _known(text: str, params: Mapping[str, int]) -> int | None:
    """The value of a plain number or of a param, the sizes that nearly all policies have."""
    if text in params:
        return params[text]
    value = plain_size(text)
    return value if value is not None and value < _LIMIT else None


def evaluate(text: str, params: Mapping[str, int], place: Location, regions: Regions | None = None) -> int:
    """The value of a size of sound syntax. Raises CheckError at `place` for an unknown name or an impossible value."""
    plain = plain_size(text)
    if plain is None:
        plain = params.get(text)
    if plain is None:
        from ldcheck.script.parser import parse_expression

        expression = parse_expression(text[:_LONGEST], giga=True).expression
        try:
            plain = _value(expression, params, regions or {}) if expression is not None else None
        except _UnknownNameError as unknown:
            raise CheckError(unknown_param(unknown.name, params, place)) from None
        except ZeroDivisionError:
            raise CheckError(InputError(f"`{shown(text)}` divides by zero", place)) from None
    if plain is None:
        raise CheckError(InputError(f"`{shown(text)}` has no value here: it is not made of numbers and params", place))
    if not 0 <= plain < _LIMIT:
        raise CheckError(InputError(f"`{shown(text)}` is {plain} and must be from 0 to 2^64-1", place))
    return plain


def evaluate_params(
    params: Mapping[str, Named], later: Collection[str] = ()
) -> tuple[dict[str, int], list[InputError]]:
    """The values of all params, which may use one another, and the errors of those that have none.

    `later` are names that get their values from a script: what needs one of them has no value yet.
    """
    values: dict[str, int] = {}
    errors: list[InputError] = []
    failed = {name for name in later if name not in params}
    uses = {name: names_in(value.text) for name, value in params.items()}
    for name in params:
        if len(errors) >= _MOST_ERRORS:
            break
        # In order, and quick to ask.
        pending = {name: None}
        while pending:
            current = next(reversed(pending))
            if current in values or current in failed:
                del pending[current]
                continue
            needed = uses[current]
            missing = [other for other in needed if other in params and other not in values and other not in failed]
            circular = [other for other in missing if other in pending]
            if circular:
                steps = list(pending)
                steps = [*steps[steps.index(circular[0]) :], circular[0]]
                path = " -> ".join(steps if len(steps) < 10 else [*steps[:8], "...", steps[-1]])
                errors.append(InputError(f"the params go in a circle: {path}", params[current].location))
                failed.update(pending)
                break
            if missing:
                pending[missing[0]] = None
                continue
            del pending[current]
            if any(other in failed for other in needed):
                failed.add(current)
                continue
            try:
                values[current] = evaluate(params[current].text, values, params[current].location)
            except CheckError as error:
                errors.extend(error.errors)
                failed.add(current)
    return values, errors


def unknown_param(name: str, params: Mapping[str, object], place: Location) -> InputError:
    """The error for a name in a size that is no param."""
    known = ", ".join(sorted(params))
    otherwise = f"the params are {known}" if known else f"give it a value: `params: {{ {name}: 4K }}`"
    return InputError(f"unknown param {name}", place, help=did_you_mean(name, params, otherwise))


class _UnknownNameError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _value(expression: Expression, params: Mapping[str, int], regions: Regions) -> int | None:
    """The value in unbounded arithmetic; None for what only a link knows. Depth is bounded by the text's length."""
    from ldcheck.script.syntax import Binary, Call, Conditional, Name, Number, Unary

    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Name):
        if expression.name in params:
            return params[expression.name]
        raise _UnknownNameError(expression.name)
    if isinstance(expression, Unary):
        operand = _value(expression.operand, params, regions)
        if operand is None:
            return None
        return {"-": -operand, "+": operand, "!": int(not operand), "~": ~operand}[expression.operator]
    if isinstance(expression, Binary):
        left, right = _value(expression.left, params, regions), _value(expression.right, params, regions)
        if left is None or right is None:
            return None
        return _binary(expression.operator, left, right)
    if isinstance(expression, Conditional):
        test = _value(expression.test, params, regions)
        if test is None:
            return None
        return _value(expression.yes if test else expression.no, params, regions)
    assert isinstance(expression, Call)
    return _call(expression, params, regions)


def _binary(operator: str, left: int, right: int) -> int | None:
    if operator in ("/", "%"):
        # As C does, towards zero.
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return quotient if operator == "/" else left - quotient * right
    if operator in ("<<", ">>"):
        if not 0 <= right < 64:
            return 0
        return left << right if operator == "<<" else left >> right
    simple = {
        "+": left + right,
        "-": left - right,
        "*": left * right,
        "&": left & right,
        "|": left | right,
        "&&": int(bool(left and right)),
        "||": int(bool(left or right)),
        "==": int(left == right),
        "!=": int(left != right),
        "<": int(left < right),
        ">": int(left > right),
        "<=": int(left <= right),
        ">=": int(left >= right),
    }
    return simple.get(operator)


def _call(call: Call, params: Mapping[str, int], regions: Regions) -> int | None:
    from ldcheck.script.syntax import Word

    first = call.arguments[0]
    if isinstance(first, Word):
        at = _OF_REGIONS.get(call.function)
        return None if at is None or first.text not in regions else regions[first.text][at]
    values = [None if isinstance(item, Word) else _value(item, params, regions) for item in call.arguments]
    known = [value for value in values if value is not None]
    if len(known) != len(values) or not known:
        return None
    if call.function in ("MAX", "MIN") and len(known) == 2:
        return max(known) if call.function == "MAX" else min(known)
    if call.function == "ALIGN" and len(known) == 2 and known[1] > 0:
        return -(-known[0] // known[1]) * known[1]
    if call.function == "LOG2CEIL" and len(known) == 1 and known[0] > 0:
        return (known[0] - 1).bit_length()
    return known[0] if call.function == "ABSOLUTE" else None
