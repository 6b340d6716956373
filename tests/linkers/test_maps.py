"""What every check that uses a map says of one by lld is what it says of GNU ld's map of the same link."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import ldcheck
from ldcheck.findings import Verdict
from ldcheck.image.maps import read_map
from tests.linkers.snippets import section
from tests.support.build import assemble
from tests.support.linkers import GNU, LLD, Linker, as_params, command

SCRIPT = """SECTIONS {
  . = 0x10000;
  .text : { *(.text) }
  .rodata : { *(.rodata) }
  .data : { *(.data .data.*) }
  .rm : { *(.data.read_mostly) }
  .tbl : { start = .; KEEP(*(.tbl)) stop = .; }
  .even : { *(.even) }
  .none : { *(.none) }
  /DISCARD/ : { *(.junk) }
}
"""
SOURCES = (
    section(".text", "ax", 16) + section(".data", "aw", 8, align=8) + section(".tbl", "a", 12, align=8)
    + section(".junk") + section(".even", "a", 8, align=8),
    section(".data.read_mostly", "aw", 8, align=8) + section(".tbl", "a", 12, align=8) + section(".lost", "aw")
    + section(".even", "a", 8, align=8) + section(".rodata"),
)  # fmt: skip
POLICY = """ldcheck: 1
rules:
  - {id: shadowed, no-wildcard-may-shadow: .data.read_mostly}
  - {id: orphaned, orphans: none}
  - {id: placed, place: .data.read_mostly, in: .data}
  - {id: misplaced, place: .tbl, in: .rodata}
  - {id: discarded, discard: .junk}
  - {id: not-discarded, discard: .lost}
  - {id: kept, keep: .tbl}
  - {id: not-kept, keep: .even}
  - {id: empty, empty: .none}
  - {id: not-empty, empty: .lost}
  - {id: torn, bracket: .tbl, with: [start, stop], entry-size: 4}
  - {id: padded, padding: .tbl, at-most: 0}
  - {id: not-padded, padding: .even, at-most: 0}
"""
VIOLATED = {"shadowed", "orphaned", "misplaced", "not-discarded", "not-empty", "torn", "padded"}
HELD = {"placed", "discarded", "kept", "empty", "not-padded"}
# Nothing was collected, as far as a map lists what was.
UNPROVEN = {"not-kept"}
(USUAL,) = (linker for linker in GNU if linker.every_run)


def linked(linker: Linker, folder: Path) -> None:
    """Link the sources to a.elf and a.map."""
    objects = [assemble(folder, source, name=f"{name}.o").name for name, source in zip("ab", SOURCES, strict=True)]
    (folder / "t.lds").write_text(SCRIPT)
    (folder / "policy.yaml").write_text(POLICY)
    options = ["-nostdlib", "-e0", "--build-id=none", "-T", "t.lds", "-Map=a.map", "-o", "a.elf"]
    subprocess.run([command(linker), *options, *objects], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("linker", as_params((*GNU, *LLD)))
@pytest.mark.parametrize("elf", ["a.elf", ""])
def test_every_check_reads_the_map(linker: Linker, elf: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    linked(linker, tmp_path)
    report = ldcheck.check(["t.lds"], map="a.map", elf=elf, policies=["policy.yaml"])
    assert report.errors == ()
    verdicts = {one.rule: one.verdict for one in report.rules}
    untold = UNPROVEN if linker.kind == "lld" else set()
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.VIOLATED} == VIOLATED | untold
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.HELD} == HELD
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.UNPROVEN} == UNPROVEN - untold


@pytest.mark.parametrize("linker", as_params((*GNU, *LLD)))
def test_padding_is_told_of_the_map(linker: Linker, tmp_path: Path) -> None:
    linked(linker, tmp_path)
    (table,) = (one for one in read_map(str(tmp_path / "a.map")).sections if one.name == ".tbl")
    assert [(padding.address - table.address, padding.size) for padding in table.paddings] == [(12, 4)]


@pytest.mark.parametrize("linker", as_params(LLD))
def test_a_map_that_is_cut_off_is_not_whole(linker: Linker, tmp_path: Path) -> None:
    linked(linker, tmp_path)
    assert read_map(str(tmp_path / "a.map")).incomplete == ()
    lines = (tmp_path / "a.map").read_text().splitlines(keepends=True)
    last = next(at for at, line in enumerate(lines) if line.endswith(":(.shstrtab)\n"))
    # All that is behind it is the names of symbols.
    assert len(lines) - last <= 3
    cut = tmp_path / "cut.map"
    for end in range(2, last):
        cut.write_text("".join(lines[:end]))
        assert read_map(str(cut)).incomplete, lines[end - 1]


@pytest.mark.parametrize("options", [["-r"], ["-shared"], ["--strip-all"], ["--oformat=binary"], ["--gc-sections"]])
@pytest.mark.parametrize("linker", as_params(LLD))
def test_a_whole_map_is_whole(linker: Linker, options: list[str], tmp_path: Path) -> None:
    assemble(tmp_path, SOURCES[0])
    arguments = [command(linker), *options, "-e0", "-Map=a.map", "-o", "a.elf", "a.o"]
    subprocess.run(arguments, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    assert read_map(str(tmp_path / "a.map")).incomplete == ()
