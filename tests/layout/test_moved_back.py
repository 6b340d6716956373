"""What sets the location counter back: orphans without address, and symbols from elsewhere, as the real ld has it."""

from __future__ import annotations

import pytest

from ldcheck.image.elf import read_elf
from ldcheck.layout.facts import Order
from ldcheck.layout.interpret import interpret
from ldcheck.layout.result import Layout
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.support.build import assemble, link

_OBJECT = """
.section .text,"ax"
.skip 16
.data
.skip 8
.section {orphan}
.skip 100
"""
# Only where the script places them: as orphans they would draw others.
_INPUTS = {
    ".table": '.section .table,"a"\n.skip 4\n',
    ".stack": '.section .stack,"aw"\n.skip 64\n',
    ".debug_info": '.section .debug_info,""\n.skip 3\n',
    ".comment": '.section .comment,"MS",%progbits,1\n.asciz "made by hand"\n',
}
# Each is taken for one of the kind of what has no address, and goes behind the last of them.
_ORPHANS = ('.orphan.meta,""', '.orphan.writable,"w"')


def _linked(folder, text: str, orphan: str, *options: str) -> dict[str, int]:
    taken = "".join(source for name, source in _INPUTS.items() if name in text)
    done = link(folder, text, [assemble(folder, taken + _OBJECT.format(orphan=orphan))], "x86_64", options)
    assert done.ok, done.output
    assert done.elf is not None
    return {name: symbol.value for name, symbol in read_elf(str(done.elf)).symbols.items()}


def _layout(text: str) -> Layout:
    parsed = parse(Source("t.lds", text))
    assert parsed.ok, parsed.problems
    return interpret(parsed.tree)


def _script(middle: str) -> str:
    end = ". = ALIGN(4096); .data : { *(.data) } end = .; .bss : { *(.bss) }"
    return f"SECTIONS {{ . = 0x1234; .text : {{ *(.text) }} {middle} {end} }}"


@pytest.mark.parametrize(
    "middle",
    [
        # By these names BFD knows what type they have.
        ".rodata (INFO) : { QUAD(4) }",
        ".rodata1 (COPY) : { x = .; QUAD(4) *(.nothing) }",
        ".middle (DSECT) : { *(.debug_info) }",
        ".middle : { *(.debug_info) }",
        ".middle : { *(.comment*) }",
        "OVERLAY : { .one { *(.comment) } .two { *(.debug_info) } }",
    ],
)
def test_an_orphan_without_address_goes_behind_what_has_none_either(tmp_path, middle):
    text = _script(middle)
    ends = [_linked(tmp_path, text, orphan)["end"] for orphan in _ORPHANS]
    assert min(ends) < 0x2000, ends
    known = _layout(text).symbol("end")
    assert known is not None
    assert all(known.number.holds(end) for end in ends), (str(known), ends)


@pytest.mark.parametrize(
    "middle",
    [
        ".middle (COPY) : { x = .; . = . + 16; }",
        ".middle (COPY) : { *(.table) }",
        ".middle (INFO) : { *(.stack) . = ALIGN(16); }",
    ],
)
def test_what_only_holds_inputs_with_an_address_draws_no_orphan_without(tmp_path, middle):
    text = _script(middle)
    ends = [_linked(tmp_path, text, orphan)["end"] for orphan in _ORPHANS]
    assert min(ends) > 0x2000, ends
    known = _layout(text).symbol("end")
    assert known is not None
    assert known.number.low >= 0x1234


@pytest.mark.parametrize("move", ["x", "x + 0x100", "ABSOLUTE(x)", ". + x", "x ? x : ."])
def test_a_symbol_from_elsewhere_may_set_the_location_counter_back(tmp_path, move):
    text = f"SECTIONS {{ . = 0x8000; start = .; .data : {{ *(.data) }} . = {move}; end = .; }}"
    found = _layout(text)
    assert found.order("start", "end") is None
    back = -0x4000 & (1 << 64) - 1 if ". +" in move else 0x1000
    symbols = _linked(tmp_path, text, _ORPHANS[0], f"--defsym=x={back:#x}", "--no-check-sections")
    assert symbols["end"] < symbols["start"]


@pytest.mark.parametrize("move", ["ALIGN(x)", "NEXT(x)", "MAX(., x)", "start"])
def test_what_only_goes_forward_from_the_location_counter_keeps_the_order(move):
    text = f"SECTIONS {{ . = 0x8000; .data : {{ *(.data) }} start = .; . = {move}; end = .; }}"
    assert _layout(text).order("start", "end") in (Order.LESS_OR_EQUAL, Order.EQUAL, None)
