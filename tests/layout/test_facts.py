"""What is said of single statements, by example."""

from __future__ import annotations

from ldcheck.layout.facts import Order, order
from ldcheck.layout.interpret import interpret
from ldcheck.layout.result import Layout, Truth
from ldcheck.script.parser import parse
from ldcheck.script.syntax import Assignment, InputSectionDescription, walk
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


def test_inputs_of_a_section_s_own_name_are_orphans():
    text = "SECTIONS { ro : { *(.text) . = ALIGN(4096); } s = .; }"
    assert shown(layout(text), "s") == ["unknown"]
    # With --orphan-handling=error, GNU ld refuses an input that is called `ro`.
    without_orphans = interpret(parse(Source("t.lds", text)).tree, orphans=False)
    known = without_orphans.symbol("s")
    assert known is not None
    assert known.aligned_to(4096)


def test_an_align_has_no_effect_on_a_section_in_a_region():
    text = "MEMORY { rom : ORIGIN = 4, LENGTH = 1M } SECTIONS { . = ALIGN(512); .s : { s = .; *(.s) } > rom }"
    assert shown(layout(text), "s") == ["at least 0x4, at most 0x100004"]
    without_orphans = interpret(parse(Source("t.lds", text)).tree, orphans=False)
    assert shown(without_orphans, "s") == ["a multiple of 4, at least 0x4, at most 0x100004"]


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


def test_an_input_statement_pads_in_front_of_its_first_input():
    text = "SECTIONS { . = 0x1002; start = .; .tbl : { in = .; *(.one) mid = .; *(.two) } }"
    tree = parse(Source("t.lds", text)).tree
    found = interpret(tree)
    one, two = (node for node in walk(tree) if isinstance(node, InputSectionDescription))
    # The section starts where its inputs' alignment wants it, so its first statement has no padding in front.
    first, second, inside, between = (
        found.first_input(one),
        found.first_input(two),
        found.symbol("in"),
        found.symbol("mid"),
    )
    assert first is not None
    assert second is not None
    assert inside is not None
    assert between is not None
    assert order(inside, first) is Order.EQUAL
    assert order(between, second) is Order.LESS_OR_EQUAL
    assert [reason.text for reason in second.obstacles] == [
        "places inputs of unknown size and alignment",
        "an input's alignment may need padding in front of it",
    ]


def test_known_input_alignments_need_no_padding():
    text = "SECTIONS { .tbl : { *(.one) . = ALIGN(16); mid = .; *(.two) } }"
    tree = parse(Source("t.lds", text)).tree
    two = [node for node in walk(tree) if isinstance(node, InputSectionDescription)][1]
    for alignment, expected in ((16, Order.EQUAL), (32, Order.LESS_OR_EQUAL)):
        found = interpret(tree, records={two: alignment})
        first, middle = found.first_input(two), found.symbol("mid")
        assert first is not None
        assert middle is not None
        assert order(middle, first) is expected


def test_an_expression_of_any_depth():
    terms = " + ".join(["1"] * 100_000)
    nested = "(" * 2_000 + "4" + ")" * 2_000
    found = layout(f"SECTIONS {{ . = {terms}; s = .; .a {nested} : {{ t = .; }} }}")
    assert shown(found, "s", "t") == ["0x186a0", "0x4"]


def test_without_orphans_nothing_stands_between_a_symbol_and_its_section():
    text = "SECTIONS { .a : { *(.a) *(COMMON) } . = ALIGN(8); end = .; .b : { *(.b) s = .; } .bss : { t = .; } }"
    tree = parse(Source("t.lds", text)).tree
    with_orphans, without = interpret(tree), interpret(tree, orphans=False)
    assert with_orphans.order("s", "t") is without.order("s", "t") is Order.LESS_OR_EQUAL
    orphan = "an orphan section may be placed in front of it"
    for found, expected in ((with_orphans, True), (without, False)):
        known = found.symbol("t")
        assert known is not None
        assert (orphan in [reason.text for reason in known.obstacles]) is expected


def test_assertions_are_knowledge_only_where_they_are_asked_for():
    text = 'SECTIONS { .a : { s = .; *(.a) } } ASSERT(!(s & 63), "") ASSERT(obj >= s && obj % 4 == 0, "")'
    found = layout(text)
    assert [fact.truth for fact in found.assertions()] == [Truth.UNKNOWN, Truth.UNKNOWN]
    assert (str(found.symbol("s")), found.symbol("obj")) == ("unknown", None)
    assert str(found.symbol("s", with_assertions=True)) == "a multiple of 64"
    assert str(found.symbol("obj", with_assertions=True)) == "a multiple of 4"
    assert found.order("obj", "s") is None
    assert found.order("obj", "s", with_assertions=True) is Order.GREATER_OR_EQUAL


