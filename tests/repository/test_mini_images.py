"""The mini hypervisor's images are what their names say, as readelf and the map show."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.support.images import ARCHITECTURES, VARIANTS, mini_image
from tests.support.tools import tool


def sections(elf):
    shown = subprocess.run([tool("readelf"), "-SW", elf], capture_output=True, text=True, check=True).stdout
    return {
        name: int(address, 16)
        for name, address in re.findall(r"^ +\[ *\d+\] (\.\S+) +\S+ +([0-9a-f]+)", shown, re.MULTILINE)
    }


def map_order(image, *names):
    """Where these input sections stand in the map, as lines."""
    lines = image.map.read_text().splitlines()
    return [next(at for at, line in enumerate(lines) if line.split(" ")[1:2] == [name]) for name in names]


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_as_told(arch, variant):
    image = mini_image(arch, variant)
    address = sections(image.elf)
    assert ".bss" in address
    assert (variant == "swallowed") == (".data.read_mostly" not in address)
    if variant != "swallowed":
        assert (address[".data.read_mostly"] % 4096 != 0) == (variant == "unaligned")
    page_aligned, other = map_order(image, ".text.page_aligned", ".text.schedule")
    assert (page_aligned > other) == (variant == "wildcard-first")


@pytest.mark.parametrize("linker", ["ld.lld-14", "ld.lld-16", "ld.lld-19"])
def test_lld_links_the_good_one(linker):
    assert sections(mini_image("x86_64", "good", linker).elf)[".data.read_mostly"] % 4096 == 0
