"""Any input whatever: nothing raises, nothing hangs, and what is wrong is told in bounded space."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.script.agreement import SCRIPTS, files_below
from tests.script.fuzz import check
from tests.script.mutants import mutants

DEEP = 100_000
LONG = 10_000_000
NESTED = {
    "parentheses": "x = " + "(" * DEEP + "1" + ")" * DEEP + ";",
    "unary operators": "x = " + "-" * DEEP + "1;",
    "braces": "SECTIONS " + "{" * DEEP,
    "closing braces": "}" * DEEP,
    "groups": "SECTIONS { " + "GROUP 0 : { " * DEEP,
    "AS_NEEDED": "INPUT(" + "AS_NEEDED(" * DEEP,
    "extern": "VERSION { V { " + 'extern "C" { ' * DEEP,
    "conditions": "x = " + "1 ? 2 : " * DEEP + "3;",
    "functions": "x = " + "ALIGN(" * DEEP,
    "sorts": "SECTIONS { .a : { *(" + "SORT(" * DEEP,
    "sections": "SECTIONS {" + " .a : {" * DEEP,
}
LINES = {
    "a name": "x" * LONG,
    "a number": "x = " + "1" * LONG + ";",
    "a hexadecimal number": "x = 0x" + "f" * LONG + ";",
    "skipped characters": "@" * LONG,
    "an open comment": "/*" + "*" * LONG,
    "an open quotation": '"' + "a" * LONG,
    "a comment": "#" + "x" * LONG,
    "openings of comments": "/* " * (LONG // 10),
    "blanks": " " * LONG + "x = 1;",
}


@pytest.mark.parametrize("script", NESTED.values(), ids=NESTED)
def test_deep_nesting_is_an_error_and_not_a_crash(script: str) -> None:
    parsed = parse(Source("deep", script))
    assert not parsed.ok
    assert len(parsed.problems) <= 200


@pytest.mark.parametrize("script", LINES.values(), ids=LINES)
def test_a_line_of_ten_megabytes(script: str) -> None:
    parsed = parse(Source("long", script))
    assert len(parsed.problems) <= 200
    for problem in parsed.problems:
        assert len(problem.message) < 200


def test_a_chain_of_operators_may_be_of_any_length() -> None:
    check(b"x = 1" + b" + 1" * 5_000 + b";")
    check(b"x = a" + b" / (1 + 1)" * 2_000 + b";")


@pytest.mark.parametrize(
    ("data", "ok"),
    [
        (b"", True),
        (b"\0\0x = 1;\0", True),
        (b"/* \0 */ x = 1;", False),
        (b'"\0" = 1;', True),
        (b"SECTIONS {\r\n .a : { *(.a) }\r\n}\r\n", True),
        (b"SECTIONS { .a : { *(.a) } }\r", True),
        (b"# all of this\rx = (;\r", True),
        (b"x = 1;\r# the end", True),
        (b'"\xff\xfe" = 1; \xff\xff\xff y = 2;', True),
        (b"\xef\xbb\xbfx = 1;", True),
        (b"\x0c\x0bx = 1;", True),
        (b"\x7fELF\x02\x01\x01\0\0\0", False),
    ],
)
def test_bytes_that_are_no_text(data: bytes, ok: bool) -> None:
    from ldcheck.source import decode

    check(data)
    assert parse(Source("bytes", decode(data))).ok is ok


def test_warnings_do_not_hide_an_error() -> None:
    assert not parse(Source("noise", "@ " * 1000 + "x = ;")).ok


def test_mutants_print_back_and_have_places() -> None:
    scripts = [path.read_bytes() for path in files_below(SCRIPTS)]
    for _, _, data in mutants(scripts, 300, int(os.environ.get("LDCHECK_SEED", "5"))):
        check(data)


WORDS = """
SECTIONS MEMORY PHDRS VERSION { } ( ) ; , : = += ^ ? .text name "q" * *(.a) KEEP SORT EXCLUDE_FILE AT ALIGN > >R 1 0x10
dead 2G PROVIDE ASSERT INCLUDE OVERLAY GROUP global local extern ORIGIN LENGTH /DISCARD/ - ! ~ /* */ # REVERSE ASCIZ
LINKER_VERSION INPUT AS_NEEDED -l FILL BYTE [ ] & INPUT_SECTION_FLAGS NOLOAD TYPE
"""


@settings(max_examples=int(os.environ.get("LDCHECK_EXAMPLES", "300")), deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([*WORDS.split(), "\n"])).map(" ".join))
def test_any_row_of_words(text: str) -> None:
    check(text.encode())


@settings(max_examples=int(os.environ.get("LDCHECK_EXAMPLES", "300")), deadline=None, derandomize=True)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    check(data)
