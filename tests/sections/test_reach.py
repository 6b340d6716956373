"""What each rule can still take: readable cases, and brute force over all small sections."""

from __future__ import annotations

import itertools
import os
import random
import re

import pytest

from ldcheck.sections.budget import BUDGET, TooComplexError
from ldcheck.sections.files import files
from ldcheck.sections.left import State
from ldcheck.sections.reach import (
    Relation,
    Witness,
    asked_for,
    first_taker,
    reaches,
    reaching,
    relation,
    shadowing,
    takers,
)
from tests.sections.force import compare_with_force, is_taken
from tests.sections.scripts import rules

CASES = int(os.environ.get("LDCHECK_RANDOM_CASES", "80"))


def states(text: str) -> list[str]:
    return [f"{reach.rule.text} {reach.state.value}" for reach in reaches(rules(text))]


def last(text: str):
    return reaches(rules(text))[-1]


def test_a_wildcard_ahead_kills_a_name():
    reach = last(".data : { *(.data .data.*) } .data.read_mostly : { *(.data.read_mostly) }")
    assert reach.state is State.DEAD
    assert [rule.text for rule in reach.earlier] == ["*(.data.*)"]
    assert reach.witness == Witness("x.o", ".data.read_mostly")
    assert reach.kept is None


def test_a_name_ahead_of_a_wildcard_competes():
    reach = last(".data.read_mostly : { *(.data.read_mostly) } .data : { *(.data.*) }")
    assert reach.state is State.COMPETES
    assert reach.witness == Witness("x.o", ".data.read_mostly")
    assert reach.kept == Witness("x.o", ".data.")


@pytest.mark.parametrize(
    ("text", "state", "earlier"),
    [
        # A union is needed, and each part of it.
        (".a : { *(.x.[a-m]*) *(.x.[!a-m]*) *(.x.) } .b : { *(.x.*) }", "dead", 3),
        (".a : { *(.x.[a-m]*) *(.y*) *(.x.[!a-m]*) } .b : { *(.x.?*) }", "dead", 2),
        # One is enough, although others overlap.
        (".a : { *(.x.a) *(.x.*) *(.x.b*) } .b : { *(.x.b) }", "dead", 1),
        ("/DISCARD/ : { *(.note*) } .note : { *(.note.gnu) }", "dead", 1),
        # Files.
        (".a : { a.o(.x) } .b : { *(.x) }", "competes", 1),
        (".a : { *(EXCLUDE_FILE(a.o) .x) } .b : { a.o(.x) }", "free", 0),
        (".a : { *(EXCLUDE_FILE(*a.o) .x) } .b : { lib.a:a.o(.x) }", "free", 0),
        (".a : { EXCLUDE_FILE(lib.a:) *(.x) } .b : { *(EXCLUDE_FILE(lib.a:*) .x) }", "dead", 1),
        (".a : { EXCLUDE_FILE(lib.a) *(.x) } .b : { lib.a:(.x) }", "free", 0),
        (".a : { :*(.x) *:(.x) } .b : { *(.x) }", "dead", 2),
        (".a : { lib*.a:*(.x) } .b : { libc.a:m.o(.x) }", "dead", 1),
        (".a : { lib.a:*(.x) } .b : { lib.a(.x) }", "free", 0),  # a plain name is no archive's
        (".a : { *b.o(.x) } .b : { lib.a:b.o(.x) }", "dead", 1),  # members go by their own name
        (".a : { b.o(.x) } .b : { lib.a:b.o(.x) }", "free", 0),
        # Flags.
        (".a : { INPUT_SECTION_FLAGS(SHF_WRITE) *(.x) } .b : { *(.x) }", "competes", 1),
        (
            ".a : { INPUT_SECTION_FLAGS(SHF_WRITE) *(.x) INPUT_SECTION_FLAGS(!SHF_WRITE) *(.x) } .b : { *(.x) }",
            "dead",
            2,
        ),
        (".a : { INPUT_SECTION_FLAGS(SHF_WRITE) *(.x) } .b : { INPUT_SECTION_FLAGS(!SHF_WRITE) *(.x) }", "free", 0),
        ("/DISCARD/ : { INPUT_SECTION_FLAGS(SHF_WRITE) *(.x) } .b : { *(.x) }", "dead", 1),  # ld discards regardless
        (".a : { INPUT_SECTION_FLAGS(SHF_NONSENSE) *(.x) } .b : { *(.x) }", "free", 0),
        # Of a pair of ONLY_IF_RO and ONLY_IF_RW one is always there.
        (".e : ONLY_IF_RO { *(.e) } .e : ONLY_IF_RW { *(.e) } .b : { *(.e) }", "dead", 2),
        (".e : ONLY_IF_RW { *(.e) } .e : ONLY_IF_RO { *(.e) } .b : { *(.e) }", "dead", 2),
        (".e : ONLY_IF_RO { *(.e .f) } .e : ONLY_IF_RW { *(.e) } .b : { *(.e) }", "competes", 2),
        (".e : ONLY_IF_RO { *(.e) } .b : { *(.e) }", "competes", 1),
        # Where it stands.
        ("SECTIONS { .a : { *(.x) } } SECTIONS { .b : { *(.x) } }", "dead", 1),
        (".a : { *(.x) } .a : { *(.x) }", "dead", 1),
        ("OVERLAY : { .a { *(.x) } .b { *(.x) } }", "dead", 1),
        ("GROUP 0 : { .a : { *(.x*) } } .b : { *(.xy) }", "dead", 1),
        ("SECTIONS { .a : { *(.x) } } INSERT BEFORE .b; SECTIONS { .b : { *(.x) } }", "dead", 1),
        (".a : { x.o } .b : { x.o(.x) }", "dead", 1),
        # What takes nothing keeps nothing from others.
        (".a : { *(.x) } .b : { *(.x) } .c : { *(.x*) }", "competes", 1),
    ],
)
def test_the_last_rule(text, state, earlier):
    reach = last(text)
    assert (reach.state.value, len(reach.earlier)) == (state, earlier), reach


