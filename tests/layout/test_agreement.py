"""Whether a script made an image, where symbols were stripped."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ldcheck.image.elf import read_elf
from ldcheck.layout.agreement import agreement
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.support.build import assemble, link
from tests.support.tools import tool

_SCRIPT = """
SECTIONS
{
  . = 0x1000;
  .text : { start = .; *(.text) end = .; }
  .dynamic : { *(.dynamic) } .dynsym : { *(.dynsym) } .dynstr : { *(.dynstr) } .hash : { *(.hash .gnu.hash) }
}
HIDDEN(kept = start);
inner = end;
outer = end + 1;
"""
# `start` is referred to and exported; the others are local to the image.
_OBJECT = ".text\n.globl f\nf: .quad start\n"
_VERSIONS = "{ global: f; start; local: *; };\n"


def _linked(folder: Path) -> Path:
    (folder / "versions").write_text(_VERSIONS)
    options = ["-shared", "--version-script", str(folder / "versions")]
    result = link(folder, _SCRIPT, [assemble(folder, _OBJECT)], options=options)
    assert result.elf is not None, result.output
    return result.elf


def test_symbols_that_were_stripped_contradict_nothing(tmp_path):
    whole = _linked(tmp_path)
    stripped = tmp_path / "stripped.elf"
    shutil.copy(whole, stripped)
    subprocess.run([tool("strip"), stripped], check=True)
    tree = parse(Source("t.lds", _SCRIPT)).tree
    elf = read_elf(str(stripped))
    assert "start" in elf.symbols
    assert "end" not in elf.symbols
    assert agreement(tree, elf, None, {}).belongs
    assert agreement(tree, read_elf(str(whole)), None, {}).belongs


def test_what_is_left_of_a_stripped_image_is_compared(tmp_path):
    stripped = _linked(tmp_path)
    subprocess.run([tool("strip"), stripped], check=True)
    other = parse(Source("t.lds", _SCRIPT.replace("start = .;", "start = . + 4; f = . + 8;"))).tree
    found = agreement(other, read_elf(str(stripped)), None, {})
    assert {symbol.name for symbol in found.off} == {"start", "f"}
    assert not found.belongs
