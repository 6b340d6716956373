"""An absolute place for the location counter in a section is behind what stands ahead of it, or there is no link."""

from __future__ import annotations

import pytest

from ldcheck.image.elf import read_elf
from ldcheck.layout.facts import Order
from ldcheck.layout.interpret import interpret
from ldcheck.linker import Linker as Meant
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.support.build import assemble, link
from tests.support.linkers import ALL, Linker, as_params, command

_OBJECT = """
.globl _start
.text
_start: .long 1
.section .stack,"aw"
.skip {size}
.section .next,"aw"
.skip 4
"""
_SCRIPT = """
MEMORY {{ r (rx) : ORIGIN = 0x1000, LENGTH = 0x1000 w (rw) : ORIGIN = 0x10000, LENGTH = 0x2000 }}
end = 0x11000;
SECTIONS
{{
  .text : {{ *(.text) }} > r
  .low : {{ low = .; *(.low) }} > w
  .stack : {{ stack = ABSOLUTE(.); *(.stack) taken = .; . = {place}; top = ABSOLUTE(.); }} > w
  .next : {{ next = .; *(.next) }} > w
}}
"""
_ORDERS = [("low", "stack"), ("low", "top"), ("stack", "top"), ("taken", "top"), ("taken", "next"), ("stack", ".next")]


@pytest.mark.parametrize("linker", as_params(ALL))
@pytest.mark.parametrize("place", ["ORIGIN(w) + LENGTH(w) - 0x1000", "ABSOLUTE(end)", "ORIGIN(w) + 0x800 + 0x800"])
def test_no_link_goes_back(tmp_path, place: str, linker: Linker):
    text = _SCRIPT.format(place=place)
    parsed = parse(Source("t.lds", text))
    assert parsed.ok
    layout = interpret(parsed.tree, linker=Meant(linker.kind, tuple(map(int, linker.version.split(".")))))
    for first, second in _ORDERS:
        assert layout.order(first, second) in (Order.LESS, Order.LESS_OR_EQUAL), (first, second)
    assert layout.order("top", "taken") not in (Order.LESS, Order.LESS_OR_EQUAL)
    for size in (0, 0x800, 0x1000, 0x1004):
        done = link(tmp_path, text, [assemble(tmp_path, _OBJECT.format(size=size))], linker=command(linker))
        if size > 0x1000:
            assert not done.ok
            assert "location counter" in done.output
            continue
        assert done.elf is not None, done.output
        elf = read_elf(str(done.elf))
        at = {name: symbol.value for name, symbol in elf.symbols.items()}
        at |= {one.name: one.address for one in elf.sections}
        assert [pair for pair in _ORDERS if at[pair[0]] > at[pair[1]]] == []
