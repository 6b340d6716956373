"""Values that are partly unknown, what GNU ld folds while it reads, and expressions that stand alone."""

from __future__ import annotations

import pytest

from ldcheck.script.arithmetic import align
from ldcheck.script.environment import ABSOLUTE, Environment, Value
from ldcheck.script.expressions import absolute, assigned, constant, evaluate
from ldcheck.script.parser import parse_expression
from ldcheck.script.printer import print_expression


class Some(Environment):
    """Some of a link is known: `.data` is at 0x100, `a` is 8 in it, dot is at 0x110."""

    def __init__(self, section: str | None = None) -> None:
        self.section = section

    @property
    def dot(self) -> int:
        return 0x110

    def symbol(self, name: str) -> Value | None:
        return {"a": Value(8, ".data"), "far": Value(4, ".bss"), "five": Value(5, ABSOLUTE)}.get(name)

    def addr(self, section: str) -> int | None:
        return 0x100 if section == ".data" else None


def value(text: str, environment: Environment | None = None) -> Value:
    parsed = parse_expression(text)
    assert parsed.expression is not None, parsed.problems
    return evaluate(parsed.expression, environment or Environment())


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("unknown && 0", 0),
        ("0 && unknown", 0),
        ("unknown || 1", 1),
        ("unknown * 0", 0),
        ("unknown & 0", 0),
        ("unknown ? 3 : 3", 3),
        ("1 ? 2 : unknown", 2),
        ("unknown - unknown", None),
        ("unknown ? 3 : 4", None),
        ("unknown && 1", None),
        ("unknown || 0", None),
        ("1 / 0", None),
        ("SIZEOF(.text)", None),
    ],
)
def test_an_unknown_operand_spreads_only_where_it_matters(text: str, number: int | None) -> None:
    assert value(text).number == number


@pytest.mark.parametrize(
    ("text", "section", "expected"),
    [
        (".", None, Value(0x110, ABSOLUTE)),
        (".", ".data", Value(0x10, ".data")),
        (". - a", ".data", Value(8, None)),
        (". - a", None, Value(8, ABSOLUTE)),
        ("a + 4", ".data", Value(12, ".data")),
        ("a + 4", None, Value(0x10C, ABSOLUTE)),
        ("five", ".data", Value(5, None)),
        ("five", None, Value(5, ABSOLUTE)),
        ("!(. & 15)", ".data", Value(1, ".data")),
        ("ABSOLUTE(.) & 15", ".data", Value(0, ABSOLUTE)),
        ("far - far", ".data", Value(0, None)),
        ("far", None, Value(4, ".bss")),
        ("far + a", None, Value(None, ABSOLUTE, "the address of .bss is unknown")),
        ("far - a", ".data", Value(None, None, "the address of .bss is unknown")),
        ("(far - a) & 0", ".data", Value(0, None)),
        ("ALIGN(32)", ".data", Value(0x20, ".data")),
    ],
)
def test_values_are_relative_to_sections_as_for_ld(text: str, section: str | None, expected: Value) -> None:
    assert value(text, Some(section)) == expected


def test_what_is_assigned_and_what_it_is_as_an_address() -> None:
    inside = Some(".data")
    assert assigned(value("5", inside), inside) == Value(5, ".data")
    assert absolute(assigned(value("5", inside), inside), inside) == Value(0x105, ABSOLUTE)
    assert assigned(value("5", Some()), Some()) == Value(5, ABSOLUTE)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2 * (3 + 4)", 14),
        ("MAX(1, LOG2CEIL(9))", 4),
        ("1 ? 2 : 3", 2),
        ("ALIGN(5, 4)", None),
        (". - .", None),
        ("1 / 0", None),
    ],
)
def test_what_ld_knows_while_it_reads(text: str, number: int | None) -> None:
    parsed = parse_expression(text)
    assert parsed.expression is not None
    assert constant(parsed.expression) == number


def test_alignments_need_not_be_powers_of_two() -> None:
    assert [align(13, step) for step in (0, 1, 6, 16)] == [13, 13, 18, 16]
    assert align((1 << 64) - 1, 16) == 0


@pytest.mark.parametrize(
    "text", ["", "1 +", "1 2", "(1", "1)", "a = 1", "SIZEOF", "2G", "MAX(1)", "\0", "ALIGN(1, 2, 3)"]
)
def test_what_is_no_expression(text: str) -> None:
    parsed = parse_expression(text)
    assert parsed.expression is None
    assert not parsed.ok
    assert parsed.problems


def test_policies_may_count_in_g() -> None:
    parsed = parse_expression("2G + 1", giga=True)
    assert parsed.ok
    assert parsed.expression is not None
    assert evaluate(parsed.expression, Environment()).number == (2 << 30) + 1
    assert print_expression(parsed.expression) == "0x80000000 + 1"


@pytest.mark.parametrize(
    "text",
    [
        "1 + 2 * 3",
        "(1 + 2) * 3",
        "1 - (2 - 3)",
        "1 - 2 - 3",
        "-(1 + 2)",
        "!-~x",
        "(a ? b : c) ? d : e ? f : g",
        "a && b || c && d",
        "(a || b) && c",
        'MAX (1, MIN (2, SIZEOF (.text))) + SEGMENT_START ("x", 1)',
        '"quoted name" + .',
    ],
)
def test_printing_puts_the_parentheses_that_are_needed(text: str) -> None:
    parsed = parse_expression(text)
    assert parsed.expression is not None
    assert print_expression(parsed.expression) == text
