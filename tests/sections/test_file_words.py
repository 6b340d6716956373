"""What the words for files take, as languages and of the files of a link: both say the same, for every linker."""

from __future__ import annotations

import pytest

from ldcheck.image.model import InputSection
from ldcheck.linker import Linker
from ldcheck.script.dialect import GNU, LLD
from ldcheck.script.parser import parse
from ldcheck.script.syntax import Word
from ldcheck.sections.file_words import files_of, has_colons, in_file_of_lld, is_told
from ldcheck.sections.left import State
from ldcheck.sections.matching import in_files
from ldcheck.sections.reach import reaches
from ldcheck.sections.rules import input_rules
from ldcheck.source import Source
from tests.sections.random_links import EXCLUDES

FILES = [
    ("a.o", ""),
    ("b.o", ""),
    ("sub/d.o", ""),
    ("lib1.a", "e.o"),
    ("lib2.a", "g.o"),
    ("lib1.a", "a.o"),
    ("x.o", "b.o"),
]
WORDS = [
    *dict.fromkeys(EXCLUDES),
    "*",
    "lib1.a:*.o",
    "*lib*",
    "*/d.o",
    "a*.o",
    "lib1.a:e.o:f",
    "*.a:e.o",
    "??????:e.o",
    "d\\.o",
]


def section(file: str, member: str) -> InputSection:
    return InputSection(file, member, ".x", 1, 4, 1, "PROGBITS", 2)


@pytest.mark.parametrize("version", [14, 19, 20, 22])
@pytest.mark.parametrize("quoted", [False, True])
def test_what_lld_takes(version: int, quoted: bool) -> None:
    linker = Linker("lld", (version,))
    told = 0
    for text in WORDS:
        word = Word(text, quoted, start=0, end=0)
        if not is_told(linker, word):
            continue
        told += 1
        found = files_of(linker, word)
        for file, member in FILES:
            taken = found.takes(member, file) if member else found.takes(file)
            assert taken is in_file_of_lld(word, section(file, member), colons=has_colons(linker)), (text, file, member)
    # Not told are several wildcards that may take the colon, and brackets.
    assert told == len(WORDS) if quoted else len(WORDS) - 5 <= told < len(WORDS)


@pytest.mark.parametrize("excluded", ["*e.o", "lib1.a:e.o", "*b.o", "*:e.o"])
def test_what_exclude_file_leaves_out_for_lld(excluded: str) -> None:
    linker = Linker("lld", (19,))
    word = Word(excluded, start=0, end=0)
    found = files_of(linker, Word("*", start=0, end=0), (), (word,))
    for file, member in FILES:
        taken = found.takes(member, file) if member else found.takes(file)
        assert taken is not in_file_of_lld(word, section(file, member), colons=False), (file, member)


@pytest.mark.parametrize("version", [(2, 35), (2, 40), (2, 44), (2, 47)])
def test_what_gnu_ld_takes(version: tuple[int, ...]) -> None:
    linker = Linker("gnu", version)
    for text in WORDS:
        parsed = parse(Source("t.lds", f"SECTIONS {{ .x : {{ {text}(.x) }} }}"), dialect=GNU)
        (rule,) = input_rules(parsed.tree, linker)
        for file, member in FILES:
            taken = rule.files.takes(member, file) if member else rule.files.takes(file)
            wanted = in_files(rule, section(file, member), by_member=version >= (2, 44))
            assert taken is wanted, (text, file, member)


# The state of the second rule.
CASES = [
    ("b.o(.x)", "*:b.o(.x)", {"gnu=2.40": State.FREE, "gnu=2.44": State.DEAD, "lld=19": State.FREE}),
    ("lib.a(.x)", "lib.a:*(.x)", {"gnu=2.35": State.DEAD, "gnu=2.40": State.FREE, "gnu=2.47": State.DEAD}),
    ("*b.o(.x)", "lib.a:b.o(.x)", {"gnu=2.40": State.DEAD, "lld=14": State.DEAD, "lld=22": State.DEAD}),
    # GNU ld has no member whose name ends so.
    ("*.a:b.o(.x)", "lib.a:b.o(.x)", {"gnu=2.40": State.DEAD, "lld=19": State.DEAD}),
    (":b.o(.x)", "b.o(.x)", {"gnu=2.40": State.DEAD, "lld=19": State.FREE, "lld=21": State.DEAD}),
    ("lib.a:b*(.x)", "lib.*(.x)", {"gnu=2.40": State.FREE, "lld=19": State.COMPETES}),
]


@pytest.mark.parametrize(("first", "second", "wanted"), CASES)
def test_what_is_shadowed_follows_the_linker(first: str, second: str, wanted: dict[str, State]) -> None:
    found = {}
    for said in wanted:
        kind, _, version = said.partition("=")
        dialect = LLD if kind == "lld" else GNU
        parsed = parse(Source("t.lds", f"SECTIONS {{ .a : {{ {first} }} .b : {{ {second} }} }}"), dialect=dialect)
        linker = Linker(kind, tuple(map(int, version.split("."))))
        found[said] = reaches(input_rules(parsed.tree, linker))[1].state
    assert found == wanted
