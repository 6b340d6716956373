"""The same verdict as GNU ld: on scripts that use all of the language, on real ones, and on scripts with a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.script.agreement import (
    BINUTILS,
    SCRIPTS,
    SOURCES,
    Tally,
    compare_files,
    compare_mutants,
    files_below,
    ldscripts,
    source_scripts,
)
from tests.support.tools import tool

COMPLETE = files_below(SCRIPTS)


def installed() -> list[Path]:
    """The linker scripts of the ld that judges."""
    binary = Path(tool("ld")).resolve().parent
    found = sorted(path for path in (binary.parent / "lib").rglob("ldscripts/*.x*"))
    assert found, f"no linker scripts of {binary / 'ld'}"
    return found


def require(tally: Tally, capsys: pytest.CaptureFixture[str]) -> None:
    """Print the counts and what remains; nothing unexplained may."""
    with capsys.disabled():
        print(f"\n{tally}")
        for line in tally.details():
            print(line)
    assert not tally.wrong, "\n".join(tally.wrong)
    assert tally.line_agreement >= 0.97, "\n".join(tally.other_lines)


@pytest.mark.parametrize("path", COMPLETE, ids=lambda path: path.name)
def test_a_script_with_all_of_the_language_is_accepted_and_prints_back(path: Path, tmp_path: Path) -> None:
    tally = compare_files(path.name, [path], tmp_path)
    assert (tally.accepted, tally.wrong) == (1, [])


def test_default_linker_scripts_are_accepted_and_print_back(tmp_path: Path) -> None:
    found = installed()
    tally = compare_files("installed", found[:: max(len(found) // 30, 1)], tmp_path, set())
    assert not tally.wrong
    assert tally.accepted >= 20


def test_mutants_have_the_verdict_and_the_line_of_ld(tmp_path: Path) -> None:
    tally = compare_mutants("mutants", [path.read_bytes() for path in COMPLETE], 400, 42, tmp_path)
    assert not tally.wrong, "\n".join(tally.details())
    assert tally.line_agreement >= 0.97, "\n".join(tally.details())
    assert min(tally.accepted, tally.rejected) > 100


@pytest.mark.sweep
@pytest.mark.parametrize("package", BINUTILS)
def test_linker_scripts_of_every_target(package: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require(compare_files(package, ldscripts(package), tmp_path, set()), capsys)


@pytest.mark.sweep
@pytest.mark.parametrize("package", SOURCES)
def test_linker_scripts_in_sources(package: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require(compare_files(package, source_scripts(package), tmp_path), capsys)


@pytest.mark.sweep
@pytest.mark.parametrize("package", [name for name in SOURCES if name != "grub2"])
def test_mutants_of_linker_scripts_in_sources(package: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scripts = [path.read_bytes() for path in source_scripts(package)]
    small = [script for script in scripts if 40 < len(script) < 20_000]
    require(compare_mutants(f"mutants of {package}", small, 500, 7, tmp_path), capsys)


@pytest.mark.sweep
def test_mutants_of_the_whole_language(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scripts = [path.read_bytes() for path in COMPLETE]
    require(compare_mutants("mutants of the whole language", scripts, 3000, 8, tmp_path), capsys)
