"""Changes in the shape of those that say "no functional change": what is proved, and what is told of the others."""

from __future__ import annotations

import pytest

from ldcheck.compare.scripts import compare_scripts
from ldcheck.script.parser import parse
from ldcheck.source import Source

# What stands for BODY in the script, before and after.
BODY = (
    "SECTIONS { . = 0x100000; BODY .data : { *(.data .data.*) } .bss : { *(.bss) *(COMMON) } /DISCARD/ : { *(.exit) } }"
)
SAME = {
    "a size by its suffix": (". = ALIGN(4096);", ". = ALIGN(4K);"),
    "a size in hexadecimal": (". = ALIGN(2097152);", ". = ALIGN(0x200000);"),
    "a size by a shift": (". = ALIGN(4096);", ". = ALIGN(1 << 12);"),
    "a mask": ("x = . & 0xfff;", "x = . & ((1 << 12) - 1);"),
    "a sum of numbers": ("x = . + 0x30;", "x = . + 0x10 + 0x20;"),
    "a sum the other way round": ("x = y + 8;", "x = 8 + y;"),
    "a difference as a sum": ("x = y + 16 - 8;", "x = y + 8;"),
    "plus and assign": (". = . + 8;", ". += 8;"),
    "times and assign": ("x = 3; x = x * 2;", "x = 3; x *= 2;"),
    "parentheses": ("x = (y);", "x = y;"),
    "unary plus": ("x = +y;", "x = y;"),
    "a negative number": ("x = y + -8;", "x = y - 8;"),
    "blocks are alignments": (". = BLOCK(16);", ". = ALIGN(16);"),
    "comments": (".a : { *(.a) }", "/* a */ .a : { /* all of it */ *(.a) }"),
    "lines": (".a : { *(.a) *(.b) }", ".a :\n{\n  *(.a)\n  *(.b)\n}"),
    "quotes": (".a : { *(.a) }", '".a" : { *(".a") }'),
    "empty statements": (".a : { *(.a); }", ".a : { ; *(.a) ; }"),
    "patterns in another order": (".a : { *(.a .b) }", ".a : { *(.b .a) }"),
    "a pattern twice": (".a : { *(.a .a.*) }", ".a : { *(.a .a.* .a) }"),
    "a pattern that another one holds": (".a : { *(.a.* .b) }", ".a : { *(.a.* .a.x .b) }"),
    "a statement twice": (".a : { *(.a) }", ".a : { *(.a) *(.a) }"),
    "a statement behind a wildcard": (".a : { *(.a*) }", ".a : { *(.a*) *(.a.b) }"),
    "a statement in a later section": (".a : { *(.a .b) } .c : { *(.c) }", ".a : { *(.a .b) } .c : { *(.b) *(.c) }"),
    "what was discarded is taken already": (".exit : { *(.exit) }", ".exit : { *(.exit) *(.exit) }"),
    "names of sorts": (".a : { *(SORT(.a.*)) }", ".a : { *(SORT_BY_NAME(.a.*)) }"),
    "files left out in another order": (
        ".a : { *(EXCLUDE_FILE(x.o y.o) .a) }",
        ".a : { *(EXCLUDE_FILE(y.o x.o) .a) }",
    ),
    "an alignment twice": (".a : { *(.a) . = ALIGN(8); x = .; }", ".a : { *(.a) . = ALIGN(8); . = ALIGN(8); x = .; }"),
    "cut into two SECTIONS": (".a : { *(.a) } .b : { *(.b) }", ".a : { *(.a) } } SECTIONS { .b : { *(.b) }"),
    "an entry elsewhere": ("ENTRY(go) .a : { *(.a) }", ".a : { *(.a) } ENTRY(go)"),
    "an architecture elsewhere": (
        ".a : { *(.a) } } OUTPUT_ARCH(i386:x86-64) SECTIONS {",
        "} OUTPUT_ARCH(i386:x86-64) SECTIONS { .a : { *(.a) }",
    ),
    "start and end symbols exchanged": ("b_end = .; c_start = .;", "c_start = .; b_end = .;"),
    "hidden symbols exchanged": ("HIDDEN(b = .); HIDDEN(c = . + 4);", "HIDDEN(c = . + 4); HIDDEN(b = .);"),
    "symbols in a body exchanged": (".a : { x = .; y = .; *(.a) }", ".a : { y = .; x = .; *(.a) }"),
    "an ASSERT with another message": ('ASSERT(x < 4, "x")', 'ASSERT(x < 4, "x is too large")'),
    "an ASSERT with another message in an assignment": (
        '_ = ASSERT(x % 8 == 0, "not 8");',
        '_ = ASSERT(x % 8 == 0, "x is not a multiple of 8");',
    ),
    "an alignment of 1": (".a : { *(.a) }", ".a : ALIGN(1) { *(.a) }"),
    "an ASSERT with a number written otherwise": ('ASSERT(x < 0x1000, "")', 'ASSERT(x < 4K, "")'),
    "fill": (".a : { *(.a) } =0x90", ".a : { *(.a) } =(0x90)"),
    "data": (".a : { LONG(0x10 + 1) *(.a) }", ".a : { LONG(17) *(.a) }"),
    "a load address": (
        ".a : AT(ADDR(.a) - 0x1000) { *(.a) }",
        ".a : AT(ADDR(.a) - (1 << 12)) { *(.a) }",
    ),
    "a symbol set twice": ("x = 1; .a : { *(.a) } x = .;", ".a : { *(.a) } x = .;"),
    "a symbol set in a body that others keep": (
        ".a : { *(.a) x = .; y = .; } . = ALIGN(8); x = .;",
        ".a : { *(.a) y = .; } . = ALIGN(8); x = .;",
    ),
}
# By what is said of them. The last one does the same, and that is not known here.
OTHERS = {
    "patterns to statements": (".a : { *(.a .b) }", ".a : { *(.a) *(.b) }", "`*(.a .b)` is gone"),
    "another order of statements": (".a : { *(.a) *(.b) }", ".a : { *(.b) *(.a) }", "stands elsewhere"),
    "under KEEP": (".a : { *(.a) }", ".a : { KEEP(*(.a)) }", "`*(.a)` is under KEEP() now"),
    "a wildcard ahead": (".a : { *(.a.b) *(.a.*) }", ".a : { *(.a.*) *(.a.b) }", "takes nothing any more"),
    "a symbol renamed": ("x = .;", "z = .;", "`x = .` is gone"),
    "a symbol behind the padding": ("x = .; . = ALIGN(8);", ". = ALIGN(8); x = .;", "stands elsewhere"),
    "a symbol into the section": ("x = .; .a : { *(.a) }", ".a : { x = .; *(.a) }", "`x = .`"),
    "symbols that depend on each other": ("x = .; y = x;", "y = x; x = .;", "stands elsewhere"),
    "another alignment": (
        ".a : ALIGN(8) { *(.a) }", ".a : ALIGN(16) { *(.a) }", "the output section .a: `ALIGN(16)` was `ALIGN(8)`",
    ),
    "another region": (".a : { *(.a) } >r", ".a : { *(.a) }", "the output section .a: `> r` is gone"),
    "another load address": (
        ".a : AT(x) { *(.a) }", ".a : { *(.a) } >r AT> r", "section .a: `AT(x)` is gone, `> r` is new, `AT> r` is new",
    ),
    "no longer under KEEP": (".a : { KEEP(*(.a)) }", ".a : { *(.a) }", "`*(.a)` is no longer under KEEP()"),
    "a symbol in another section": (
        ".a : { *(.a) x = .; } .b : { *(.b) }", ".a : { *(.a) } .b : { *(.b) x = .; }",
        "`x = .` was in .a, and is in .b now",
    ),
    "an alignment of 1 for one of two": (
        ".a : ALIGN(8) { *(.a) } .b : { *(.b) } .a : { *(.c) }",
        ".a : ALIGN(8) { *(.a) } .b : { *(.b) } .a : ALIGN(1) { *(.c) }", "the output section .a: `ALIGN(1)` is new",
    ),
    "an alignment of 2": (".a : { *(.a) }", ".a : ALIGN(2) { *(.a) }", "the output section .a: `ALIGN(2)` is new"),
    "an alignment of 1 in another format": (
        "} OUTPUT_FORMAT(pei-x86-64) SECTIONS { .a : { *(.a) }",
        "} OUTPUT_FORMAT(pei-x86-64) SECTIONS { .a : ALIGN(1) { *(.a) }", "the output section .a: `ALIGN(1)` is new",
    ),
    "a stricter ASSERT": ('ASSERT(x < 8, "")', 'ASSERT(x < 4, "")', "ASSERT(x < 4) was ASSERT(x < 8)"),
    "an ASSERT that is gone": ('ASSERT(x < 8, "")', "", "ASSERT(x < 8) is gone"),
    "a file that is loaded": (".a : { x.o(.a) *(.a) }", ".a : { *(.a) }", "`x.o(.a)` is gone"),
    "dot from the other side": (".a : { . = . + 0; }", ".a : { . = 0 + .; }", "`. = 0 + .`"),
    "a symbol set twice, and used between": (
        "x = 1; y = x; .a : { *(.a) } x = .;", "y = x; .a : { *(.a) } x = .;", "`x = 1` is gone",
    ),
    "a symbol set twice, the second time perhaps": (
        "x = 1; .a : { *(.a) } PROVIDE(x = .);", ".a : { *(.a) } PROVIDE(x = .);", "`x = 1` is gone",
    ),
    "a symbol set twice, from another one": (
        "x = y; .a : { *(.a) } x = .;", ".a : { *(.a) } x = .;", "`x = y` is gone",
    ),
    "what alone keeps a section": (
        ".a : { *(.a) x = .; } x = .;", ".a : { *(.a) } x = .;", "`x = .` is gone",
    ),
    "an empty section": (".a : { *(.a) } .b : { }", ".a : { *(.a) }", "the output section .b is gone"),
}  # fmt: skip


