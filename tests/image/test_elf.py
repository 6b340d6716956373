"""ELF files as the model of them, against what readelf says of the same files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.image.elf import read_elf
from ldcheck.image.model import Elf
from tests.image import corpus, readelf
from tests.support.build import TARGETS
from tests.support.tools import tool
from tests.support.xen import xen


def same_as_readelf(path: Path) -> Elf:
    """Hold sections, segments and symbols of the model against readelf's."""
    elf = read_elf(str(path))
    assert elf.incomplete == ()
    wanted = readelf.sections(path)
    assert len(wanted) == len(elf.sections)
    assert readelf.model_sections(elf) == [
        (*row[:7], "".join(letter for letter in str(row[7]) if letter in "WAXMSILOGTC"), *row[8:]) for row in wanted
    ]
    assert readelf.model_segments(elf) == readelf.segments(path)
    tables = readelf.symbols(path)
    assert [table.name for table in elf.tables] == sorted(tables, key=[".symtab", ".dynsym"].index)
    for table in elf.tables:
        assert readelf.model_symbols(elf, table) == tables[table.name]
    assert elf.build_id == readelf.build_id(path)
    return elf


@pytest.mark.parametrize(("linker", "arch"), corpus.LINKS, ids=corpus.LINK_IDS)
def test_small_images(linker, arch):
    elf = same_as_readelf(corpus.image(linker, arch).elf)
    assert elf.arch == arch
    assert elf.build_id


@pytest.mark.parametrize("arch", TARGETS)
def test_objects(arch):
    elf = same_as_readelf(corpus.objects(arch)[0])
    assert (elf.type, elf.arch) == ("REL", arch)


@pytest.mark.parametrize("arch", ["x86_64", "arm64", "arm32"])
def test_xen(arch):
    elf = same_as_readelf(xen(arch).elf)
    assert elf.symbols["_start"].defined


def test_static_program():
    same_as_readelf(corpus.static_image("x86_64-linux-gnu-").elf)


def test_dynamic_program():
    elf = same_as_readelf(Path(tool("bash")))
    assert {"INTERP", "DYNAMIC", "GNU_RELRO"} <= {segment.type for segment in elf.segments}
