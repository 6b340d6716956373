"""Whatever layout calls guaranteed holds in every link that the real ld makes of a script."""

from __future__ import annotations

import os

import pytest

from tests.layout.soundness import run

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


@pytest.mark.sweep
def test_no_fact_is_broken_by_many_links(tmp_path, capsys):
    tally = run(tmp_path, range(_FIRST + 1000, _FIRST + 4500))
    with capsys.disabled():
        links = tally.links - tally.refused
        print(f"\n{links} links, {tally.facts} facts, {tally.orders} orders, {tally.apart} apart, none may be broken")
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.links - tally.refused >= 2000
    assert tally.apart > 200


@pytest.mark.sweep
def test_no_fact_is_broken_by_many_links_of_a_firmware(tmp_path, capsys):
    tally = run(tmp_path, range(_FIRST + 1000, _FIRST + 3000), firmware=True)
    with capsys.disabled():
        print(f"\n{tally.links - tally.refused} links of a firmware, {tally.facts} facts, none may be broken")
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.links - tally.refused >= 1000
