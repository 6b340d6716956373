"""The hooks as the real pre-commit runs them, installed from a clean repository made of this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.runner import checkout, shared
from tests.support.tools import tool

ROOT = Path(__file__).resolve().parents[2]

GOOD = "SECTIONS {\n  .data : { *(.data.read_mostly) *(.data .data.*) }\n}\n"
BAD = "SECTIONS {\n  .data : { *(.data .data.*) *(.data.read_mostly) }\n}\n"
POLICY = "ldcheck: 1\nrules:\n  - id: read-mostly\n    no-wildcard-may-shadow: .data.read_mostly\n"
SCRIPT = "xen/arch/arm/xen.lds.S"
CONFIG = f"""\
ldcheck: 1
targets:
  xen/arm:
    script: {SCRIPT}
    policies: [policy.yaml]
"""


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run([tool("git"), *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout as a repository of its own."""
    return shared(tmp_path_factory, "hooks", _clean_clone)


def _clean_clone(folder: Path) -> None:
    checkout(ROOT, folder)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all", "--no-verify")


class Project:
    """A scratch repository in which a developer commits."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home = folder, home
        git(folder, "init", "-q", "-b", "main")
        self.write("policy.yaml", POLICY)
        self.write(SCRIPT, GOOD)
        self.write(".ldcheck.yaml", CONFIG)
        self.write("README.md", "text\n")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        git(self.folder, "add", "-A")

    def pre_commit(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PRE_COMMIT_HOME": str(self.home), "PRE_COMMIT_COLOR": "never"}
        environment.pop("GITHUB_ACTIONS", None)
        command = [sys.executable, "-m", "pre_commit", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # pre-commit locks it, so that workers can share it.
    return shared(tmp_path_factory, "pre-commit", lambda _: None)


@pytest.fixture
def project(tmp_path: Path, home: Path) -> Project:
    return Project(tmp_path, home)


@pytest.fixture
def configured(project: Project, hooks: Path) -> Project:
    """A project that uses the hooks by its own configuration, as projects do."""
    config = [f"repos:\n- repo: {hooks}\n  rev: {git(hooks, 'rev-parse', 'HEAD')}\n  hooks:\n"]
    config += [f"  - id: {name}\n" for name in ("ldcheck", "ldcheck-policies", "ldcheck-image")]
    project.write(".pre-commit-config.yaml", "".join(config))
    return project


def test_try_repo(project: Project, hooks: Path) -> None:
    project.write(SCRIPT, BAD)
    done = project.pre_commit("try-repo", str(hooks), "ldcheck", "--verbose")
    assert done.returncode == 1, done.stdout
    assert (
        f"{SCRIPT}:2:21: error: `.data.*` takes .data.read_mostly ahead of its own pattern [read-mostly]" in done.stdout
    )


def test_faulty_edit_is_refused_and_the_mended_one_goes_through(configured: Project) -> None:
    configured.write(SCRIPT, BAD)
    done = configured.pre_commit("run")
    assert done.returncode == 1, done.stdout
    assert "[read-mostly]" in done.stdout
    configured.write(SCRIPT, GOOD)
    done = configured.pre_commit("run")
    assert done.returncode == 0, done.stdout
    assert "ldcheck (linker scripts)" in done.stdout
    assert "Passed" in done.stdout


def test_is_not_run_on_other_files(configured: Project) -> None:
    git(configured.folder, "commit", "-q", "-m", "all", "--no-verify")
    configured.write("README.md", "other text\n")
    configured.write("xen/arch/arm/head.S", "nop\n")
    done = configured.pre_commit("run")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("(no files to check)Skipped") == 2


def test_several_files_at_once(configured: Project) -> None:
    for name in ("a.lds", "b b.lds", "c.ld"):
        configured.write(name, GOOD)
    configured.write("d.lds", "SECTIONS {\n  .text : { *(.text .text.* }\n}\n")
    done = configured.pre_commit("run")
    assert done.returncode == 1, done.stdout
    assert "d.lds:2:29: error:" in done.stdout


def test_image_hook_waits_for_its_stage_and_asks_for_the_image(configured: Project) -> None:
    git(configured.folder, "commit", "-q", "-m", "all", "--no-verify")
    done = configured.pre_commit("run", "--hook-stage", "manual", "ldcheck-image")
    assert done.returncode == 1, done.stdout
    assert "there is no ELF file of xen/arm, which is required" in done.stdout


def test_policy_hook(configured: Project) -> None:
    def policy(script: str) -> str:
        lines = "".join(f"            {line}\n" for line in script.splitlines())
        return POLICY + "    tests:\n      valid:\n        - script: |\n" + lines

    configured.write("tools/ldcheck/rules.yaml", policy(BAD))
    done = configured.pre_commit("run", "ldcheck-policies")
    assert done.returncode == 1, done.stdout
    assert "`.data.*` takes .data.read_mostly ahead of its own pattern" in done.stdout
    assert "tools/ldcheck/rules.yaml: 1 rule, 1 test, 1 failed" in done.stdout
    configured.write("tools/ldcheck/rules.yaml", policy(GOOD))
    done = configured.pre_commit("run", "ldcheck-policies")
    assert done.returncode == 0, done.stdout