def test_an_assertion_that_no_link_can_satisfy():
    found = layout('SECTIONS { . = 0x1000; s = .; } ASSERT(s > 0x1000, "") ASSERT((s & 15) == 0, "")')
    assert [fact.truth for fact in found.assertions()] == [Truth.FALSE, Truth.TRUE]


def test_an_overlay_starts_its_sections_at_one_address():
    found = layout("SECTIONS { OVERLAY 0x1000 : { .a { s = .; *(.a) } .b { t = .; *(.b) LONG(1) } } e = .; }")
    assert shown(found, "s", "t", "e") == ["0x1000", "0x1000", "at least 0x1004"]


def test_the_start_of_a_section_that_another_script_inserts_is_unknown():
    found = layout("SECTIONS { . = 0x1000; .a : { s = .; *(.a) } } INSERT AFTER .text;")
    assert found.section_start(".a") is not None
    assert layout("SECTIONS { .a : { s = .; . = ALIGN(8); t = .; } } INSERT AFTER .text;").order("s", "t") is (
        Order.LESS_OR_EQUAL
    )
    assert shown(layout("SECTIONS { .a : { s = .; *(.a) } } INSERT AFTER .text;"), "s") == ["unknown"]


def test_what_is_not_known_has_an_obstacle():
    found = layout("SECTIONS { PROVIDE(a = 4); .x : { b = 8; *(.x) } d = -other; }")
    told = {name: found.symbol(name) for name in "abd"}
    assert {name: known.obstacles[0].text for name, known in told.items() if known and known.obstacles} == {
        "a": "an object may define it instead",
        "b": "an orphan section may be placed in front of it",
        "d": "its value is not decided by the script alone",
    }


def test_an_assert_that_is_the_value_of_an_assignment_demands_as_well():
    """The form that GNU ld before 2.19 wanted, and which vmlinux.lds.S still has."""
    found = layout('SECTIONS { .a : { a = .; *(.a) } . = ASSERT((object & 63) == 0, "m"); x = ASSERT(a > 8, "n"); }')
    demanded = found.symbol("object", with_assertions=True)
    assert demanded is not None
    assert demanded.aligned_to(64)
    facts = [(fact.node.message.text, fact.truth) for fact in found.assertions()]
    assert facts == [("m", Truth.UNKNOWN), ("n", Truth.UNKNOWN)]
    # Nobody need ask for what is merely offered.
    offered = layout('SECTIONS { PROVIDE(x = ASSERT((object & 63) == 0, "m")); }')
    assert offered.symbol("object", with_assertions=True) is None


def test_max_compares_offsets_without_a_sign():
    """What lies in front of its section has a huge offset for GNU ld, and is the greater one."""
    found = layout("SECTIONS { . = 0x1000; .a : { one = . - 6; more = MAX(one, .); *(.a) } }")
    assert found.order("one", "more") is not Order.LESS
    again = layout("SECTIONS { . = 0x1000; .a : { BYTE(0) one = .; *(.a) more = MAX(one, .); } }")
    assert again.order("one", "more") is Order.LESS_OR_EQUAL


def test_a_section_may_be_in_a_region_with_attributes():
    """What has no such content starts where its own region stands, in which the first one takes no room."""
    text = "SECTIONS { . = 0x1234; .a : { . = ALIGN(65536); QUAD(0) } .b : { b = .; *(.b) } }"
    with_region = "MEMORY { ram (rwx) : ORIGIN = 0x20000000, LENGTH = 1M } " + text
    lows = [known.low for found in (layout(text), layout(with_region)) if (known := found.symbol("b"))]
    assert lows == [0x10008, 0x1234]


def test_the_end_of_a_dropped_section_is_no_other_place():
    """`.a` has neither content nor inputs: where it would end is an address like any other."""
    found = layout("low = 0x5000; SECTIONS { . = 0; .a 0x600000 : { } .b : { b = .; *(.a) } }")
    assert found.order("low", "b") is None


