"""Conditions: right for every configuration, as short as can be, and in words."""

from __future__ import annotations

import random
from itertools import combinations, product

import pytest

from ldcheck.preprocess.configurations import Configuration, Value, smallest_condition
from ldcheck.preprocess.covering import covering_rows


def all_of(*names: str) -> list[Configuration]:
    """Every configuration of some flags."""
    return [Configuration(dict(zip(names, values, strict=True))) for values in product((None, "1"), repeat=len(names))]


def chosen(every: list[Configuration], condition: str) -> list[Configuration]:
    """Those for which a Python expression over the flags is true."""
    return [
        one
        for one in every
        if eval(condition, {}, {name: value is not None for name, value in one.definitions.items()})
    ]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("True", ""),
        ("False", ""),
        ("SPLIT", "only with SPLIT"),
        ("not EFI", "only without EFI"),
        ("SPLIT and not EFI", "only with SPLIT and without EFI"),
        ("SPLIT and EFI and KEXEC", "only with EFI, KEXEC and SPLIT"),
        ("not SPLIT and not EFI", "only without EFI or SPLIT"),
        ("SPLIT or EFI", "only with EFI, or with SPLIT"),
        ("SPLIT and EFI or KEXEC", "only with KEXEC, or with EFI and SPLIT"),
        ("SPLIT != EFI", "only with EFI and without SPLIT, or with SPLIT and without EFI"),
    ],
)
def test_conditions_in_words(condition: str, words: str) -> None:
    every = all_of("SPLIT", "EFI", "KEXEC")
    assert smallest_condition(every, chosen(every, condition)) == words


def test_values_that_are_no_flags() -> None:
    every = [Configuration({"CONFIG_LEVELS": value, "EFI": flag}) for value in ("2", "3", "4") for flag in (None, "1")]
    assert smallest_condition(every, every[:2]) == "only with CONFIG_LEVELS=2"
    assert smallest_condition(every, [every[2]]) == "only with CONFIG_LEVELS=3 and without EFI"


def test_what_decides_nothing_is_not_mentioned() -> None:
    # Without EFI nothing asks for the other two.
    every = [
        Configuration({"EFI": None}),
        Configuration({"EFI": "1", "BUILD_ID": None}),
        Configuration({"EFI": "1", "BUILD_ID": "1", "BUILD_ID_EFI": None}),
        Configuration({"EFI": "1", "BUILD_ID": "1", "BUILD_ID_EFI": "1"}),
    ]
    assert smallest_condition(every, every[:1]) == "only without EFI"
    # With BUILD_ID_EFI and without EFI the script is the first one.
    assert smallest_condition(every, every[3:]) == "only with BUILD_ID, BUILD_ID_EFI and EFI"
    assert smallest_condition(every, every[2:]) == "only with BUILD_ID and EFI"
    assert smallest_condition(every, every[1:]) == "only with EFI"


def test_with_is_preferred_to_without_and_few_symbols_to_many() -> None:
    every = [Configuration({"A": "1", "B": None}), Configuration({"A": None, "B": "1"})]
    assert smallest_condition(every, every[:1]) == "only with A"
    assert smallest_condition(every, every[1:]) == "only with B"


def test_a_description() -> None:
    assert Configuration({"A": "1", "B": "64", "C": None, "D": None}).describe() == "with A and B=64 and without C or D"
    assert Configuration({}).describe() == ""


def satisfied(words: str, definitions: dict[str, Value]) -> bool:
    """Whether a configuration satisfies a condition as it reads."""
    for term in words.removeprefix("only ").split(", or "):
        given, _, missing = term.partition("without ")
        wanted = given.replace("with ", "").replace(" and ", ", ").split(", ")
        unwanted = missing.replace(" or ", ", ").split(", ")
        if all(definitions[name] is not None for name in wanted if name) and all(
            definitions[name] is None for name in unwanted if name
        ):
            return True
    return False


@pytest.mark.parametrize("seed", range(40))
def test_a_condition_holds_for_what_was_chosen_and_for_nothing_else(seed: int) -> None:
    chance = random.Random(seed)
    every = all_of(*"ABCDE"[: chance.randint(1, 5)])
    if chance.random() < 0.4:
        # Not all were looked at; what was not may go either way.
        every = chance.sample(every, chance.randint(2, len(every)))
    those = [one for one in every if chance.random() < 0.5]
    words = smallest_condition(every, those)
    if not those or len(those) == len(every):
        assert words == ""
        return
    assert [satisfied(words, dict(one.definitions)) for one in every] == [one in those for one in every]


@pytest.mark.parametrize("flags", [1, 2, 5, 14, 40])
def test_rows_cover_every_pair_of_values(flags: int) -> None:
    symbols: dict[str, tuple[Value, ...]] = {f"F{number}": (None, "1") for number in range(flags)}
    symbols["LEVELS"] = ("2", "3", "4")
    rows = covering_rows(symbols)
    for one, other in combinations(symbols, 2):
        assert {(row[one], row[other]) for row in rows} == set(product(symbols[one], symbols[other]))
    assert rows[0] == {name: values[0] for name, values in symbols.items()}
    assert rows[1] == {name: values[-1] for name, values in symbols.items()}
    assert len(rows) < 8 + flags


def test_rows_avoid_what_is_refused_and_cover_the_rest() -> None:
    symbols: dict[str, tuple[Value, ...]] = dict.fromkeys("ABCDEF", (None, "1"))
    refused: list[dict[str, Value]] = [{"A": "1", "B": "1"}, {"C": None, "D": None, "E": None}]
    rows = covering_rows(symbols, refused)
    for part in refused:
        assert not any(all(row[name] == value for name, value in part.items()) for row in rows)
    for one, other in combinations(symbols, 2):
        wanted = set(product(symbols[one], symbols[other])) - ({("1", "1")} if (one, other) == ("A", "B") else set())
        assert {(row[one], row[other]) for row in rows} == wanted
