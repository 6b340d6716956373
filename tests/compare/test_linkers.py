"""A comparison where lld is meant: nothing is proved by the rules of GNU ld alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import ldcheck
from ldcheck.api import diff_since
from ldcheck.findings import CheckError
from tests.support.build import assemble

OLD = "SECTIONS { . = 0x1000; .text : { *(.text) } a = 1; b = 2; }\n"
NEW = "SECTIONS { . = 0x1000; .text : { *(.text) } b = 2; a = 1; }\n"


@pytest.fixture
def scripts(tmp_path: Path) -> tuple[str, str]:
    paths = tmp_path / "old.lds", tmp_path / "new.lds"
    for path, text in zip(paths, (OLD, NEW), strict=True):
        path.write_text(text)
    return str(paths[0]), str(paths[1])


@pytest.mark.parametrize("linker", ["", "gnu", "gnu=2.44"])
def test_gnu_ld_is_the_one_that_is_proved_for(linker: str, scripts: tuple[str, str]) -> None:
    found = ldcheck.diff(*scripts, linker=linker)
    assert found.proved
    assert not any("meant" in note for note in found.notes)


@pytest.mark.parametrize("linker", ["lld", "lld=19", "both"])
def test_for_lld_only_scripts_that_read_the_same_are_the_same(linker: str, scripts: tuple[str, str]) -> None:
    found = ldcheck.diff(*scripts, linker=linker)
    assert not found.proved
    assert "proved for GNU ld alone" in found.reason
    assert any("by the rules of GNU ld, and lld" in note for note in found.notes)
    assert ldcheck.diff(scripts[0], scripts[0], linker=linker).proved


def test_a_script_is_read_in_the_language_of_lld(tmp_path: Path) -> None:
    path = tmp_path / "c.lds"
    path.write_text("SECTIONS { CLASS(c) { *(.a) } .x : { CLASS(c) } }\n")
    assert ldcheck.diff(str(path), str(path), linker="lld=21").proved
    with pytest.raises(CheckError):
        ldcheck.diff(str(path), str(path))


def test_inputs_are_not_played_through_for_lld(scripts: tuple[str, str], tmp_path: Path) -> None:
    given = str(assemble(tmp_path, ".text\n.long 1\n"))
    assert ldcheck.diff(*scripts, objects=[given]).builds is not None
    with pytest.raises(CheckError, match="by the rules of GNU ld, and lld is meant"):
        ldcheck.diff(*scripts, objects=[given], linker="lld")


def test_no_linker_is_an_error(scripts: tuple[str, str]) -> None:
    with pytest.raises(CheckError, match="is no linker"):
        ldcheck.diff(*scripts, linker="gold")


@pytest.mark.usefixtures("scripts")
def test_the_target_says_whose_rules_apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".ldcheck.yaml").write_text("ldcheck: 1\ntargets:\n  t: { script: old.lds, linker: lld }\n")
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x"]):
        subprocess.run(["git", *words], check=True, cwd=tmp_path)
    (tmp_path / "old.lds").write_text(NEW)
    (found,) = diff_since("HEAD").values()
    assert not found.errors
    assert not found.proved
    assert "lld is meant" in found.reason
