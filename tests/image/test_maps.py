"""Link maps as the model of them, against the ELF file of the same link."""

from __future__ import annotations

import pytest

from ldcheck.image.elf import read_elf
from ldcheck.image.maps import read_map
from ldcheck.image.match import check_map
from ldcheck.image.model import LinkMap
from tests.image import corpus
from tests.support.images import mini_image


def reproduces(built: corpus.Built) -> LinkMap:
    """Hold a map against its image: places and sizes of sections, and what the sizes are made of."""
    elf, found = read_elf(str(built.elf)), read_map(str(built.map))
    assert found.incomplete == ()
    check_map(elf, found)
    lines = built.map.read_text(errors="surrogateescape").split("\n")
    present = [section for section in found.sections if section.present]
    linked = {(s.name, s.address, s.size) for s in elf.sections if s.allocated and s.size}
    assert linked <= {(s.name, s.address, s.size) for s in present}
    for section in present:
        made_of = sum(i.size for i in section.inputs) + sum(p.size for p in section.paddings) + section.data
        assert (section.name, made_of) == (section.name, section.size)
        tiles(section)
        assert section.name in lines[section.line - 1]
        for entry in section.inputs:
            assert entry.name in lines[entry.line - 1]
        for padding in section.paddings:
            if "*fill*" in (line := lines[padding.line - 1]):
                assert int(line.split()[2], 16) == padding.size
    return found


def tiles(section):
    """What a section is made of lies side by side, without a gap and without overlapping."""
    parts = [(i.address, i.size) for i in section.inputs] + [(p.address, p.size) for p in section.paddings]
    parts += [(s.address, s.size) for s in section.statements if s.kind == "data"]
    at = section.address
    for address, size in sorted(part for part in parts if part[1]):
        assert address == at, f"{section.name}: {address:#x} follows {at:#x}"
        at += size
    assert at == section.end


def fill_lines(built):
    """The bytes of all fills, as a person would add them up in a map of GNU ld."""
    text = built.map.read_text().partition("\nLinker script and memory map\n")[2]
    return sum(int(line.split()[2], 16) for line in text.splitlines() if line.startswith(" *fill*"))


@pytest.mark.parametrize(("linker", "arch"), corpus.LINKS)
def test_small_images(linker, arch):
    built = corpus.image(linker, arch)
    found = reproduces(built)
    elf = read_elf(str(built.elf))
    if linker == "ld":
        told = [padding for section in found.sections for padding in section.paddings]
        assert sum(padding.size for padding in told if padding.cause != "unexplained") == fill_lines(built)
        unexplained = {s.name for s in found.sections for p in s.paddings if p.cause == "unexplained"}
        assert unexplained <= {".ARM.attributes", ".ARC.attributes"}
    for name, value in found.symbols.items():
        if name in elf.symbols and elf.symbols[name].kind != "TLS":
            # Bit 0 of an ARM function's value says that it is Thumb code; GNU ld prints its address.
            mask = ~1 if arch == "arm32" and elf.symbols[name].kind == "FUNC" else ~0
            assert (name, elf.symbols[name].value & mask) == (name, value & mask)
    assert found.symbols["a_function_with_a_rather_long_name"]


@pytest.mark.parametrize("prefix", ["x86_64-linux-gnu-", "aarch64-linux-gnu-", "arm-linux-gnueabihf-"])
def test_static_programs(prefix):
    built = corpus.static_image(prefix)
    found = reproduces(built)
    assert sum(p.size for s in found.sections for p in s.paddings if p.cause != "unexplained") == fill_lines(built)


@pytest.mark.parametrize("arch", ["x86_64", "arm64", "arm32"])
def test_mini_hypervisor(arch):
    mini = mini_image(arch)
    reproduces(corpus.Built(mini.elf, mini.map, mini.objects))
