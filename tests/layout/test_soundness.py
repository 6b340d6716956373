"""Whatever layout calls guaranteed holds in every link that the linker which is meant makes of a script."""

from __future__ import annotations

import os

import pytest

from tests.layout.soundness import GNU_LD, run
from tests.support.linkers import GNU, LLD, Linker

# Another start tries other scripts and objects.
_FIRST = int(os.environ.get("LDCHECK_LAYOUT_SEED", "1"))


def test_no_fact_is_broken_by_a_link(tmp_path):
    tally = run(tmp_path, range(_FIRST, _FIRST + 250))
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.links == 250
    assert tally.links - tally.refused > 125
    assert tally.facts > 600
    assert tally.orders > 1500
    assert tally.decided > 300
    assert tally.apart > 5


@pytest.mark.parametrize("target", ["x86_64", "arm32"])
def test_no_fact_is_broken_by_a_link_of_a_firmware(tmp_path, target):
    tally = run(tmp_path, range(_FIRST, _FIRST + 60), target, firmware=True)
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.links - tally.refused > 25
    assert tally.facts > 500


# RISC-V relaxes: sections shrink while ld lays them out.
@pytest.mark.parametrize("target", ["arm64", "arm32", "riscv64"])
def test_no_fact_is_broken_elsewhere(tmp_path, target):
    tally = run(tmp_path, range(_FIRST, _FIRST + 50), target)
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.links - tally.refused > 20


# lld links fewer of the scripts: it has no addition of two addresses, and no section without a region beside MEMORY.
(EVERY_RUN,) = (linker for linker in LLD if linker.every_run)
OTHERS = [pytest.param(one, id=str(one)) for one in (*GNU, *LLD) if one.kind == "lld" or not one.every_run]


def test_no_fact_is_broken_by_a_link_by_lld(tmp_path):
    tally = run(tmp_path, range(_FIRST, _FIRST + 320), linker=EVERY_RUN)
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.links - tally.refused > 100
    assert tally.facts > 600
    assert tally.orders > 2000
    assert tally.decided > 300
    assert tally.apart > 5


@pytest.mark.parametrize("target", ["x86_64", "arm32"])
def test_no_fact_is_broken_by_a_link_of_a_firmware_by_lld(tmp_path, target):
    tally = run(tmp_path, range(_FIRST, _FIRST + 60), target, firmware=True, linker=EVERY_RUN)
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.links - tally.refused > 15
    assert tally.facts > 300


@pytest.mark.parametrize("target", ["arm64", "arm32", "riscv64"])
def test_no_fact_is_broken_elsewhere_by_lld(tmp_path, target):
    tally = run(tmp_path, range(_FIRST, _FIRST + 50), target, linker=EVERY_RUN)
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.links - tally.refused > 15


@pytest.mark.sweep
@pytest.mark.parametrize("linker", OTHERS)
def test_no_fact_is_broken_by_many_links_of_another_linker(tmp_path, capsys, linker: Linker):
    tally = run(tmp_path, range(_FIRST + 1000, _FIRST + 6000), linker=linker)
    with capsys.disabled():
        print(f"\n{linker}: {tally}")
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.links - tally.refused >= 2000
    assert tally.apart > 150


@pytest.mark.sweep
@pytest.mark.parametrize("linker", OTHERS)
def test_no_fact_is_broken_by_many_links_of_a_firmware_by_another_linker(tmp_path, capsys, linker: Linker):
    tally = run(tmp_path, range(_FIRST + 1000, _FIRST + 2000), firmware=True, linker=linker)
    with capsys.disabled():
        print(f"\n{linker}, a firmware: {tally}")
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.links - tally.refused >= 250


@pytest.mark.sweep
def test_no_fact_is_broken_by_many_links(tmp_path, capsys):
    tally = run(tmp_path, range(_FIRST + 1000, _FIRST + 4500))
    with capsys.disabled():
        print(f"\n{GNU_LD}: {tally}")
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.links - tally.refused >= 2000
    assert tally.apart > 200


@pytest.mark.sweep
def test_no_fact_is_broken_by_many_links_of_a_firmware(tmp_path, capsys):
    tally = run(tmp_path, range(_FIRST + 1000, _FIRST + 3000), firmware=True)
    with capsys.disabled():
        print(f"\n{GNU_LD}, a firmware: {tally}")
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.links - tally.refused >= 1000
