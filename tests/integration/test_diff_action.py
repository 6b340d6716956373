"""The workflow of the how-to for `ldcheck diff`, run as a runner would: two builds, and one comment kept up."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.runner import Outcome, installed_action, run_action, run_step
from tests.support.tools import tool

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """\
MEMORY
{
  FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 1K
  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 8K
}
SECTIONS
{
  .text : { *(.text) *(.text.*) } > FLASH
  .data : { *(.data .data.*) } > RAM AT> FLASH
}
"""
SOURCE = '.text\n.fill {size}, 1, 0x90\n.section .data.table, "aw"\n.globl table\ntable: .fill 64, 1, 1\n'
MAKEFILE = """\
firmware.elf: firmware.s firmware.ld
\t{as} -o firmware.o firmware.s
\t{ld} -T firmware.ld -e 0 -Map=firmware.map -o firmware.elf firmware.o
"""
# Keeps comments in a file, as the service does.
GH = """\
#!/usr/bin/env python3
import json, os, sys
store = os.environ["STORE"]
comments = json.load(open(store))
arguments = sys.argv[1:]
body = next((open(one[6:]).read() for one in arguments if one.startswith("body=@")), None)
if body is None:
    assert "--jq" in arguments and 'startswith("## ldcheck diff")' in arguments[-1]
    print("\\n".join(str(at) for at, text in enumerate(comments) if text.startswith("## ldcheck diff")))
elif "PATCH" in arguments:
    comments[int(arguments[3].rpartition("/")[2])] = body
else:
    comments.append(body)
