"""The script's expressions with the values of an image: Debian's Xen, and small links."""

from __future__ import annotations

import pytest

from ldcheck.image.elf import read_elf
from ldcheck.layout.concrete import Concrete, evaluate_on
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.support.build import assemble, link
from tests.support.xen import xen

_OBJECT = '.data\n.balign 8\n.quad 1, 2\n.section .tbl,"a"\n.byte 1,2,3\n'
_SCRIPT = """SECTIONS {
  . = 0x1000;
  .data : { start = .; *(.data) LONG(1) end = .; }
  size = end - start;
  . = ALIGN(64);
  .tbl : { five = 5; *(.tbl) }
}
ASSERT(size == 20, "size")
ASSERT(SIZEOF(.tbl) < 3, "small")
"""


def replayed(tmp_path, text: str, linked_by: str = "") -> Concrete:
    result = link(tmp_path, linked_by or text, [assemble(tmp_path, _OBJECT)])
    assert result.elf is not None, result.output
    parsed = parse(Source("t.lds", text))
    assert parsed.ok
    return evaluate_on(parsed.tree, read_elf(str(result.elf)))


def test_an_assertion_is_told_with_its_operands(tmp_path):
    found = replayed(tmp_path, _SCRIPT, _SCRIPT.replace("< 3", "< 4"))
    size, small = found.assertions
    assert (size.holds, [(item.text, item.value) for item in size.operands]) == (True, [("size", 20)])
    assert (small.holds, [(item.text, item.value) for item in small.operands]) == (False, [("SIZEOF(.tbl)", 3)])


def test_a_symbol_that_the_script_puts_elsewhere_than_the_image_is_told(tmp_path):
    linked_by = _SCRIPT.replace("< 3", "< 4")
    found = replayed(
        tmp_path, linked_by.replace("five = 5", "five = 6").replace("end - start", "end - start + 4"), linked_by
    )
    told = {symbol.name: (symbol.actual, symbol.expected) for symbol in found.symbols if symbol.agrees is False}
    assert told == {"five": (0x1045, 0x1046), "size": (20, 24)}


def test_what_is_unknown_has_a_reason(tmp_path):
    text = "SECTIONS { .data : { *(.data) } .tbl : { *(.tbl) } x = late; late = 1; y = DEFINED(x) ? . : 2; }"
    found = replayed(tmp_path, text)
    assert [(symbol.name, symbol.reason) for symbol in found.symbols if symbol.agrees is None] == [
        ("x", "late is assigned later")
    ]


@pytest.mark.parametrize("arch", ["x86_64", "arm64", "arm32"])
def test_the_expressions_of_xens_script_have_the_values_of_its_image(arch):
    real = xen(arch)
    parsed = parse(Source("xen.lds", real.preprocessed.read_text()))
    found = evaluate_on(parsed.tree, read_elf(str(real.elf)))
    assert [symbol.name for symbol in found.symbols if symbol.agrees is False] == []
    # Sections without content are not in the image, and with them what their symbols are relative to.
    assert {symbol.reason for symbol in found.symbols if symbol.agrees is None} <= {
        "the address of .adev.info is unknown",
        "the address of .teemediator.info is unknown",
    }
    assert [assertion.node.message.text for assertion in found.assertions if assertion.holds is not True] == []