def test_an_assert_that_compares_offsets_demands_nothing_of_addresses():
    """`one` may lie in front of its section, where its offset is huge: the link is fine, however high `two` is."""
    region = "MEMORY { ram : ORIGIN = 0x1004, LENGTH = 1M } "
    body = "SECTIONS { .a : { one = ORIGIN(ram); *(.a) two = .; } >ram } "
    found = layout(f'{region}{body}ASSERT(one >= two, "m")')
    two = found.symbol("two", with_assertions=True)
    assert two is not None
    assert two.high > 0x10000


def test_the_distance_of_high_addresses_wraps_around():
    # As kernels have them: what is taken away is a negative number to whoever adds.
    text = """SECTIONS { . = 0xffffffffc0000000; s = .; .a : { *(.a) } e = .; }
    ASSERT(e - s <= 2M, "large") ASSERT(e - s < 2M, "large") ASSERT(e - 0xffffffffc0000000 <= 2M, "large")"""
    assert [fact.truth for fact in layout(text).assertions()] == [Truth.UNKNOWN] * 3


def test_in_a_section_an_assert_is_of_offsets_and_its_reading_as_addresses_is_told_as_well():
    text = (
        'SECTIONS { .a : { s = .; ASSERT(!(s & 7), "") ; *(.a) ASSERT(!(ABSOLUTE(.) & 7), ""); } } ASSERT(!(s & 7), "")'
    )
    found = [(fact.truth, fact.as_addresses) for fact in layout(text).assertions()]
    assert found == [(Truth.TRUE, Truth.UNKNOWN), (Truth.UNKNOWN, Truth.UNKNOWN), (Truth.UNKNOWN, None)]


def test_a_mere_number_in_a_section_is_told():
    text = """top = 16;
    SECTIONS {
      .a : { s = .; *(.a) n = . - s; t = top; u = SIZEOF(.b); p = s + 8; q = . - top; a = ABSOLUTE(. - s); }
      .b : { *(.b) }
    }"""
    tree = parse(Source("t.lds", text)).tree
    found = interpret(tree)
    assignments = [node for node in walk(tree) if isinstance(node, Assignment)]
    assert [node.target.text for node in assignments if found.offset(node) is not None] == ["n", "t", "u"]


def test_the_first_data_of_a_region_is_at_its_origin():
    memory = "MEMORY { f (rx) : ORIGIN = 0x8000000, LENGTH = 1M r (rwx) : ORIGIN = 0x20000000, LENGTH = 1M }"
    text = ".text : { *(.text) } >f .data : { s = .; *(.data) } >r AT>f .bss : { t = .; *(.bss) } >r"
    assert shown(layout(f"{memory} SECTIONS {{ {text} }}"), "s", "t") == [
        "0x20000000",
        "at least 0x20000000, at most 0x20100000",
    ]
    # Without a section of that name, writable orphans may go elsewhere, and stand ahead of what they belong behind; and
    # what names no region may be anywhere.
    # A note goes to where other notes are, and takes the region of what is read-only.
    constants = text + " .own : { *(.own) } >r"
    ahead = ".a : { *(.a) } " + text
    for other in (text.replace(".data :", ".own :"), text.replace(".text :", ".own :"), ahead, constants):
        known = layout(f"{memory} SECTIONS {{ {other} }}").symbol("s")
        assert known is not None
        assert not known.aligned_to(4)


def test_usual_links_have_no_orphans_and_no_empty_sections():
    text = (
        "MEMORY { r : ORIGIN = 1, LENGTH = 1M } SECTIONS { .a : { *(.a) . = ALIGN(8); } >r .b : { s = .; *(.b) } >r }"
    )
    assert shown(layout(text), "s") == ["at least 0x1, at most 0x100001"]
    found = interpret(parse(Source("t.lds", text)).tree, orphans=False, filled=True)
    assert shown(found, "s") == ["a multiple of 8, at least 0x8, at most 0x100000"]


def test_what_comes_later_does_not_move_the_end_of_relro_below_its_place():
    """As the default script of GNU ld for x86-64 has it."""
    text = (
        "SECTIONS { .a : { *(.a) } a = .; . = DATA_SEGMENT_RELRO_END(SIZEOF(.got.plt) >= 24 ? 24 : 0, .); "
        ".got.plt : { *(.got.plt) } .data : { *(.data) } d = .; }"
    )
    assert interpret(parse(Source("t.lds", text)).tree).order("a", "d") is Order.LESS_OR_EQUAL