def said(before: str, after: str) -> list[str]:
    """The messages of what differs."""
    memory = "MEMORY { r : ORIGIN = 0x100000, LENGTH = 1M }\n"
    texts = [memory + BODY.replace("BODY", body) for body in (before, after)]
    old, new = (parse(Source("t.lds", text)) for text in texts)
    assert old.ok, old.problems
    assert new.ok, new.problems
    return [entry.message for entry in compare_scripts(old, new).entries]


@pytest.mark.parametrize(("before", "after"), SAME.values(), ids=SAME)
def test_what_changes_nothing_is_proved(before: str, after: str) -> None:
    assert said(before, after) == []
    assert said(after, before) == []


@pytest.mark.parametrize(("before", "after", "message"), OTHERS.values(), ids=OTHERS)
def test_what_may_change_something_is_told(before: str, after: str, message: str) -> None:
    assert any(message in one for one in said(before, after)), said(before, after)
    assert said(after, before)


def test_a_moved_line_is_one_entry_with_what_follows_from_it() -> None:
    old = "SECTIONS { .text : { *(.text) } .init : { *(.text.startup) } .rest : { *(.text.*) } }"
    new = "SECTIONS { .text : { *(.text) } .rest : { *(.text.*) } .init : { *(.text.startup) } }"
    (entry, *others) = compare_scripts(parse(Source("a", old)), parse(Source("b", new))).entries
    assert entry.message == "the output section .init stands elsewhere"
    taken = "sections such as .text.startup went to .init (`*(.text.startup)`, line 1), and go to .rest"
    assert [fact.startswith(taken) for fact in entry.facts] == [True]
    assert [other.kind for other in others] == []


def test_lost_guarantees_are_told() -> None:
    old = "SECTIONS { .a : { *(.a) } . = ALIGN(4096); x = .; .b : { *(.b) } }"
    entries = compare_scripts(parse(Source("a", old)), parse(Source("b", old.replace("4096", "64")))).entries
    assert [entry.message for entry in entries if entry.kind == "address"] == [
        "x: a guarantee is lost; it was a multiple of 4096, and is a multiple of 64"
    ]
