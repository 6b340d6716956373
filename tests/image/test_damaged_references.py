"""Damaged objects with relocations and debugging information, and damaged images with relocations: 2,000 of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.image.test_damage import worker
from tests.image.test_linked_references import linked
from tests.image.test_references import SOURCE
from tests.support.build import compile_c

_BATCHES = 4


def files(folder: Path) -> list[Path]:
    """Tables with and without addends, descriptors, split types, both byte orders."""
    arches = ("x86_64", "arm32", "mips", "ppc64", "riscv64", "s390x")
    found = [compile_c(folder, SOURCE, arch, f"{arch}.o", ["-DLOCAL=static", "-g"]) for arch in arches]
    for arch in ("x86_64", "arm32", "mips"):
        home = folder / arch
        home.mkdir()
        image = linked(home, arch, ["-DLOCAL=static", "-g"]).elf
        assert image is not None
        found.append(image)
    return found


@pytest.mark.parametrize("batch", range(_BATCHES))
def test_damaged(tmp_path: Path, batch: int) -> None:
    worker(batch * 500, 500, *files(tmp_path))


@pytest.mark.sweep
def test_many_damaged(tmp_path: Path) -> None:
    worker(500_000, 10_000, *files(tmp_path))
