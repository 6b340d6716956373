"""Enough of GitHub's runner to run a composite action, and the jobs of this repository's workflows.

Only what action.yml and .github/workflows/ use is there: expressions that name a value, conditions that compare two,
`shell: bash`, step environments, output files, and `uses: ./`. Actions of others are told and not run.
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
from types import MappingProxyType
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


def installed_action(source: Path, factory: pytest.TempPathFactory) -> Path:
    """A folder with a checkout, `it's the $(action) at v1`, and what its action installed, `ldcheck`; once for all."""

    def install(folder: Path) -> None:
        action = checkout(source, folder / "it's the $(action) at v1")
        outcome = run_action(action, folder, folder, {}, only="Install ldcheck")
        assert not outcome.failed, outcome.log

    return shared(factory, "action", install)


def run_action(
    action: Path,
    workspace: Path,
    temp: Path,
    inputs: Mapping[str, str],
    only: str = "",
    context: Mapping[str, str] = MappingProxyType({}),
) -> Outcome:
    """Run the steps of the action in the folder `action`, all of them or the one named `only`.

    `context` has values of the event, such as `github.event.before`.
    """
    description: dict[str, Any] = yaml.safe_load((action / "action.yml").read_text())
    unknown = set(inputs) - set(description["inputs"])
    assert not unknown, f"the action has no inputs {unknown}"
    values = {
        f"inputs.{name}": inputs.get(name, declared["default"]) for name, declared in description["inputs"].items()
    }
    values |= context
    summary, log, failed = "", "", False
    statuses: dict[str, int] = {}
    for number, step in enumerate(description["runs"]["steps"]):
        if failed or only not in ("", step["name"]):
            continue
        assert step["shell"] == "bash"
        assert not _EXPRESSION.search(step["run"]), "an expression in a script is an injection"
        done = run_step(step, values, workspace, temp, number, {"GITHUB_ACTION_PATH": str(action)})
        log += done.log
        failed = done.failed
        statuses[step["name"]] = done.status
        summary += done.summary
        values |= {f"steps.{step.get('id')}.outputs.{name}": value for name, value in done.outputs.items()}
    outputs = {name: _evaluate(output["value"], values) for name, output in description["outputs"].items()}
    return Outcome(failed, outputs, summary, log, statuses)


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a step of a job. `inputs` are those that an action was given."""

    name: str
    uses: str
    result: str
    inputs: Mapping[str, str]
    log: str = ""


def run_job(
    workflow: Path, job: str, workspace: Path, temp: Path, values: Mapping[str, str], path: str = "", only: str = ""
) -> tuple[list[Step], bool]:
    """Run the steps of a job in a checkout; what became of each, and whether the job failed.

    `values` are those of the contexts (`github.event_name`, `matrix.python`). `path` is a folder in front of PATH.
    Of this repository's own action all steps run, or the one named `only`.
    """
    described: dict[str, Any] = yaml.safe_load(workflow.read_text())
    assert described["defaults"] == {"run": {"shell": "bash"}}
    known, failed, steps = dict(values), False, []
    for number, step in enumerate(described["jobs"][job]["steps"]):
        inputs = {name: _evaluate(str(value), known) for name, value in step.get("with", {}).items()}
        name, uses = step.get("name", step.get("uses", "")), step.get("uses", "")
        if not _holds(step.get("if", "success()"), known, failed):
            steps.append(Step(name, uses, "skipped", inputs))
            continue
        outcome = Outcome(False, {}, "", "")
        if uses == "./":
            # As there, each use of the action in a job installs into one folder.
            outcome = run_action(workspace, workspace, temp, inputs, only)
        elif not uses:
            assert not _EXPRESSION.search(step["run"]), "an expression in a script is an injection"
            done = run_step(
                step, known, workspace, temp, number, {"PATH": f"{path}:{os.environ['PATH']}"} if path else {}
            )
            outcome = Outcome(done.failed, done.outputs, done.summary, done.log)
        known |= {f"steps.{step.get('id')}.outputs.{name}": value for name, value in outcome.outputs.items()}
        steps.append(Step(name, uses, "failure" if outcome.failed else "success", inputs, outcome.log))
        failed |= outcome.failed and not step.get("continue-on-error", False)
    return steps, failed


@dataclass(frozen=True, slots=True)
class _Run:
    """What a script of a step left behind."""

    status: int
    outputs: Mapping[str, str]
    summary: str
    log: str

    @property
    def failed(self) -> bool:
        return self.status != 0


def run_step(
    step: Mapping[str, Any],
    values: Mapping[str, str],
    workspace: Path,
    temp: Path,
    number: int,
    more: Mapping[str, str],
) -> _Run:
    """Run the script of a step; `values` are what its expressions name, `more` goes into its environment."""
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
        "GITHUB_WORKSPACE": str(workspace),
        "RUNNER_TEMP": str(temp),
        "RUNNER_OS": "Linux",
        **{name.upper().replace(".", "_"): value for name, value in values.items() if name.startswith("github.")},
        **more,
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
    assert files["GITHUB_ENV"].read_text() == ""
    lines = (line.partition("=") for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    outputs = {name: value for name, _, value in lines}
    log = done.stdout.decode(errors="surrogateescape")
    return _Run(done.returncode, outputs, files["GITHUB_STEP_SUMMARY"].read_text(), log)


def _holds(condition: str, values: Mapping[str, str], failed: bool) -> bool:
    """Whether a step runs: `always()`, or comparisons with `||` between them, which ask for success as well."""
    if condition == "always()":
        return True
    if condition == "success()":
        return not failed
    compared = [re.fullmatch(r"([\w.-]+) (==|!=) '([^']*)'", part) for part in condition.split(" || ")]
    assert all(compared), f"this runner does not know the condition {condition}"
    return not failed and any((values.get(m[1], "") == m[3]) == (m[2] == "==") for m in compared if m)


def _evaluate(text: str, values: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda match: values.get(match[1], ""), text)
