"""Enough of GitHub's runner to run a composite action: expressions of inputs, step environments, output files.

Only what action.yml uses is there: `${{ inputs.x }}` and `${{ steps.x.outputs.y }}` in values, and `shell: bash`.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.tools import tool

_EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of an action left behind. `log` is what it printed."""

    failed: bool
    outputs: Mapping[str, str]
    summary: str
    log: str
    steps: Mapping[str, int] = field(default_factory=dict)


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` fills once for all workers of a parallel run."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{name}"
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = folder.parent / f"{folder.name}.made"
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            made.touch()
    return folder


def checkout(source: Path, target: Path) -> Path:
    """A copy of a repository's files as they are in the working tree, without what git ignores."""
    listed = subprocess.run(
        [tool("git"), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=source,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (source / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)
    return target


def run_action(action: Path, workspace: Path, temp: Path, inputs: Mapping[str, str], only: str = "") -> Outcome:
    """Run the steps of the action in the folder `action`, all of them or the one named `only`."""
    description: dict[str, Any] = yaml.safe_load((action / "action.yml").read_text())
    unknown = set(inputs) - set(description["inputs"])
    assert not unknown, f"the action has no inputs {unknown}"
    values = {
        f"inputs.{name}": inputs.get(name, declared["default"]) for name, declared in description["inputs"].items()
    }
    summary, log, failed = "", "", False
    statuses: dict[str, int] = {}
    for number, step in enumerate(description["runs"]["steps"]):
        if failed or only not in ("", step["name"]):
            continue
        assert step["shell"] == "bash"
        assert not _EXPRESSION.search(step["run"]), "an expression in a script is an injection"
        files = {
            name: temp / f"{name}-{number}"
            for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH", "GITHUB_ENV")
        }
        for file in files.values():
            file.write_text("")
        environment = {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "PIP_CACHE_DIR")},
            **{name: str(path) for name, path in files.items()},
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(action),
            "GITHUB_WORKSPACE": str(workspace),
            "RUNNER_TEMP": str(temp),
            "RUNNER_OS": "Linux",
            **{name: _evaluate(str(value), values) for name, value in step.get("env", {}).items()},
        }
        script = temp / f"step-{number}.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            [tool("bash"), "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=workspace,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
        )
        log += done.stdout.decode(errors="surrogateescape")
        failed = done.returncode != 0
        statuses[step["name"]] = done.returncode
        summary += files["GITHUB_STEP_SUMMARY"].read_text()
        for line in files["GITHUB_OUTPUT"].read_text().splitlines():
            name, _, value = line.partition("=")
            values[f"steps.{step.get('id')}.outputs.{name}"] = value
        assert files["GITHUB_ENV"].read_text() == ""
    outputs = {name: _evaluate(output["value"], values) for name, output in description["outputs"].items()}
    return Outcome(failed, outputs, summary, log, statuses)


def _evaluate(text: str, values: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda match: values.get(match[1], ""), text)
