"""What a reader of the manual alone gets wrong: each line is asked of GNU ld and of the parser."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.script.dialect import LLD
from ldcheck.script.parser import parse
from ldcheck.script.printer import print_tree
from ldcheck.script.syntax import SectionPattern, same, walk
from ldcheck.source import Source
from tests.script.verdict import judge
from tests.support.build import assemble, link

ACCEPTED = """
OUTPUT_FORMAT(a,b,c)
x =1;
x =1,
KEEP = 1;
BYTE = 1;
"len" = 1;
x = dead;
x = 09 + 017 + 10h + 10b;
x = $10;
x = 2K + 1M;
x = a/b;
x = \x0c 5 @ ' ` \x01;
x = ^ 5;
SECTIONS { .text :{ } }
SECTIONS { .text 0x10:{ } }
SECTIONS { .text : { x=.; } }
SECTIONS { .text : { len = _etext-_stext; } }
SECTIONS { .text : { o = 1; ; MEMORY = 2; } }
SECTIONS { .text : { *(SORT(EXCLUDE_FILE(f) .a)) *(.a,, .b) } }
SECTIONS { .text (FOO) : { } }
SECTIONS { .text : { *(.a) } > RAM, }
SECTIONS { .text : { KEEP(*(.a)) KEEP(a.o) } }
SECTIONS { ASSERT(1, "x") ENTRY(foo) x = 1; y = 2, }
SECTIONS { .a : { } =0x90 /DISCARD/ : { } }
SECTIONS { /DISCARD/ : { *(.a) } }
SECTIONS { .a : { BYTE(1) LONG(2); ASSERT(1, "x"); } }
MEMORY { A (rx): ORIGIN =0, LENGTH = 5 }
MEMORY { A : org = 0 , l = 5 B : o = 1 , len = 6 }
INPUT(a # b)
#include <what.h>
x = 1; # to the end of the line ( { "
INPUT(a;b{}c)
INPUT(a,)
EXTERN(a b,c)
NOCROSSREFS(.a .b,.c)
HLL()
VERSION { { global: *; }; }
x = SEGMENT_START("a", 1) + SIZEOF(.a-b);
"""

REFUSED = """
x=1;
.=1;
x = a ^^ b c;
PROVIDE(x=1);
PROVIDE(x = 1)
len = 1;
o = 1;
x = 2G;
x = _etext -_stext 1;
len = _etext-_stext;
x = 1
x = (1;
x = 1/0;
x = 4 % (2 - 2);
x = 0x8000000000000000 / -1;
x = ALIGN();
x = MAX(1);
x = SIZEOF();
x = a/* comment */;
x = DEFINED(a-b);
SECTIONS{.text:{}}
SECTIONS { .text: { } }
SECTIONS { ; }
SECTIONS { .text : { }; }
SECTIONS { .text : { }
SECTIONS { ASSERT(1, "x"); }
SECTIONS { .text : { ASSERT(1, "x") } }
SECTIONS { .text : { KEEP(*(.a) *(.b)) } }
SECTIONS { .text : { *(SORT(.a .b)) } }
SECTIONS { .text : { *(EXCLUDE_FILE(f) SORT(.a)) } }
SECTIONS { .text : { *(SORT_BY_INIT_PRIORITY(SORT(.a))) } }
SECTIONS { .text : { SORT_BY_ALIGNMENT(*)(.a) } }
SECTIONS { .text : { *() } }
SECTIONS { .text : { INPUT_SECTION_FLAGS(A|B) *(.a) } }
SECTIONS { .text (NOLOAD) ALIGN(16) : { } }
SECTIONS { .text : ALIGN(16) AT(0) { } }
SECTIONS { .text : ALIGN(16) ALIGN_WITH_INPUT { } }
SECTIONS { .text : { } :ph >R }
SECTIONS { .text : { } =0 :ph }
SECTIONS { .text : AT(0) { } > A AT> B }
SECTIONS { .text : { FILL(symbol) } }
SECTIONS { .text : { } =symbol }
SECTIONS { .a : { } =0 dead : { } }
SECTIONS { .a : { } =1 len : { } }
SECTIONS { .text : { .data : { } } }
SECTIONS { GROUP : { } }
MEMORY { A : ORIGIN=0, LENGTH = 5 }
MEMORY { A : ORIGIN = 0, LENGTH = 5 FCB : ORIGIN = 0, LENGTH = 5 }
MEMORY { A : o = 1 len = 6 }
MEMORY { A (rz) : ORIGIN = 0, LENGTH = 5 }
MEMORY { A : ORIGIN = 0 len = 5 }
MEMORY { A : ORIGIN = 0, LENGTH = 5 } REGION_ALIAS("A" , "A")
REGION_ALIAS(FLASH, F1)
OUTPUT_FORMAT(a, b, c)
PHDRS { a PT_FOO; }
PHDRS { a PT_LOAD FLAGS; }
PHDRS { a PT_LOAD; b PT_LOAD PHDRS; }
PHDRS { a PT_LOAD }
VERSION { }
VERSION { V { a } ; }
VERSION { V { local: a; global: b; }; }
VERSION { V { a; }; V { b; }; }
VERSION { V { a; } W; }
VERSION { { a; }; V { b; }; }
VERSION { V { a; }; W { local: a; }; }
VERSION { V { extern "Pascal" { a; }; }; }
INPUT()
INPUT(a ,)
EXTERN()
STARTUP(a) STARTUP(b)
LD_FEATURE("FAST")
/* no end
/* \0 */
x = "no end;
{
}
"""


def lines(table: str) -> list[str]:
    found = [line.replace("\\x0c", "\x0c").replace("\\x01", "\x01").replace("\\0", "\0") for line in table.split("\n")]
    return [line for line in found if line]


@pytest.mark.parametrize("script", lines(ACCEPTED))
def test_accepted(script: str, tmp_path: Path) -> None:
    assert parse(Source("script", script)).ok
    assert judge(script.encode(), tmp_path).accepted


@pytest.mark.parametrize("script", lines(REFUSED))
def test_refused(script: str, tmp_path: Path) -> None:
    assert not parse(Source("script", script)).ok
    assert not judge(script.encode(), tmp_path).accepted


NEWER = {
    "x = a ^ b;": "2.42",
    "x ^= 1;": "2.42",
    'SECTIONS { .a : { ASCIZ "text" } }': "2.41",
    "SECTIONS { .a : { LINKER_VERSION } }": "2.41",
    "SECTIONS { .a : { *(REVERSE(.a) SORT(REVERSE(.b)) REVERSE(SORT_BY_INIT_PRIORITY(.d))) } }": "2.42",
    "SECTIONS { .a : { REVERSE(*)(.a) SORT(REVERSE(*))(.b) REVERSE(SORT(*))(.c) KEEP(REVERSE(*)(.a)) } }": "2.42",
}  # fmt: skip


@pytest.mark.parametrize("script", NEWER)
def test_what_newer_linkers_read_is_accepted_and_named(script: str) -> None:
    parsed = parse(Source("script", script))
    assert parsed.ok
    assert {problem.since for problem in parsed.problems} == {NEWER[script]}


@pytest.mark.parametrize(
    ("script", "tree"),
    [
        ("SECTIONS { .a : { ASCIZ } }", "patterns=None"),
        ("SECTIONS { .a : { REVERSE(.b) *(REVERSE) } }", "pattern=Word(text='REVERSE'"),
    ],
)
def test_words_that_became_keywords_stay_names_where_only_old_linkers_read_them(script: str, tree: str) -> None:
    parsed = parse(Source("script", script))
    assert parsed.ok
    assert not parsed.problems
    assert tree in repr(parsed.tree)


@pytest.mark.parametrize(
    "script",
    [
        "OVERWRITE_SECTIONS { .a : { *(.a) } }",
        "SECTIONS { .a : { *(SORT(.a .b) .c) } }",
        "SECTIONS { .a : { *(SORT(SORT_BY_ALIGNMENT(EXCLUDE_FILE(x) .a .b))) } }",
        'SECTIONS { .a : { ASSERT(1, "x") *(.a) } }',
        "OUTPUT_FORMAT(elf64-x86-64, elf64-x86-64, elf64-x86-64)",
        "PROVIDE(x=1);",
    ],
)
def test_what_lld_reads_beyond_gnu_ld_is_a_dialect(script: str, tmp_path: Path) -> None:
    linked = link(tmp_path, script, [assemble(tmp_path, ".globl _start; _start: nop")], linker="ld.lld-19")
    assert linked.ok, linked.output
    assert parse(Source("script", script), dialect=LLD).ok
    assert not parse(Source("script", script)).ok


def test_names_behind_a_pattern_share_what_is_in_front_of_it_for_lld() -> None:
    script = "SECTIONS { .a : { *(EXCLUDE_FILE(x) .a .b, .c) *(SORT(.d .e)) } }"
    parsed = parse(Source("script", script), dialect=LLD)
    patterns = [node for node in walk(parsed.tree) if isinstance(node, SectionPattern)]
    shown = [(node.pattern.text, [word.text for word in node.exclude], node.sorts) for node in patterns]
    assert shown == [
        (".a", ["x"], ()),
        (".b", ["x"], ()),
        (".c", ["x"], ()),
        (".d", [], ("SORT",)),
        (".e", [], ("SORT",)),
    ]
    assert same(parsed.tree, parse(Source("printed", print_tree(parsed.tree)), dialect=LLD).tree)


@pytest.mark.parametrize("script", ["SECTIONS { CLASS(c) { *(.a) } .b : { CLASS(c) *(.b) } }"])
def test_section_classes_are_lld_only(script: str) -> None:
    assert parse(Source("script", script), dialect=LLD).ok
    assert not parse(Source("script", script)).ok