json.dump(comments, open(store, "w"))
"""


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = [tool("git"), *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def workflow() -> dict[str, Any]:
    """The workflow in the how-to."""
    text = (ROOT / "docs/how-to/github.md").read_text().partition("## What a pull request moves")[2]
    (found,) = re.findall(r"```yaml\n(on: .*?)```", text, re.DOTALL)
    described: dict[str, Any] = yaml.safe_load(found)
    return described


class Pull:
    """A pull request: a repository with a base and a change on it, and the comments that it has."""

    def __init__(self, action: Path, temp: Path, folder: Path) -> None:
        self.action, self.temp, self.folder = action, temp, folder
        self.workspace = folder / "work space"
        self.workspace.mkdir()
        self.store = folder / "comments.json"
        self.store.write_text('["looks good"]')
        gh = folder / "bin" / "gh"
        gh.parent.mkdir()
        gh.write_text(GH)
        gh.chmod(0o755)
        makefile = MAKEFILE.format(**{"as": tool("x86_64-linux-gnu-as"), "ld": tool("x86_64-linux-gnu-ld")})
        self.write({"Makefile": makefile, "firmware.ld": SCRIPT, "firmware.s": SOURCE.format(size=256)})
        git(self.workspace, "init", "-q")
        git(self.workspace, "add", ".")
        git(self.workspace, "commit", "-qm", "base")
        self.base = git(self.workspace, "rev-parse", "HEAD")

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (self.workspace / name).write_text(text)

    def run(self) -> Outcome:
        """Run the job; what the step with the action left."""
        values = {
            "github.event.pull_request.base.sha": self.base,
            "github.repository": "owner/name",
            "github.event.pull_request.number": "7",
            "github.token": "token",
        }
        more = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "STORE": str(self.store)}
        outcome = None
        for number, step in enumerate(workflow()["jobs"]["diff"]["steps"]):
            if "run" in step:
                done = run_step(step, values, self.workspace, self.temp, number, more)
                assert not done.failed, done.log
            elif step["uses"].startswith("OWNER/ldcheck/diff@"):
                inputs = {name: str(value) for name, value in step["with"].items()}
                outcome = run_action(self.action / "diff", self.workspace, self.temp, inputs, "Diff", values)
                values |= {f"steps.{step['id']}.outputs.{name}": text for name, text in outcome.outputs.items()}
            else:
                assert step["uses"].startswith("actions/checkout@")
        assert outcome is not None
        git(self.workspace, "worktree", "remove", "--force", "../base")
        return outcome

    @property
    def comments(self) -> list[str]:
        found: list[str] = json.loads(self.store.read_text())
        return found


@pytest.fixture
def pull(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Pull:
    folder = installed_action(ROOT, tmp_path_factory)
    temp = tmp_path / "runner temp"
    temp.mkdir()
    (temp / "ldcheck").symlink_to(folder / "ldcheck")
    return Pull(folder / "it's the $(action) at v1", temp, tmp_path)


def test_the_how_to(pull: Pull) -> None:
    pull.write({"firmware.ld": SCRIPT.replace(".text : {", ".text : { *(.data.table)")})
    first = pull.run()
    assert not first.failed, first.log
    assert "::notice file=firmware.ld,line=8,title=ldcheck diff::" in first.log
    assert "went from .data to .text" in first.log
    assert first.summary.startswith("## ldcheck diff\n")
    (_, comment) = pull.comments
    assert comment == first.summary
    assert "FLASH" in comment

    # The next push fills the flash: the same comment says so, and the step fails.
    pull.write({"firmware.s": SOURCE.format(size=930)})
    second = pull.run()
    assert second.failed
    assert second.outputs["status"] == "1"
    assert "::error file=firmware.ld,line=8,title=ldcheck diff::FLASH" in second.log
    assert len(pull.comments) == 2
    assert "❌" in pull.comments[1]
    assert json.loads(Path(second.outputs["report"]).read_text())["comparisons"][0]["unmet"]
    assert Path(second.outputs["page"]).read_text().startswith("<!doctype html>")


def action(pull: Pull, inputs: Mapping[str, str], **context: str) -> Outcome:
    values = {f"github.event.{name}": value for name, value in context.items()}
    return run_action(pull.action / "diff", pull.workspace, pull.temp, inputs, "Diff", values)


def test_the_base_of_a_push(pull: Pull) -> None:
    pull.write({"firmware.ld": SCRIPT.replace("*(.text) *(.text.*)", "*(.text .text.*)")})
    git(pull.workspace, "commit", "-qam", "change")
    outcome = action(pull, {"scripts": "firmware.ld", "expect": "same"}, before=pull.base)
    assert outcome.outputs["status"] == "1", outcome.log
    assert "::error file=firmware.ld,line=8," in outcome.log
    outcome = action(pull, {"scripts": "firmware.ld", "since": "HEAD", "expect": "same"})
    assert outcome.outputs["status"] == "0", outcome.log


def test_a_base_that_is_not_in_the_checkout_is_fetched(pull: Pull, tmp_path: Path) -> None:
    pull.write({"firmware.ld": SCRIPT + "/* more */\n"})
    git(pull.workspace, "commit", "-qam", "change")
    git(pull.workspace, "config", "uploadpack.allowAnySHA1InWant", "true")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{pull.workspace}", str(shallow))
    pull.workspace = shallow
    outcome = action(pull, {"scripts": "firmware.ld", "expect": "same"}, before=pull.base)
    assert outcome.outputs["status"] == "0", outcome.log


@pytest.mark.parametrize("before", ["", "0" * 40, "1" * 40, "--upload-pack=touch owned", "$(touch owned)"])
def test_no_base_is_told(pull: Pull, before: str) -> None:
    outcome = action(pull, {"scripts": "firmware.ld"}, before=before)
    assert outcome.failed
    assert "::error title=ldcheck::" in outcome.log
    assert not (pull.workspace / "owned").exists()


@pytest.mark.parametrize(
    "inputs",
    [
        {"since": "none\nstatus=0"},
        {"since": "none", "budgets": "$(touch owned)=1K", "old-elf": "a", "new-elf": "b"},
        {"since": "none", "old-map": "`touch owned`", "new-map": "; touch owned"},
        {"since": "none", "arguments": "--no-such-option"},
        {"expect": "'; touch owned; '"},
        {"working-directory": "missing"},
    ],
    ids=str,
)
def test_hostile_input(pull: Pull, inputs: dict[str, str]) -> None:
    outcome = action(pull, {"scripts": "", **inputs}, before=pull.base)
    assert outcome.failed
    assert outcome.outputs["status"] in ("", "1", "2")
    assert not (pull.workspace / "owned").exists()
    assert "Traceback" not in outcome.log


def test_the_action_is_valid_and_zizmor_finds_nothing(tmp_path: Path) -> None:
    schema = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    described = tmp_path / "workflow.yml"
    described.write_text(
        yaml.safe_dump(
            {"name": "how-to", "on": "pull_request", **{k: v for k, v in workflow().items() if k not in ("on", True)}}
        )
    )
    for kind, file in (("vendor.github-actions", "diff/action.yml"), ("vendor.github-workflows", str(described))):
        done = subprocess.run([*schema, kind, file], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
    zizmor = Path(sys.executable).with_name("zizmor")
    audit = [str(zizmor), "--offline", "--pedantic", "--no-config", "diff/action.yml"]
    done = subprocess.run(audit, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
