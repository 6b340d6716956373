"""What begins a memory region of data, by the linkers: an orphan may stand ahead of it, of notes that ld has moved."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.layout.interpret import interpret
from ldcheck.linker import Linker as Meant
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.script.test_expression_values import elf_symbols
from tests.support.build import assemble, link
from tests.support.linkers import GNU, Linker, as_params, command

ORIGIN = 0x20000000
SCRIPT = """MEMORY {{ f (rx) : ORIGIN = 0x8000000, LENGTH = 1M r (rwx) : ORIGIN = 0x20000000, LENGTH = 1M }}
SECTIONS {{ .text : {{ *(.text) {} }} >f .data : {{ s = .; *(.data) }} >r AT>f .bss : {{ *(.bss) }} >r }}"""
# Nothing that ld has read is read-only when it makes a place for relocations.
FIRST = '.section .own,"aw"\n.long 1\n.data\n.long 1\n.bss\n.skip 4\n'
SECOND = "".join(
    f'.section {name},"a",%{kind}\n.long 1\n'
    for name, kind in ((".note.a", "note"), (".rodata", "progbits"), (".note.b", "note"))
)


def first(linker: Linker, taken: str, folder: Path) -> tuple[int, int | None]:
    """Where the first data of the region is in a link, and where it is said to be."""
    script = SCRIPT.format(taken)
    objects = [assemble(folder, source, name=name) for name, source in (("a.o", FIRST), ("b.o", SECOND))]
    done = link(folder, script, objects, linker=command(linker))
    assert done.elf is not None, done.output
    meant = Meant(linker.kind, tuple(map(int, linker.version.split("."))))
    known = interpret(parse(Source("t.lds", script)).tree, linker=meant).symbol("s")
    assert known is not None
    return elf_symbols(done.elf)["s"][0], known.value


@pytest.mark.parametrize("linker", as_params(GNU))
def test_a_note_takes_the_region_of_what_it_follows(linker: Linker, tmp_path: Path) -> None:
    moved = linker.version in ("2.44", "2.47")
    assert first(linker, "*(.own)", tmp_path) == ((ORIGIN + 4, None) if moved else (ORIGIN, ORIGIN))


@pytest.mark.parametrize("linker", as_params(GNU))
@pytest.mark.parametrize("taken", ["", "*(.own) *(.rodata)"])
def test_it_follows_code_where_there_is_no_such_orphan(linker: Linker, taken: str, tmp_path: Path) -> None:
    assert first(linker, taken, tmp_path) == (ORIGIN, ORIGIN)


def test_ld_of_any_version_may_be_one_that_does_so() -> None:
    tree = parse(Source("t.lds", SCRIPT.format("*(.own)"))).tree
    found = interpret(tree, linker=Meant("gnu")).symbol("s")
    assert found is not None
    assert found.value is None
