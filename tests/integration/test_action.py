"""The steps of action.yml as a runner runs them, from a checkout in a folder with an awkward name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.runner import Outcome, installed_action, run_action

ROOT = Path(__file__).resolve().parents[2]
GOOD = "SECTIONS {\n  .data : { *(.data.read_mostly) *(.data .data.*) }\n}\n"
BAD = "SECTIONS {\n  .data : { *(.data .data.*) *(.data.read_mostly) }\n}\n"
POLICY = """\
ldcheck: 1
rules:
  - id: read-mostly
    no-wildcard-may-shadow: .data.read_mostly
"""


class Runner:
    """A runner with the action installed; each run has a workspace of its own."""

    def __init__(self, action: Path, temp: Path, workspace: Path) -> None:
        self.action, self.temp, self.workspace = action, temp, workspace
        self.write("policy.yaml", POLICY)

    def write(self, name: str, text: str) -> None:
        path = self.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, inputs: Mapping[str, str]) -> Outcome:
        return run_action(self.action, self.workspace, self.temp, inputs, only="Check")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = installed_action(ROOT, tmp_path_factory)
    # Each worker has a runner of its own, with the one installation.
    temp = tmp_path_factory.mktemp("runner temp")
    (temp / "ldcheck").symlink_to(folder / "ldcheck")
    return folder / "it's the $(action) at v1", temp


@pytest.fixture
def runner(installed: tuple[Path, Path], tmp_path: Path) -> Runner:
    return Runner(*installed, tmp_path)


def test_passes(runner: Runner) -> None:
    runner.write("x.lds", GOOD)
    outcome = runner.run({"scripts": "x.lds", "policies": "policy.yaml"})
    assert not outcome.failed, outcome.log
    assert (outcome.outputs["status"], outcome.outputs["errors"], outcome.outputs["sarif"]) == ("0", "0", "")
    assert "ldcheck passed" in outcome.summary
    assert "::error" not in outcome.log


def test_fails_with_annotation_outputs_and_summary(runner: Runner) -> None:
    runner.write("x.lds", BAD)
    outcome = runner.run({"scripts": "x.lds", "policies": "policy.yaml", "sarif": "out put.sarif"})
    assert outcome.failed
    assert outcome.log.startswith("::error file=x.lds,line=2,")
    assert outcome.outputs["status"] == "1"
    assert outcome.outputs["errors"] == "1"
    assert outcome.outputs["sarif"] == "out put.sarif"
    assert json.loads(Path(outcome.outputs["report"]).read_text())["status"] == 1
    assert json.loads((runner.workspace / "out put.sarif").read_text())["version"] == "2.1.0"
    assert "found violations" in outcome.summary


def test_what_may_fail_is_the_callers_choice(runner: Runner) -> None:
    runner.write("x.lds", BAD)
    outcome = runner.run({"scripts": "x.lds", "policies": "policy.yaml", "fail-on": "never", "summary": "false"})
    assert not outcome.failed
    assert outcome.outputs["errors"] == "1"
    assert outcome.summary == ""


def test_nothing_to_check_is_no_success(runner: Runner) -> None:
    outcome = runner.run({})
    assert outcome.failed
    assert outcome.outputs["status"] == "2"


HOSTILE = [
    "a b.lds",
    "it's.lds",
    '"quoted".lds',
    "$(touch owned).lds",
    "`touch owned`.lds",
    "; touch owned;.lds",
    "-x.lds",
    "%0A::error::owned.lds",
    "::error::owned.lds",
    "*.lds",
    "${{ github.token }}.lds",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_path(runner: Runner, name: str) -> None:
    runner.write(name, BAD)
    outcome = runner.run({"scripts": name, "policies": "policy.yaml"})
    assert outcome.outputs["status"] == "1", outcome.log
    assert outcome.outputs["errors"] == "1"
    assert sorted(os.listdir(runner.workspace)) == sorted([name, "policy.yaml"])
    assert [line for line in outcome.log.splitlines() if line.startswith("::error")] == [
        line for line in outcome.log.splitlines() if line.startswith("::error file=")
    ]


@pytest.mark.parametrize(
    "inputs",
    [
        {"sarif": "a\nstatus=0"},
        {"working-directory": ".\nerrors=0"},
        {"working-directory": "missing"},
        {"arch": "x86_64\n--fail-on=never"},
        {"policies": "$(touch owned)"},
        {"define": "X=$(touch owned)\nY"},
        {"fail-on": "'; touch owned; '"},
        {"arguments": "--no-such-option"},
        {"elf": "refs/heads/a`touch owned`"},
    ],
    ids=str,
)
def test_hostile_input(runner: Runner, inputs: dict[str, str]) -> None:
    runner.write("x.lds", BAD)
    outcome = runner.run({"scripts": "x.lds", "policies": "policy.yaml", **inputs})
    assert outcome.failed
    assert outcome.outputs["status"] in ("", "1", "2")
    assert not (runner.workspace / "owned").exists()
    assert "Traceback" not in outcome.log


def test_several_scripts_and_policies(runner: Runner) -> None:
    runner.write("in a folder/one.lds", GOOD)
    runner.write("in a folder/two.lds", BAD)
    inputs = {
        "scripts": "one.lds\n\n  \ntwo.lds\n",
        "policies": "../policy.yaml\ngeneric\n",
        "working-directory": "in a folder",
    }
    outcome = runner.run(inputs)
    assert outcome.outputs["status"] == "1", outcome.log
    # Annotations are relative to the checkout, not to the folder that the step ran in.
    assert "::error file=in a folder/two.lds,line=2," in outcome.log


def test_action_is_valid_and_zizmor_finds_nothing() -> None:
    schema = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"]
    done = subprocess.run(schema, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    zizmor = Path(sys.executable).with_name("zizmor")
    audit = [str(zizmor), "--offline", "--pedantic", "--no-config", "action.yml"]
    done = subprocess.run(audit, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_old_python_is_told_in_time(installed: tuple[Path, Path], tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    outcome = run_action(installed[0], tmp_path, tmp_path, {"python": str(old)}, only="Install ldcheck")
    assert outcome.failed
    assert "::error title=ldcheck::ldcheck needs Python 3.11 or newer" in outcome.log
