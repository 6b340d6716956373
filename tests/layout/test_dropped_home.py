"""What a symbol is relative to when its output section is not in the image: nothing is computed from it."""

from __future__ import annotations

from pathlib import Path

from ldcheck.image.elf import read_elf
from ldcheck.layout.concrete import evaluate_on
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.support.build import assemble, link

SCRIPT = """{} SECTIONS {{ . = 0x10001; .gone : {{ s = .; }} . = . + 100; .kept : {{ *(.t) }}
  load = LOADADDR(.gone); none = (s - load) & 0; more = none * 3; }}"""


def computed(feature: str, folder: Path) -> dict[str, tuple[int | None, int | None]]:
    """The value of each symbol as it is computed, and in the image."""
    script = SCRIPT.format(feature)
    done = link(folder, script, [assemble(folder, '.section .t,"a"\n.long 1\n')])
    assert done.elf is not None, done.output
    found = evaluate_on(parse(Source("t.lds", script)).tree, read_elf(str(done.elf)))
    return {one.name: (one.expected, one.actual) for one in found.symbols}


def test_with_sane_expressions_even_zero_has_an_unknown_home(tmp_path):
    found = computed('LD_FEATURE("SANE_EXPR")', tmp_path)
    assert found["none"] == found["more"] == (None, 0x10001)


def test_outside_of_sections_it_is_a_number(tmp_path):
    found = computed("", tmp_path)
    assert found["none"] == found["more"] == (0, 0)


def test_beside_it_an_offset_of_zero_may_be_an_address(tmp_path):
    script = """SECTIONS { .t 0x1000 : { first = .; *(.t) } .gone : { s = .; }
    .u 0x8000 : { both = s && first; *(.u) } }"""
    objects = [assemble(tmp_path, '.section .t,"a"\n.long 1\n.section .u,"a"\n.long 1\n')]
    done = link(tmp_path, script, objects)
    assert done.elf is not None, done.output
    found = evaluate_on(parse(Source("t.lds", script)).tree, read_elf(str(done.elf)))
    assert [(one.expected, one.actual) for one in found.symbols if one.name == "both"] == [(None, 0x8001)]
