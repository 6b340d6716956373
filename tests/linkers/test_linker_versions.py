"""The linkers that judge are those that they are called."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.linkers import ALL, Linker, as_params, command


@pytest.mark.parametrize("linker", as_params(ALL))
def test_a_linker_has_its_version(linker: Linker) -> None:
    done = subprocess.run([command(linker), "--version"], capture_output=True, text=True, check=True, timeout=60)
    name = "LLD" if linker.kind == "lld" else "GNU ld"
    first = done.stdout.splitlines()[0]
    assert name in first
    assert f" {linker.version}." in f"{first}."
