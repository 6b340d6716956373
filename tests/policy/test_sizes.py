"""Sizes: how people write them, what they are worth, and what has no value."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldcheck.findings import CheckError
from ldcheck.policy.rule import Named
from ldcheck.policy.sizes import check_syntax, evaluate, evaluate_params, names_in, plain_size
from ldcheck.source import Location

HERE = Location("policy.yaml", 1, 1)
PARAMS = {"PAGE_SIZE": 4096, "ZERO": 0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("4096", 4096),
        ("4K", 4096),
        ("4k", 4096),
        ("2M", 2 << 20),
        ("1G", 1 << 30),
        ("0x1000", 4096),
        ("0X1f", 31),
        ("0x10K", 16384),
        ("010", 8),
        ("PAGE_SIZE", 4096),
        ("2 * PAGE_SIZE", 8192),
        ("(1 << 12) - 1", 4095),
        ("PAGE_SIZE / 3", 1365),
        ("PAGE_SIZE % 3", 1),
        ("~0 & 0xff", 255),
        ("!ZERO", 1),
        ("ZERO ? 1 : 2", 2),
        ("-4 + 5", 1),
        ("1 << 64", 0),
        ("8 >> 2 | 1", 3),
        ("3 > 2 && 2 >= 2 || 0", 1),
        ("1 == 1", 1),
        ("MAX(PAGE_SIZE, 64K)", 65536),
        ("MIN(PAGE_SIZE, 64K)", 4096),
        ("ALIGN(4097, PAGE_SIZE)", 8192),
        ("LOG2CEIL(4096)", 12),
        ("18446744073709551615", (1 << 64) - 1),
    ],
)
def test_values(text, value):
    assert check_syntax(text) == ""
    assert evaluate(text, PARAMS, HERE) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LINE", "unknown param LINE"),
        ("4K + LINE", "unknown param LINE"),
        ("1 / ZERO", "divides by zero"),
        ("1 % ZERO", "divides by zero"),
        ("0 - 1", "must be from 0"),
        ("SIZEOF(.text)", "has no value here"),
        ("ALIGN(4)", "has no value here"),
        ("ALIGN(4, ZERO)", "has no value here"),
        ("18446744073709551616", "must be from 0"),
    ],
)
def test_what_has_no_value(text, message):
    with pytest.raises(CheckError, match=message) as raised:
        evaluate(text, PARAMS, HERE)
    assert raised.value.errors[0].location == HERE


@pytest.mark.parametrize("text", ["4Q", "4 K", "a +", "(1", "", "1 2", "x" * 500 + " +", "four kilobytes", "1.5"])
def test_wrong_syntax(text):
    assert check_syntax(text)


@pytest.mark.parametrize("text", ["-" * 399 + "1", "(" * 199 + "1" + ")" * 199, "1" + " << 1" * 79, "1" + "?1:1" * 99])
def test_deep_expressions_end_in_a_value_or_an_error(text):
    if not check_syntax(text):
        try:
            evaluate(text, {}, HERE)
        except CheckError:
            pass


@pytest.mark.parametrize(
    ("text", "value"), [("4K", 4096), ("0x", None), ("K", None), ("", None), ("010", None), ("٤", None), ("1e3", None)]
)
def test_plain_sizes(text, value):
    assert plain_size(text) == value


def test_names():
    assert names_in("A + B * A - 4K") == ("A", "B")
    assert names_in("4K") == ()
    assert names_in("PAGE_SIZE") == ("PAGE_SIZE",)


def named(texts: dict[str, str]) -> dict[str, Named]:
    return {name: Named(text, Location("policy.yaml", line, 1)) for line, (name, text) in enumerate(texts.items(), 1)}


def test_params_that_use_one_another():
    values, errors = evaluate_params(named({"A": "B + 1", "B": "C * 2", "C": "4K"}))
    assert (values, errors) == ({"A": 8193, "B": 8192, "C": 4096}, [])


def test_one_error_for_a_circle_and_none_for_what_uses_it():
    values, errors = evaluate_params(named({"A": "B", "B": "C", "C": "B", "D": "A", "E": "1"}))
    assert values == {"E": 1}
    assert [error.message for error in errors] == ["the params go in a circle: B -> C -> B"]


def test_a_long_chain_of_params():
    chain = {f"P{n}": f"P{n + 1}" for n in range(5000)}
    values, errors = evaluate_params(named({**chain, "P5000": "7"}))
    assert errors == []
    assert set(values.values()) == {7}


@given(st.text("0123456789abcxKMG+-*/%&|<>=!?:() ", max_size=24))
@settings(max_examples=500, derandomize=True, deadline=None)
def test_any_text_has_a_value_or_an_error(text):
    if not check_syntax(text):
        try:
            assert 0 <= evaluate(text, {"a": 1, "b": 2, "c": 3}, HERE) < 1 << 64
        except CheckError:
            pass
