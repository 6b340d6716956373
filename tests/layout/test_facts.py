"""What is said of single statements, by example."""

from __future__ import annotations

from ldcheck.layout.facts import Layout, Order, Truth
from ldcheck.layout.interpret import interpret
from ldcheck.script.parser import parse
from ldcheck.source import Source


def layout(text: str, **params: int) -> Layout:
    result = parse(Source("t.lds", text))
    assert result.ok, result.problems
    return interpret(result.tree, params=params)


def shown(found: Layout, *names: str) -> list[str]:
    return [str(found.symbol(name)) for name in names]


def test_align_in_front_of_a_section_aligns_it():
    found = layout("SECTIONS { .a : { *(.a) } . = ALIGN(4096); s = .; .b : { t = .; *(.b) } }")
    assert shown(found, "s", "t") == ["a multiple of 4096", "a multiple of 4096"]
    assert found.order("s", "t") is Order.LESS_OR_EQUAL


def test_an_orphan_may_stand_between_a_start_symbol_and_its_section():
    found = layout("SECTIONS { . = 0x1000; s = .; .a : { t = .; *(.a) } }")
    assert shown(found, "s", "t") == ["0x1000", "at least 0x1000"]


def test_an_align_has_no_effect_on_a_section_in_a_region():
    found = layout("MEMORY { rom : ORIGIN = 4, LENGTH = 1M } SECTIONS { . = ALIGN(512); .s : { s = .; *(.s) } > rom }")
    assert shown(found, "s") == ["a multiple of 4, at least 0x4"]


def test_a_plain_number_in_a_section_is_relative_to_it():
    found = layout("SECTIONS { .a 0x1000 : { five = 5; *(.a) } }")
    assert shown(found, "five") == ["0x1005"]


def test_params_are_values_of_undefined_symbols():
    text = 'SECTIONS { . = BASE + 0x100; s = .; } ASSERT(s & 0x100, "")'
    assert shown(layout(text), "s") == ["unknown"]
    start = layout(text).symbol("s")
    assert start is not None
    assert start.base == "BASE"
    assert layout(text).assertions()[0].truth is Truth.UNKNOWN
    assert shown(layout(text, BASE=0x1000), "s") == ["0x1100"]
    assert layout(text, BASE=0x1000).assertions()[0].truth is Truth.TRUE
