"""Kernels at the top of the address space, where sums wrap around: what is known must hold of what ld links."""

from __future__ import annotations

import pytest

from ldcheck.image.elf import read_elf
from ldcheck.layout.interpret import interpret
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.support.build import assemble, link

_BASE = 0xFFFFFFFF80000000
_OBJECT = '.text\n.skip 1\n.section .more,"aw"\n.skip 4\n'
_SCRIPT = """SECTIONS
{{
  . = {base:#x} + 0x1000000;
  .text : {{ *(.text) }}
  mark = .;
  . = {step};
  .more : {{ *(.more) }}
  last = .;
}}
used = last - {base:#x};
fits = last - {base:#x} <= 512 * 1024 * 1024;
fits_by_name = used <= 512 * 1024 * 1024;
ahead = mark < last - {base:#x};
beyond = last + 0x100000000 > mark;
"""


@pytest.mark.parametrize("step", ["mark + 4096", "ALIGN(mark + 4096, 4096)", "mark + 0x7000", "ALIGN(0x200000)"])
def test_what_is_known_of_differences_of_high_addresses(tmp_path, step):
    text = _SCRIPT.format(base=_BASE, step=step)
    done = link(tmp_path, text, [assemble(tmp_path, _OBJECT)], "x86_64")
    assert done.elf is not None, done.output
    linked = {name: symbol.value for name, symbol in read_elf(str(done.elf)).symbols.items()}
    parsed = parse(Source("t.lds", text))
    assert parsed.ok, parsed.problems
    layout = interpret(parsed.tree)
    for name in ("mark", "last", "used", "fits", "fits_by_name", "ahead", "beyond"):
        known = layout.symbol(name)
        assert known is not None, name
        assert known.number.holds(linked[name]), (name, known.number, hex(linked[name]))
    assert linked["fits"] == 1