def test_relations():
    found = rules(".a : { *(.x .x) *(.x) start = .; *(.x) . = ALIGN(8); *(.x) PROVIDE(end = .); *(.x) } .b : { *(.x) }")
    assert [relation(rule, found[0]) for rule in found[1:]] == [
        Relation.SAME_STATEMENT,
        Relation.SAME_STRETCH,
        Relation.SAME_OUTPUT,
        Relation.SAME_OUTPUT,
        Relation.SAME_OUTPUT,
        Relation.OTHER_OUTPUT,
    ]
    assert relation(found[4], found[3]) is Relation.SAME_STRETCH


def test_shadowing_of_a_name():
    found = rules(".data : { *(.data .data.*) } .rm : { s = .; *(.data.read_mostly .data.read_mostly.*) }")
    [name] = shadowing(found, ".data.read_mostly")
    assert name.state is State.DEAD
    assert [(taking.earlier.text, taking.witness.section, taking.relation) for taking in name.takings] == [
        ("*(.data.*)", ".data.read_mostly", Relation.OTHER_OUTPUT)
    ]
    assert [one.rule.text for one in shadowing(found, ".data.read_mostly*")] == [
        "*(.data.read_mostly)",
        "*(.data.read_mostly.*)",
    ]
    assert shadowing(found, ".data.raed_mostly") == ()
    [longer] = shadowing(rules(".a : { *(.rm) } .b : { *(.rm*) }"), ".rm")[1:]
    assert (longer.rule.text, longer.state) == ("*(.rm*)", State.DEAD)


def test_who_takes_a_section():
    found = rules(".a : { a.o(.x) } .b : { INPUT_SECTION_FLAGS(SHF_WRITE) *(.x*) } .c : { lib.a:*(.x) *(.x) }")
    assert [rule.output for rule in takers(found, ".x")] == [".b", ".c"]
    assert [rule.output for rule in takers(found, ".x", "a.o", 0)] == [".a", ".c"]
    assert [rule.text for rule in takers(found, ".x", "lib.a:m.o", 0)] == ["lib.a:*(.x)", "*(.x)"]
    taker = first_taker(found, ".xyz")
    assert taker is not None
    assert taker.output == ".b"
    assert first_taker(found, ".y") is None
    assert [(rule.output, shown.file) for rule, shown in reaching(found, ".x").takers] == [
        (".a", "a.o"),
        (".b", "x.o"),
        (".c", "lib.a:x.o"),
        (".c", "x.o"),
    ]
    assert [(rule.text, shown) for rule, shown, _ in asked_for(found, ".x", files("a.o"))][-1] == ("*(.x)", None)


def test_a_hostile_script_gets_an_answer():
    statements = " ".join(f"*(*a{'?' * (number % 37)}*[!b]{'?' * (number % 11)}*)" for number in range(120))
    BUDGET.renew()
    found = reaches(rules(f".a : {{ {statements} }} .b : {{ *(*b) }}"))
    assert len(found) == 121
    assert {reach.state for reach in found} >= {State.COMPETES}


