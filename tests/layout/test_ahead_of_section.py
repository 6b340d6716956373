"""A symbol one byte ahead of its output section: lld puts it at the section's end, and nothing is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.layout.interpret import interpret
from ldcheck.linker import Linker as Meant
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.script.test_expression_values import elf_symbols
from tests.support.build import assemble, link
from tests.support.linkers import LLD, Linker, as_params, command

START = 0x10001
SCRIPT = "SECTIONS {{ .a 0x10001 : {{ s = . & 31; t = {}; *(.rodata.b) e = .; }} }}"


def values(linker: Linker, value: str, folder: Path) -> tuple[int, int, int | None]:
    """Where `t` and the end of the section are in a link, and where `t` is said to be."""
    script = SCRIPT.format(value)
    objects = [assemble(folder, '.section .rodata.b,"a"\n.long 1, 2\n')]
    done = link(folder, script, objects, linker=command(linker), options=["--no-check-sections"])
    assert done.elf is not None, done.output
    meant = Meant(linker.kind, (int(linker.version),))
    known = interpret(parse(Source("t.lds", script)).tree, linker=meant).symbol("t")
    symbols = elf_symbols(done.elf)
    return symbols["t"][0], symbols["e"][0], None if known is None else known.value


@pytest.mark.parametrize("linker", as_params(LLD))
def test_it_may_be_the_end(linker: Linker, tmp_path: Path) -> None:
    found, end, known = values(linker, "ALIGN(s, 65536)", tmp_path)
    assert found == end == START + 8
    assert known is None


@pytest.mark.parametrize("linker", as_params(LLD))
def test_other_places_are_known(linker: Linker, tmp_path: Path) -> None:
    assert values(linker, ". + 2", tmp_path)[::2] == (START + 2, START + 2)
    assert values(linker, ". - 2", tmp_path)[::2] == (START - 2, START - 2)
