"""Glob patterns as languages: against fnmatch(3), against brute force, and against another automata library."""

from __future__ import annotations

import ctypes
import itertools
import os
import random

import greenery
import pytest

from ldcheck.sections.budget import BUDGET, TooComplexError
from ldcheck.sections.globs import (
    Glob,
    fnmatch_glob,
    has_wildcard,
    includes,
    name_glob,
    overlaps,
    section_glob,
    witness,
)

ALPHABET = "ab."
# For longer runs: LDCHECK_RANDOM_CASES=100000.
CASES = int(os.environ.get("LDCHECK_RANDOM_CASES", "1500"))


def words(longest: int, alphabet: str = ALPHABET):
    for length in range(longest + 1):
        yield from map("".join, itertools.product(alphabet, repeat=length))


def random_pattern(chance: random.Random, parts: str = "aab..**?", longest: int = 6) -> str:
    chosen = [*parts, "[ab]", "[!a]", "[^b.]", "[a-b]"]
    return "".join(chance.choice(chosen) for _ in range(chance.randint(0, longest)))


def test_matching_is_that_of_the_c_library():
    c_library = ctypes.CDLL(None)
    chance = random.Random(1)
    different = []
    for _ in range(CASES * 4):
        pattern = "".join(chance.choice("aabc-*?[]!^\\:.") for _ in range(chance.randint(1, 9)))
        glob = fnmatch_glob(pattern)
        for _ in range(8):
            name = "".join(chance.choice("aabc-*?[]!^\\:.") for _ in range(chance.randint(0, 5)))
            # An unclosed bracket that holds another `[` depends on what fnmatch read before.
            taken = c_library.fnmatch(pattern.encode(), name.encode(), 0) == 0
            if taken != glob.matches(name) and pattern.count("[") < 2:
                different.append((pattern, name))
    assert different == []


@pytest.mark.parametrize(
    "pattern", ["[[:alpha:]]x", "[[:digit:]-z]", "[a[:foo:]]", "[[=a=]b]", "[[.a.]-c]", "[[.-.]z]"]
)
def test_classes_are_those_of_the_c_library(pattern):
    c_library = ctypes.CDLL(None)
    glob = fnmatch_glob(pattern)
    for name in map("".join, itertools.product("ab1-z:]x[", repeat=2)):
        assert glob.matches(name) == (c_library.fnmatch(pattern.encode(), name.encode(), 0) == 0), name


@pytest.mark.parametrize(
    ("pattern", "taken", "refused"),
    [
        (".text.*", [".text.", ".text.a", ".text.*"], [".text", "x.text.a"]),
        ("*", ["", "a/b", ".hidden"], []),
        (".a*a", [".aa", ".aba", ".a"], [".", ".ab"]),  # ld compares both ends, and lets them overlap
        (".ab*b", [".ab", ".abb"], [".a"]),
        (r".a\*", [r".a\x", ".a\\"], [".a*"]),  # a backslash ahead of the first wildcard is a plain character
        (r"*[x]\*b", ["yx*b"], ["yxzb", r"yx\*b"]),  # behind it, it escapes
        (r"?*\x", ["a\\x"], ["ax"]),  # but the end is compared as it stands as well
        (r"\*", ["\\", "\\x"], ["*"]),
        ("[ab", ["[ab"], ["a"]),
        ("[!ab]x", ["cx", ".x", "/x"], ["ax", "x"]),
        ("[^ab]x", ["cx"], ["ax", "bx"]),
        ("[]]", ["]"], ["[]]"]),
        ("[z-a]", [], ["z", "a", "[z-a]"]),
        ("a?c", ["abc", "a.c"], ["ac", "abbc"]),
    ],
)
def test_a_section_pattern_matches_as_in_ld(pattern, taken, refused):
    glob = section_glob(pattern)
    assert [name for name in taken if not glob.matches(name)] == []
    assert [name for name in refused if glob.matches(name)] == []
    # The automaton reads the pattern as matching does.
    for name in taken + refused:
        literal = Glob(name, (tuple(name),))
        assert overlaps(literal, glob) == (name in taken)
        assert (witness((glob, _spelled(name))) is not None) == (name in taken)


def _spelled(name: str) -> Glob:
    """A glob for one name which is no literal to the shortcuts."""
    return Glob(name, (tuple(name), tuple(name)))


