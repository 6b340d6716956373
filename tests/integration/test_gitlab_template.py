"""The GitLab template: its schema, and its script as a runner's shell executes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.support.build import assemble, link
from tests.support.runner import checkout, shared
from tests.support.tools import tool

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "templates" / "ldcheck.gitlab-ci.yml"
BAD = "SECTIONS {\n  .data : { *(.data .data.*) *(.data.read_mostly) }\n}\n"
POLICY = "ldcheck: 1\nrules:\n  - id: read-mostly\n    no-wildcard-may-shadow: .data.read_mostly\n"

Job = Callable[[str, Path], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder for temporary files, with ldcheck installed by the template, and the package that it came from."""
    folder = shared(tmp_path_factory, "gitlab", lambda folder: _install(folder, checkout(ROOT, folder / "ld check")))
    return folder, folder / "ld check"


def _install(temp: Path, package: Path) -> None:
    """Run the lines of the template's script that install; the last one checks."""
    environment = {**os.environ, "TMPDIR": str(temp), "LDCHECK_PACKAGE": str(package)}
    program = "set -e\n" + "\n".join(yaml.safe_load(TEMPLATE.read_text())[".ldcheck"]["script"][:-1])
    subprocess.run([tool("sh"), "-c", program], env=environment, check=True)


@pytest.fixture(params=["sh", "bash"])
def job(request: pytest.FixtureRequest, installed: tuple[Path, Path]) -> Job:
    temp, package = installed

    def run(arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
        check = yaml.safe_load(TEMPLATE.read_text())[".ldcheck"]["script"][-1]
        keep = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "PIP_CACHE_DIR")}
        environment = {
            **keep,
            "CI": "true",
            "CI_PROJECT_DIR": str(folder),
            "TMPDIR": str(temp),
            "LDCHECK_PACKAGE": str(package),
            "LDCHECK_ARGUMENTS": arguments,
        }
        # The runner stops at the first line that fails.
        program = f"set -e\n{check}"
        return subprocess.run(
            [tool(request.param), "-c", program], cwd=folder, env=environment, capture_output=True, text=True
        )

    return run


def test_schema(tmp_path: Path) -> None:
    described = yaml.safe_load(TEMPLATE.read_text())
    described["ldcheck-arm64"] = {"extends": ".ldcheck", "needs": ["build-arm64"]}
    described |= how_to()
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(yaml.safe_dump(described))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"]
    done = subprocess.run([*command, str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_reports_are_left_for_the_merge_request(job: Job, tmp_path: Path) -> None:
    (tmp_path / "a b.lds").write_text(BAD)
    (tmp_path / "policy.yaml").write_text(POLICY)
    done = job("--policy=policy.yaml\n\n  \na b.lds\n", tmp_path)
    assert done.returncode == 1, done.stderr
    (entry,) = json.loads((tmp_path / "gl-code-quality-report.json").read_text())
    assert entry["location"] == {"path": "a b.lds", "lines": {"begin": 2, "end": 2}}
    assert ET.parse(tmp_path / "ldcheck-junit.xml").getroot().find(".//failure") is not None
    assert "a b.lds:2:21: error:" in done.stdout


def test_arguments_are_never_run(job: Job, tmp_path: Path) -> None:
    done = job('$(touch owned)\n`touch owned`\n"; touch owned; "\n\'\n*\n', tmp_path)
    assert done.returncode == 2
    assert not (tmp_path / "owned").exists()
    assert "$(touch owned): error: " in done.stdout


def test_nothing_to_check_fails_the_job(job: Job, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    done = job("", tmp_path)
    assert done.returncode == 2
    assert json.loads((tmp_path / "gl-code-quality-report.json").read_text())[0]["severity"] == "blocker"


def how_to() -> dict[str, Any]:
    """The job for `ldcheck diff` of the how-to."""
    text = (ROOT / "docs/how-to/gitlab.md").read_text().partition("## What a merge request moves")[2]
    described: dict[str, Any] = yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])
    return described


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_how_to_for_what_a_merge_request_moves(installed: tuple[Path, Path], tmp_path: Path, shell: str) -> None:
    def git(*arguments: str) -> str:
        command = [tool("git"), "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    regions = "MEMORY { FLASH (rx) : ORIGIN = 0, LENGTH = 1K\n RAM (rw) : ORIGIN = 4K, LENGTH = 1K }\n"
    script = regions + "SECTIONS {\n .text : { *(.text) } > FLASH\n .data : { *(.data .data.*) } > RAM\n}\n"
    moved = script.replace("*(.text)", "*(.text)\n *(.data.table)")
    made = assemble(tmp_path, '.fill 990\n.section .data.table, "aw"\n.fill 16, 1, 1\n')
    for folder, text in ((tmp_path / "base", script), (tmp_path, moved)):
        folder.mkdir(exist_ok=True)
        assert link(folder, text, [made], options=["-e0"], name="firmware.elf").ok
    for name in ("base/firmware.elf", "firmware.elf", "firmware.lds"):
        (tmp_path / name).unlink()
    (tmp_path / "firmware.ld").write_text(script)
    git("init", "-q")
    git("add", "firmware.ld")
    git("commit", "-qm", "base")
    (tmp_path / "firmware.ld").write_text(moved)
    described = yaml.safe_load(TEMPLATE.read_text())[".ldcheck-diff"]
    (job,) = how_to().values()
    assert job["extends"] == ".ldcheck-diff"
    keep = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "PIP_CACHE_DIR")}
    environment = {**keep, **described["variables"], **job["variables"], "TMPDIR": str(installed[0])}
    environment |= {"CI": "true", "CI_PROJECT_DIR": str(tmp_path)}

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        command = [tool(shell), "-c", f"set -e\n{described['script'][-1]}"]
        return subprocess.run(command, cwd=tmp_path, env=environment | more, capture_output=True, text=True)

    done = run(CI_MERGE_REQUEST_DIFF_BASE_SHA=git("rev-parse", "HEAD"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FLASH: 1,006 bytes used (98.2% of 1,024)" in done.stdout
    entries = json.loads((tmp_path / "gl-code-quality-report.json").read_text())
    places = {(entry["location"]["path"], entry["location"]["lines"]["begin"], entry["severity"]) for entry in entries}
    assert ("firmware.ld", 5, "major") in places
    for name in described["artifacts"]["paths"]:
        assert (tmp_path / name).stat().st_size
    assert run().returncode == 2
    assert run(LDCHECK_SINCE="$(touch owned)").returncode != 0
    assert not (tmp_path / "owned").exists()
