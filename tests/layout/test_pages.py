"""What may share a page, by example; the facts behind it are held against real links in test_soundness."""

from __future__ import annotations

from ldcheck.layout.facts import UNKNOWN, Order, order
from ldcheck.layout.interpret import interpret
from ldcheck.layout.pages import (
    Extent,
    Range,
    Separation,
    section_extents,
    separations,
    shared_pages,
    statement_extent,
)
from ldcheck.script.parser import parse
from ldcheck.script.syntax import Assignment, InputSectionDescription, OutputSection, Script, walk
from ldcheck.source import Source

PAGE = 4096


def tree_of(text: str) -> Script:
    result = parse(Source("t.lds", text))
    assert result.ok, result.problems
    return result.tree


def sections(text: str, first: str, second: str) -> Separation:
    layout = interpret(tree_of(text))
    [one], [other] = section_extents(layout, first), section_extents(layout, second)
    return separations(layout, [one], [other], PAGE)[0]


def test_an_align_in_front_of_the_second_section_keeps_them_apart():
    text = "SECTIONS { .a : { s = .; *(.a) } . = ALIGN(4096); .b : { *(.b) } }"
    found = sections(text, ".a", ".b")
    assert found.apart
    assert [text[reason.node.start : reason.node.end] for reason in found.reasons] == [". = ALIGN(4096)"]
    assert sections(text, ".b", ".a").apart


def test_an_align_further_ahead_does_as_well():
    text = "SECTIONS { .a : { *(.a) } . = ALIGN(4096); .m : { *(.m) } .b : { *(.b) } }"
    assert sections(text, ".a", ".b").apart
    assert not sections(text, ".m", ".b").apart


def test_a_section_between_them_that_a_link_may_drop_keeps_nothing_apart():
    """Its alignment goes with it: ld drops an output section without inputs, and .b follows .a."""
    middle = "SECTIONS { .a : { *(.a) } .m : ALIGN(4096) { %s*(.m) } .b : { *(.b) } }"
    assert not sections(middle % "", ".a", ".b").apart
    # With a symbol in it the section stays, but only content takes room in the region where .b starts.
    assert not sections(middle % "m = .; ", ".a", ".b").apart
    assert sections(middle % "BYTE(0) ", ".a", ".b").apart
    assert sections(middle % "", ".a", ".m").apart


def test_what_has_content_takes_room_in_front_of_a_section_with_its_own_align():
    """Empty, .a lies behind .b: ld aligns its address and takes no room in the region for it."""
    tree = tree_of("SECTIONS { .a : ALIGN(4096) { s = .; *(.a) e = .; } .b : ALIGN(16) { *(.b) } }")
    section = next(node for node in walk(tree) if isinstance(node, OutputSection))

    def order_of_both(content: tuple[OutputSection, ...]) -> Order | None:
        found = {one.name: one for one in interpret(tree, content=content).sections}
        return order(found[".a"].end, found[".b"].start)

    assert order_of_both(()) is None
    assert order_of_both((section,)) is Order.LESS_OR_EQUAL


def test_a_section_with_an_address_lies_ahead_of_what_follows_if_it_is_there():
    """Behind one that is dropped, .c starts where the region stood: only what is behind .b in truth is proved."""
    text = "SECTIONS { .a : { *(.a) } .b ALIGN(4096) : { *(.b) } %s.c : { *(.c) } .d ALIGN(4096) : { *(.d) } }"
    assert sections(text % ". = ALIGN(4096); ", ".b", ".c").apart
    assert sections(text % ". = ALIGN(4096); ", ".b", ".d").apart
    assert sections(text % "", ".a", ".b").apart
    assert not sections(text % "", ".a", ".c").apart
    assert not sections(text % "", ".b", ".c").apart


def test_sections_that_follow_each_other_may_share_a_page_and_the_remedy_is_told():
    text = "SECTIONS { .a : { *(.a) } .b : { *(.b) } }"
    found = sections(text, ".a", ".b")
    assert not found.apart
    assert found.remedy is not None
    assert found.remedy.text == ". = ALIGN(4096);"
    node = found.remedy.node
    assert isinstance(node, OutputSection)
    assert node.name.text == ".b"


def test_an_align_has_no_say_in_a_region_and_the_remedy_is_an_attribute():
    memory = "MEMORY { ram : ORIGIN = 0x1000, LENGTH = 1M }"
    text = memory + " SECTIONS { .a : { *(.a) } > ram . = ALIGN(4096); .b : { *(.b) } > ram }"
    found = sections(text, ".a", ".b")
    assert not found.apart
    assert found.remedy is not None
    assert (found.remedy.text, found.remedy.attribute) == ("ALIGN(4096)", True)
    assert sections(text.replace(".b :", ".b : ALIGN(4096)"), ".a", ".b").apart


def test_sections_in_regions_that_do_not_meet_are_apart():
    memory = "MEMORY { rom : ORIGIN = 0, LENGTH = 1M ram : ORIGIN = 0x20000000, LENGTH = 1M }"
    assert sections(memory + " SECTIONS { .a : { *(.a) } > rom .b : { *(.b) } > ram }", ".a", ".b").apart


def test_statements_of_one_section():
    text = "SECTIONS { .a : { *(.one) . = ALIGN(4096); *(.two) *(.three) } }"
    tree = tree_of(text)
    layout = interpret(tree)
    section = next(node for node in walk(tree) if isinstance(node, OutputSection))
    extents = [
        statement_extent(layout, node, section)
        for node in section.statements
        if isinstance(node, InputSectionDescription)
    ]
    one, two, three = (extent for extent in extents if extent is not None)
    assert [found.apart for found in separations(layout, [one], [two, three], PAGE)] == [True, True]
    found = separations(layout, [two], [three], PAGE)[0]
    assert not found.apart
    assert found.remedy is not None
    assert found.remedy.node is three.node


def test_between_symbols():
    text = "SECTIONS { .a : { s = .; *(.a) . = ALIGN(4096); e = .; *(.b) f = .; } }"
    tree = tree_of(text)
    layout = interpret(tree)
    nodes = {node.target.text: node for node in walk(tree) if isinstance(node, Assignment)}
    places = {name: layout.symbol(name) or UNKNOWN for name in nodes}
    one, other = (Extent(f"{a}..{b}", places[a], places[b], nodes[a]) for a, b in ("se", "ef"))
    assert separations(layout, [one], [other], PAGE)[0].apart


def test_a_gap_of_a_page_keeps_them_apart():
    middle = "SECTIONS { . = 0x1234; .a : { *(.a) } . = . + %s; .b : { *(.b) } }"
    assert sections(middle % "4095", ".a", ".b").apart
    assert not sections(middle % "4094", ".a", ".b").apart


def test_pages_of_an_image():
    text, data = Range(".text", 0x1000, 0x2010), Range(".data", 0x2020, 0x3000)
    assert [(found.page, found.first, found.second) for found in shared_pages([text], [data], PAGE)] == [
        (0x2000, text, data)
    ]
    assert shared_pages([text], [Range(".data", 0x3000, 0x3001)], PAGE) == []
    assert shared_pages([text], [Range("nothing", 0x2000, 0x2000)], PAGE) == []
