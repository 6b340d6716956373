"""The rules of a script in the order in which GNU ld tries them."""

from __future__ import annotations

from ldcheck.image.model import InputSection
from ldcheck.script.dialect import LLD
from ldcheck.script.parser import parse
from ldcheck.sections.assign import assign
from ldcheck.sections.left import State
from ldcheck.sections.reach import reaches
from ldcheck.sections.rules import input_rules
from ldcheck.sections.sorting import BY_ALIGNMENT_NAME, BY_NAME, BY_NAME_ALIGNMENT, NONE, order_of, priority
from ldcheck.source import Source
from tests.sections.scripts import rules


def test_rules_come_in_the_order_of_the_script():
    found = rules(
        """
        SECTIONS { .a : { KEEP(*(.x .y)) } /DISCARD/ : { *(.z) } }
        SECTIONS { OVERLAY : { .b { *(.b) } .c { b.o } } .a : { *(.x) } }
        INSERT AFTER .last;
        SECTIONS { .last : { *(*) } }
        """
    )
    assert [(rule.index, rule.output, rule.text) for rule in found] == [
        (0, ".a", "KEEP(*(.x))"),
        (1, ".a", "KEEP(*(.y))"),
        (2, "/DISCARD/", "*(.z)"),
        (3, ".b", "*(.b)"),
        (4, ".c", "b.o"),
        (5, ".a", "*(.x)"),
        (6, ".last", "*(*)"),
    ]
    assert [rule.discards for rule in found] == [False, False, True, False, False, False, False]
    assert [rule.keep for rule in found][:3] == [True, True, False]


def test_an_included_file_stands_where_it_is_included():
    files = {"inner.ld": "*(.inner)", "outer.ld": ".o : { *(.outer) }"}
    parsed = parse(
        Source("t.lds", "SECTIONS { .a : { *(.first) INCLUDE inner.ld *(.last) } INCLUDE outer.ld }"),
        include=lambda name, *_: Source(name, files[name]),
    )
    assert parsed.ok
    assert [rule.text for rule in input_rules(parsed.tree)] == ["*(.first)", "*(.inner)", "*(.last)", "*(.outer)"]


def test_a_rule_says_what_it_wants():
    [rule] = rules(
        ".a : { KEEP(INPUT_SECTION_FLAGS(SHF_WRITE & !SHF_TLS) SORT(EXCLUDE_FILE(a.o) *.o)(EXCLUDE_FILE(b.o) .x)) }"
    )
    assert (
        rule.text == "KEEP(INPUT_SECTION_FLAGS(SHF_WRITE & !SHF_TLS) SORT(EXCLUDE_FILE(a.o) *.o)(EXCLUDE_FILE(b.o) .x))"
    )
    assert (rule.required, rule.forbidden) == (1, 0x400)
    assert [rule.takes(".x", file) for file in ("a.o", "b.o", "c.o", "c.a")] == [False, False, True, False]
    assert rule.takes(".x", "c.o", None, 1)
    assert not rule.takes(".x", "c.o", None, 0x401)


def test_symbols_divide_an_output_section():
    found = rules(".a : { *(.x) . = ALIGN(8); *(.y) start = .; *(.z) PROVIDE_HIDDEN(end = .); *(.w) }")
    assert [rule.stretch for rule in found] == [0, 0, 1, 2]


def test_how_a_statement_sorts():
    statement = rules(".a : { *(SORT(.x) .y .init SORT_BY_ALIGNMENT(.z)) }")[0].statement
    assert order_of(statement, "alignment").sorts == (BY_NAME_ALIGNMENT, "by_alignment", NONE, "by_alignment")
    assert order_of(statement, "name").sorts == (BY_NAME, BY_NAME, NONE, BY_ALIGNMENT_NAME)


def test_init_priorities():
    names = [".init_array.00100", ".ctors.65435", ".init_array", ".ctors.1x", ".dtors.0", ".x.99999999999", ".ctorsx.5"]
    assert [priority(name) for name in names] == [100, 100, -1, -1, 65535, -1, 5]


def of_lld(text: str):
    parsed = parse(Source("t.lds", text), dialect=LLD)
    assert parsed.ok
    return parsed.tree


def test_a_section_class_takes_sections_where_it_is_defined():
    script = of_lld(
        """SECTIONS {
            .early : { *(.x.a) }
            CLASS(fast) { *(.x.*) *(.y) }
            .slow : { *(.x.b .z) }
            .fast : { *(.z) CLASS(fast) }
        }"""
    )
    found = input_rules(script)
    assert [(rule.output, rule.section is None) for rule in found][1:3] == [("fast", True), ("fast", True)]
    assert reaches(found)[3].state is State.DEAD
    names = [".x.a", ".x.b", ".y", ".z"]
    inputs = [InputSection("a.o", "", name, index, 1, 1, "PROGBITS", 2) for index, name in enumerate(names, 1)]
    placed = [(placement.input.name, placement.output) for placement in assign(script, inputs)]
    assert placed == [(".x.a", ".early"), (".z", ".slow"), (".x.b", ".fast"), (".y", ".fast")]
    alone = assign(of_lld("SECTIONS { CLASS(unused) { *(.y) } }"), inputs)
    assert {placement.reason for placement in alone} == {"orphan"}


def test_overwrite_sections_come_first():
    found = input_rules(of_lld("SECTIONS { .a : { *(.x) } } OVERWRITE_SECTIONS { .b : { *(.x) } }"))
    assert [rule.output for rule in found] == [".b", ".a"]
