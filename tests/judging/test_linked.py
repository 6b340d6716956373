"""An image of another script is evidence of nothing: the run says so, and does not judge."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import ldcheck
from ldcheck.findings import EvidenceKind
from ldcheck.report.model import Report
from tests.support.build import LinkResult, assemble, link
from tests.support.tools import tool

SCRIPT = """\
MEMORY { FLASH (rx) : ORIGIN = 0x8000, LENGTH = 8K  RAM (rw) : ORIGIN = 0x20000, LENGTH = 8K }
SECTIONS {
  .text : { text_start = .; *(.text .text.*) text_end = .; } > FLASH
  .data : { data_start = .; *(.data .data.*) data_end = .; } > RAM
}
"""
OTHER = "SECTIONS { . = 0x400000; .text : { *(.text) } . = 0x600000; .data : { *(.data) } _end = .; }"
SOURCE = ".globl _start\n.text\n_start: .long 0\n.data\n.long 1, 2\n"
POLICY = "ldcheck: 1\nrules:\n  - {id: r, order: [text_start, data_start]}\n"


def linked(folder: Path, script: str, name: str) -> LinkResult:
    done = link(folder, script, [assemble(folder, SOURCE)], name=name)
    assert done.elf is not None, done.output
    return done


def judged(folder: Path, elf: Path | None = None, mapped: Path | None = None, script: str = SCRIPT) -> Report:
    (folder / "p.yaml").write_text(POLICY)
    (folder / "t.ld").write_text(script)
    scripts, policies = [str(folder / "t.ld")], [str(folder / "p.yaml")]
    return ldcheck.check(scripts, policies=policies, elf=str(elf or ""), map=str(mapped or ""))


def test_the_image_of_the_script_is_evidence(tmp_path: Path) -> None:
    done = linked(tmp_path, SCRIPT, "rom.elf")
    report = judged(tmp_path, done.elf, done.map)
    assert not report.errors
    assert EvidenceKind.IMAGE in report.rules[0].evidence


@pytest.mark.parametrize("stripped", [False, True])
def test_the_image_of_another_script_is_refused(tmp_path: Path, *, stripped: bool) -> None:
    done = linked(tmp_path, OTHER, "other.elf")
    assert done.elf is not None
    if stripped:
        subprocess.run([tool("strip"), done.elf], check=True)
    report = judged(tmp_path, done.elf)
    (error,) = report.errors
    assert "t.ld did not make" in error.message
    assert ("output sections are elsewhere" in error.message) is stripped
    assert report.status == 2
    assert not report.rules


def test_the_map_of_another_script_is_refused(tmp_path: Path) -> None:
    done = linked(tmp_path, OTHER, "other.elf")
    (error,) = judged(tmp_path, mapped=done.map).errors
    assert ".text is at 0x400000, outside of FLASH" in error.message
    own = linked(tmp_path, SCRIPT, "rom.elf")
    assert not judged(tmp_path, mapped=own.map).errors


def test_an_object_is_no_image(tmp_path: Path) -> None:
    (error,) = judged(tmp_path, assemble(tmp_path, SOURCE)).errors
    assert error.message == "this is an object that was not linked"


def test_an_image_of_an_earlier_version_is_told(tmp_path: Path) -> None:
    more = "".join(f" s{at} = .;" for at in range(8))
    before = SCRIPT.replace(" text_end = .;", f"{more} text_end = .;")
    done = linked(tmp_path, before, "rom.elf")
    after = before.replace("*(.data .data.*) data_end = .;", "*(.data .data.*) data_end = .; added = .; another = .;")
    report = judged(tmp_path, done.elf, script=after)
    assert not report.errors
    assert any("2 of 14 symbols that it assigns are off" in note for note in report.notes)


def test_an_image_that_tells_nothing_is_said_to(tmp_path: Path) -> None:
    plain = "SECTIONS { .text : { text_start = .; *(.text) } .data : { data_start = .; *(.data) } }"
    done = linked(tmp_path, OTHER, "other.elf")
    assert done.elf is not None
    subprocess.run([tool("strip"), done.elf], check=True)
    report = judged(tmp_path, done.elf, script=plain)
    assert any("it has no symbols" in note for note in report.notes)


@pytest.mark.parametrize("linker", ["ld", "ld.lld-19"])
def test_what_was_linked_is_no_script(tmp_path: Path, linker: str) -> None:
    done = link(tmp_path, OTHER, [assemble(tmp_path, SOURCE)], linker=linker)
    archive = tmp_path / "a.a"
    subprocess.run([tool("ar"), "cr", archive, tmp_path / "a.o"], check=True)
    for path, what, option in (
        (done.elf, "an ELF file", "--elf"),
        (done.map, "a link map", "--map"),
        (archive, "an archive of object files", "--objects"),
    ):
        (error,) = ldcheck.check([str(path)]).errors
        assert error.message == f"this is {what}, not a linker script"
        assert error.help.startswith(f"give it with {option}, ")
