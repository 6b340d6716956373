"""The Python interface: what it takes, what it gives back, and that bad input is told and not raised."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ldcheck
from ldcheck.findings import CheckError, EvidenceKind, Severity, Verdict
from tests.support.cache import ROOT

DEMO = ROOT / "examples" / "demo"
FAULTY = DEMO / "faulty"
MENDED = DEMO / "mended"
POLICY = str(DEMO / "policy.yaml")


def test_check_gives_findings_rules_and_a_status() -> None:
    report = ldcheck.check([str(FAULTY / "hypervisor.lds")], policies=[POLICY], elf=str(FAULTY / "hypervisor.elf"))
    assert report.status == 1
    first = report.findings[0]
    assert (first.severity, first.location.file) == (Severity.ERROR, str(FAULTY / "hypervisor.lds"))
    assert {result.verdict for result in report.rules} >= {Verdict.HELD, Verdict.VIOLATED}
    assert report.inputs["image"] == (str(FAULTY / "hypervisor.elf"),)


def test_check_passes_what_is_mended() -> None:
    report = ldcheck.check(
        [str(MENDED / "hypervisor.lds")],
        policies=[POLICY],
        elf=str(MENDED / "hypervisor.elf"),
        map=str(MENDED / "hypervisor.map"),
        require=[EvidenceKind.IMAGE, EvidenceKind.MAP],
        arch="arm64",
    )
    assert (report.status, report.findings, report.errors) == (0, (), ())


def test_an_image_alone() -> None:
    report = ldcheck.check(policies=[POLICY], elf=str(MENDED / "hypervisor.elf"))
    assert report.status == 0
    assert report.rules[0].target == str(MENDED / "hypervisor.elf")


def test_text_stands_for_a_file() -> None:
    script = "SECTIONS { .data : { *(.data .data.*) *(.data.read_mostly) } }"
    report = ldcheck.check(["a.lds"], policies=[POLICY], select=["read-mostly-not-shadowed"], text=script)
    assert [(found.location.file, found.location.line) for found in report.findings] == [("a.lds", 1)]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"scripts": ["absent"]},
        {"scripts": [""]},
        {"scripts": ["\0"]},
        {"scripts": ["/"]},
        {"elf": "absent"},
        {"elf": "/dev/zero"},
        {"map": "/dev/null"},
        {"objects": ["absent"]},
        {"scripts": ["a"], "policies": ["absent"]},
        {"scripts": ["a"], "text": "\0" * 9},
        {"scripts": ["a"], "text": "(" * 100_000},
        {"scripts": ["a"], "text": "SECTIONS {}", "arch": "pdp-11"},
        {"scripts": ["a"], "text": "SECTIONS {}", "baseline": "absent"},
        {"scripts": ["a"], "text": "SECTIONS {}", "since": "\0"},
        {"targets": ["absent"]},
        {"config": "absent"},
        {"scripts": ["x.S"], "command_file": "absent"},
    ],
    ids=str,
)
def test_bad_input_is_told_and_not_raised(
    arguments: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    report = ldcheck.check(**arguments)  # type: ignore[arg-type]  # one call for many shapes of arguments
    assert report.status == 2
    assert report.errors
    assert all(error.message for error in report.errors)


def test_steps_are_told() -> None:
    steps: list[str] = []
    ldcheck.check([str(MENDED / "hypervisor.lds")], policies=[POLICY], progress=steps.append)
    assert [step.rpartition(": ")[2].split()[0] for step in steps] == ["reading", "reading", "judging"]


def test_parse() -> None:
    parsed = ldcheck.parse(str(MENDED / "hypervisor.lds"))
    assert parsed.ok
    assert parsed.tree.statements
    with pytest.raises(CheckError, match="there is no linker script absent"):
        ldcheck.parse("absent")


def test_image() -> None:
    found = ldcheck.image(str(MENDED / "hypervisor.elf"), str(MENDED / "hypervisor.map"))
    assert found.elf is not None
    assert found.elf.arch == "arm64"
    assert found.map is not None
    # A package has the same name, and is imported by now.
    assert ldcheck.image(str(MENDED / "hypervisor.elf")).map is None
    with pytest.raises(CheckError):
        ldcheck.image("absent")
    with pytest.raises(CheckError, match="there is no image"):
        ldcheck.image()


def test_a_map_of_another_link_is_refused() -> None:
    with pytest.raises(CheckError):
        ldcheck.image(str(MENDED / "hypervisor.elf"), str(FAULTY / "hypervisor.map"))


def test_the_interface_is_typed(tmp_path: Path) -> None:
    assert (ROOT / "ldcheck" / "py.typed").exists()
    program = tmp_path / "program.py"
    program.write_text(
        "import ldcheck\n"
        "report = ldcheck.check(['a.lds'], fail_on=None)\n"
        "reveal_type(report.findings[0].location.line)\n"
        "reveal_type(ldcheck.parse('a.lds').ok)\n"
        "ldcheck.check(polcies=['x'])\n"
        "reveal_type(ldcheck.image(elf='x'))\n"
    )
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run([*command, str(program)], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert 'Revealed type is "int"' in done.stdout.replace("builtins.", "")
    assert 'Revealed type is "bool"' in done.stdout.replace("builtins.", "")
    assert 'Unexpected keyword argument "polcies"' in done.stdout
    assert 'Revealed type is "ldcheck.image.model.Image"' in done.stdout


@pytest.mark.parametrize(("variant", "outcome"), [("mended", "passed"), ("faulty", "failed")])
def test_the_pytest_example(variant: str, outcome: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "pytest" / "test_layout.py", tmp_path)
    shutil.copy(POLICY, tmp_path)
    for suffix, name in (("lds", "firmware.ld"), ("elf", "firmware.elf"), ("map", "firmware.map")):
        shutil.copy(DEMO / variant / f"hypervisor.{suffix}", tmp_path / name)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_layout.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == (outcome == "failed"), done.stdout
    assert ("2 failed" in done.stdout) == (outcome == "failed") or "failed" in done.stdout
    assert ("test_layout[read-mostly-not-shadowed]" in done.stdout) == (outcome == "failed")
