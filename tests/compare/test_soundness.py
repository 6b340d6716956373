"""Where two scripts are said to give the same image, every link that the real ld makes of them agrees."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.compare.soundness import run

# Another start tries other scripts and objects.
_FIRST = int(os.environ.get("LDCHECK_COMPARE_SEED", "1"))


def test_what_is_said_to_be_the_same_is(tmp_path: Path) -> None:
    tally = run(tmp_path, range(_FIRST, _FIRST + 400))
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.pairs > 250
    assert 60 < tally.same < tally.pairs - 60
    assert tally.linked > 80


@pytest.mark.parametrize("target", ["arm64", "arm32", "riscv64"])
def test_what_is_said_to_be_the_same_is_elsewhere(tmp_path: Path, target: str) -> None:
    tally = run(tmp_path, range(_FIRST, _FIRST + 60), target)
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.linked > 10


def test_what_is_said_to_be_the_same_is_in_a_firmware(tmp_path: Path) -> None:
    tally = run(tmp_path, range(_FIRST, _FIRST + 60), firmware=True)
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.linked > 10


@pytest.mark.sweep
@pytest.mark.parametrize("target", ["x86_64", "arm64", "arm32", "riscv64"])
def test_what_is_said_to_be_the_same_is_in_many_links(tmp_path: Path, target: str) -> None:
    tally = run(tmp_path, range(_FIRST + 1000, _FIRST + (5000 if target == "x86_64" else 2000)), target)
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.linked > 300