PATTERNS = ["a", "b", "ab", "a*", "*b", "*", "?", "a?", "[ab]", "[!a]*", "*a*", "??", "b*b", "a*a"]
FILES = ["*", "*", "*", "*", "a.o", "*.o", "b*", "l.a:*", "l.a:a.o", ":a.o", ":", "*:", "l.a:", "b.o"]
EXCLUDES = ["a.o", "*a.o", "l.a", "l.a:", ":b.o", "*:b*"]
FLAGS = ["", "", "", "", "INPUT_SECTION_FLAGS(SHF_WRITE) ", "INPUT_SECTION_FLAGS(!SHF_WRITE & SHF_ALLOC) "]
# Every section that can be told apart with these patterns, as far as they are short.
SECTIONS = [
    (section, file, archive, flags)
    for section in map("".join, (word for n in range(1, 4) for word in itertools.product("abc", repeat=n)))
    for file, archive in [("a.o", None), ("b.o", None), ("c.o", None), ("a.o", "l.a"), ("b.o", "l.a"), ("c.o", "m.a")]
    for flags in (0, 1, 2, 3)
]


def random_script(chance: random.Random) -> str:
    text = []
    for number in range(chance.randint(2, 6)):
        name = chance.choice(["/DISCARD/", f".o{number}", f".o{number}"])
        statements = []
        for _ in range(chance.randint(1, 2)):
            file = chance.choice(FILES)
            if chance.random() < 0.2:
                file = f"EXCLUDE_FILE({chance.choice(EXCLUDES)}) {file}"
            patterns = []
            for _ in range(chance.randint(1, 2)):
                exclude = f"EXCLUDE_FILE({chance.choice(EXCLUDES)}) " if chance.random() < 0.15 else ""
                patterns.append(exclude + chance.choice(PATTERNS))
            statements.append(f"{chance.choice(FLAGS)}{file}({' '.join(patterns)})")
        text.append(f"{name} : {{ {' '.join(statements)} }}")
    return " ".join(text)


def test_reach_agrees_with_brute_force():
    chance = random.Random(5)
    for _ in range(CASES):
        BUDGET.renew()
        text = random_script(chance)
        compare_with_force(rules(text), SECTIONS, text)


TEN = "SECTIONS { .text : { *(EXCLUDE_FILE(%s) .rodata) *(.rodata) } }"


@pytest.mark.parametrize("count", [10, 200, 3000])
def test_a_long_exclude_file_is_no_question_of_combinations(count):
    entries = " ".join(f"*lib{number}.a:*f{number}.*" for number in range(count))
    first, second = reaches(rules(TEN % entries))
    assert (first.state, second.state) == (State.FREE, State.COMPETES)
    assert second.kept is not None
    assert re.fullmatch(r"lib(\d+)\.a:f\1\.", second.kept.file)
    # Each of them gets what was left out, but for one.
    some = [f".b : {{ *lib{number}.a:*f{number}.*(.rodata) }}" for number in range(min(count, 200))]
    found = rules(f".a : {{ *(EXCLUDE_FILE({entries}) .rodata) }} {' '.join(some[1:])} .z : {{ *(.rodata) }}")
    reach = reaches(found)[-1]
    assert reach.kept is not None
    assert not any(is_taken(rule, reach.kept) for rule in found[:-1])
    if count <= 200:
        found = rules(f".a : {{ *(EXCLUDE_FILE({entries}) .rodata) }} {' '.join(some)} .z : {{ *(.rodata) }}")
        reach = reaches(found)[-1]
        assert reach.state is State.DEAD
        assert len(reach.earlier) == count + 1


def test_what_the_budget_does_not_allow_is_not_decided():
    hopeless = " ".join(f"*(*[ab]{'?' * length})" for length in range(20, 60))
    found = rules(f".a : {{ {hopeless} }} .b : {{ *(*a{'?' * 40}*) *(.c) }}")
    reach = reaches(found)[-2]
    assert (reach.state, reach.earlier, reach.witness, reach.kept) == (State.UNDECIDED, (), None, None)
    assert BUDGET.undecided
    assert [rule.text for rule in reaching(found, "*").undecided]
    assert reaches(found)[-1].state is State.FREE


def test_many_questions_cost_no_more_than_the_budget():
    chance = random.Random(9)
    patterns = ["*" + "*".join(chance.choice("abcdefgh") for _ in range(4)) + "*" for _ in range(600)]
    found = rules(f".a : {{ {' '.join(f'*({pattern})' for pattern in patterns)} }} .b : {{ *(.x) }}")
    BUDGET.left = 0
    undecided = [reach for reach in reaches(found) if reach.state is State.UNDECIDED]
    assert len(undecided) > 300
    assert BUDGET.undecided >= len(undecided)
    with pytest.raises(TooComplexError):
        BUDGET.spend(1)