def test_a_pattern_of_a_file_list_escapes_only_where_ld_asks_fnmatch():
    assert name_glob(r"lib\x*").matches(r"lib\xy")
    assert name_glob(r"l\b*").matches("lb")
    assert name_glob(r"l\b").matches(r"l\b")
    assert has_wildcard("a[")
    assert not has_wildcard(r"a\b")


def test_matching_and_automata_agree_with_brute_force():
    chance = random.Random(2)
    names = list(words(5))
    for _ in range(CASES // 10):
        BUDGET.renew()
        glob = section_glob(random_pattern(chance))
        for name in chance.sample(names, 12):
            assert glob.matches(name) == (witness((glob, _spelled(name))) is not None), (glob, name)


def test_witnesses_are_shortest_by_brute_force():
    chance = random.Random(3)
    names = list(words(5))
    for _ in range(CASES // 3):
        BUDGET.renew()
        wanted = [section_glob(random_pattern(chance)) for _ in range(chance.choice([1, 1, 2]))]
        unwanted = [section_glob(random_pattern(chance)) for _ in range(chance.randint(0, 3))]
        found = witness(wanted, unwanted)
        matching = [
            name
            for name in names
            if all(glob.matches(name) for glob in wanted) and not any(glob.matches(name) for glob in unwanted)
        ]
        if found is None:
            assert matching == [], (wanted, unwanted)
        else:
            assert all(glob.matches(found) for glob in wanted), (found, wanted)
            assert not any(glob.matches(found) for glob in unwanted), (found, unwanted)
            # The empty name is the last resort.
            assert not matching or len(found) <= min((len(name) for name in matching if name), default=0)


def _machine(glob: Glob):
    """The same language by greenery."""
    fsm = None
    for tokens in glob.alternatives:
        text = ""
        for token in tokens:
            if token is None:
                text += ".*"
            elif isinstance(token, str):
                text += f"[{token}]" if token in ".a-b" else token
            else:
                text += "[" + "".join(c for c in ALPHABET if any(low <= ord(c) <= high for low, high in token)) + "]"
        text = text.replace(".*", "[ab.]*")
        one = greenery.parse(text).to_fsm() if text else greenery.parse("").to_fsm()
        fsm = one if fsm is None else fsm | one
    return fsm


def test_inclusion_and_overlap_agree_with_another_automata_library():
    chance = random.Random(4)
    # Only characters of the alphabet: to the other library nothing else exists.
    others = Glob("other", ((None, ((1, 45), (47, 96), (99, 0x10FFFF)), None),))
    for _ in range(CASES // 30):
        BUDGET.renew()
        inner = section_glob(random_pattern(chance, longest=5))
        outer = [section_glob(random_pattern(chance, longest=5)) for _ in range(chance.randint(1, 3))]
        union = _machine(outer[0])
        for glob in outer[1:]:
            union = union | _machine(glob)
        assert includes([*outer, others], inner) == (_machine(inner) - union).empty(), (inner, outer)
        met = witness((inner, outer[0]), (others,)) is not None
        assert met == (not (_machine(inner) & _machine(outer[0])).empty()), (inner, outer[0])
        assert overlaps(inner, outer[0]) or not met


def test_a_witness_is_readable():
    assert witness((section_glob("*"),)) == "a"
    assert witness((section_glob(".data.*"),), (section_glob(".data."),)) == ".data.a"
    assert witness((section_glob("[!a-z]*"),)) == "0"
    assert witness((section_glob("*"),), (section_glob("?*"),)) == ""
    assert witness((section_glob("*"),), (section_glob("*"),)) is None


@pytest.mark.parametrize("pattern", ["*a" * 400, "?" * 2000 + "*", "*" * 5000, "[a-z]*" * 200, "*[!a]b" * 300])
def test_hostile_patterns_are_matched_without_backtracking(pattern):
    glob = section_glob(pattern)
    names = ("a" * 3000, "ab" * 1500, "")
    assert [glob.matches(name) for name in names] == [fnmatch_glob(pattern).matches(name) for name in names]


def test_a_hopeless_question_is_refused():
    wanted = section_glob("*a" + "?" * 40 + "*")
    unwanted = [section_glob("*b" + "?" * length) for length in range(20, 60)]
    with pytest.raises(TooComplexError):
        witness((wanted,), unwanted, limit=2000)
