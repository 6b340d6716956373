"""The workflows: what GitHub, actionlint and zizmor accept, least permissions, pinned actions; and their jobs run.

A job runs as in tests/support/runner.py, in a copy of this checkout. What asks for root, for hours or for GitHub itself
is not run: its commands are held to be there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cache import ROOT
from tests.support.runner import Step, checkout, installed_action, run_job, shared
from tests.support.tools import tool, unavailable

FOLDER = ROOT / ".github" / "workflows"
NAMES = sorted(path.name for path in FOLDER.glob("*.y*ml"))
WORKFLOWS: dict[str, dict[str, Any]] = {name: yaml.safe_load((FOLDER / name).read_text()) for name in NAMES}
JOBS = [(name, job) for name in NAMES for job in WORKFLOWS[name]["jobs"]]
# What a job may write, and why. Everything else reads the checkout, or nothing.
WRITES = {
    ("examples.yml", "code-scanning"): {"security-events"},
    ("release.yml", "publish"): {"id-token", "attestations"},
}


def steps(name: str, job: str) -> list[dict[str, Any]]:
    return list(WORKFLOWS[name]["jobs"][job].get("steps", []))


def program(name: str) -> str:
    """A program of the environment that the tests run in."""
    return str(Path(sys.executable).with_name(name))


def accepted(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflows() -> None:
    assert NAMES == ["examples.yml", "release.yml", "tests.yml"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_schema(name: str, schema: str) -> None:
    accepted(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(FOLDER / name))


def test_zizmor_finds_nothing() -> None:
    accepted(program("zizmor"), "--offline", "--pedantic", ".github")


def test_actionlint_finds_nothing() -> None:
    if not os.path.exists(program("actionlint")):
        unavailable("there is no actionlint for this machine")
    accepted(program("actionlint"), *(str(FOLDER / name) for name in NAMES))


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_by_digest(name: str) -> None:
    # A digest in a comment's company: the comment is what a person reads, and what dependabot keeps in step.
    pinned = re.compile(r"uses: [\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
    own = re.compile(r"uses: \./(\.github/workflows/[\w-]+\.yml)?$")
    lines = [line.strip().removeprefix("- ") for line in (FOLDER / name).read_text().splitlines()]
    assert [line for line in lines if "uses:" in line and not pinned.match(line) and not own.match(line)] == []
    assert [
        line for line in lines if re.match("container:|image:", line) and not re.search("@sha256:.{64}$", line)
    ] == []


def test_one_action_has_one_digest() -> None:
    used = {match for name in NAMES for match in re.findall(r"uses: (\S+)@(\w+) # (\S+)", (FOLDER / name).read_text())}
    assert len({action for action, _, _ in used}) == len(used)


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_itself_is_permitted_nothing(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {}
    assert "secrets." not in (FOLDER / name).read_text()
    # These run with the repository's own rights on what strangers propose.
    assert not re.search(r"^  (pull_request_target|workflow_run):", (FOLDER / name).read_text(), re.MULTILINE)


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_job_is_permitted_what_it_needs(name: str, job: str) -> None:
    given = WORKFLOWS[name]["jobs"][job]["permissions"]
    assert {scope for scope, kind in given.items() if kind == "write"} == WRITES.get((name, job), set())
    assert {scope for scope, kind in given.items() if kind == "read"} <= {"contents"}


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_checkout_keeps_no_credentials(name: str, job: str) -> None:
    checkouts = [step for step in steps(name, job) if step.get("uses", "").startswith("actions/checkout@")]
    assert [step for step in checkouts if step["with"].get("persist-credentials") is not False] == []


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_scripts_parse_and_what_they_run_is_there(name: str, job: str) -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for script in (step["run"] for step in steps(name, job) if "run" in step):
        subprocess.run([tool("bash"), "-n"], input=script, check=True, text=True)
        assert "${{" not in script
        assert set(re.findall(r"^make ([a-z]+)", script, re.MULTILINE)) <= targets
        assert all(os.access(ROOT / path, os.X_OK) for path in re.findall(r"(?:^|\s)(\.ci/\S+)", script))


def test_the_tests_are_those_of_a_person() -> None:
    assert "make test\n" in (ROOT / ".ci" / "run").read_text()
    assert ".ci/run" in [step.get("run") for step in steps("tests.yml", "test")]
    # The oldest Python is the one that is promised.
    pythons = WORKFLOWS["tests.yml"]["jobs"]["pythons"]["strategy"]["matrix"]["python"]
    assert f'requires-python = ">={pythons[0]}"' in (ROOT / "pyproject.toml").read_text()


def test_nothing_is_published_untested() -> None:
    jobs = WORKFLOWS["release.yml"]["jobs"]
    assert jobs["test"]["uses"] == "./.github/workflows/tests.yml"
    assert set(jobs["publish"]["needs"]) == {"test", "build"}
    # Whoever could change what is built cannot speak for the workflow.
    assert not [step for step in steps("release.yml", "publish") if "run" in step or "checkout" in step["uses"]]
    (uploaded,) = (
        step["with"] for step in steps("release.yml", "build") if "/upload-artifact@" in step.get("uses", "")
    )
    (downloaded,) = (step["with"] for step in steps("release.yml", "publish") if "/download-artifact@" in step["uses"])
    assert (uploaded["name"], uploaded["path"]) == (downloaded["name"], downloaded["path"])


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def copy(folder: Path) -> None:
        checkout(ROOT, folder / "it's here")

    return shared(tmp_path_factory, "workflows", copy) / "it's here"


@pytest.fixture
def temp(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's folder for temporary files, in which the action has installed ldcheck."""
    folder = tmp_path / "runner temp"
    folder.mkdir()
    (folder / "ldcheck").symlink_to(installed_action(ROOT, tmp_path_factory) / "ldcheck")
    return folder


def run(name: str, job: str, workspace: Path, temp: Path, path: str = "", **values: str) -> tuple[list[Step], bool]:
    """Run a job; in the names of values `__` stands for the dot."""
    given = {key.replace("__", "."): value for key, value in values.items()}
    only = "Check" if (temp / "ldcheck").exists() else ""
    return run_job(FOLDER / name, job, workspace, temp, given, path, only)


def demo(workspace: Path, temp: Path) -> None:
    done, failed = run("examples.yml", "demo", workspace, temp)
    assert [(step.result, step.uses) for step in done[1:]] == [
        ("success", "./"),
        ("failure", "./"),
        ("success", ""),
    ], [step.log for step in done]
    assert not failed
    annotations = re.findall(r"^::error file=([^,]+),line=(\d+)", done[2].log, re.MULTILINE)
    assert annotations == [("examples/demo/faulty/hypervisor.lds", line) for line in ("9", "27")]


def test_the_demo_through_the_action(workspace: Path, temp: Path) -> None:
    demo(workspace, temp)


@pytest.mark.sweep
def test_the_action_installs_as_often_as_it_is_used(workspace: Path, tmp_path: Path) -> None:
    demo(workspace, tmp_path)


def test_a_faulty_demo_that_passes_fails_the_job(workspace: Path, temp: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for name in ("action", "examples/demo"):
        shutil.copytree(workspace / name, copy / name)
    shutil.copy(workspace / "action.yml", copy)
    shutil.copytree(copy / "examples/demo/mended", copy / "examples/demo/faulty", dirs_exist_ok=True)
    done, failed = run("examples.yml", "demo", copy, temp)
    assert [step.result for step in done] == ["success", "success", "success", "failure"]
    assert failed


def test_the_demo_for_code_scanning(workspace: Path, temp: Path) -> None:
    done, failed = run("examples.yml", "code-scanning", workspace, temp, github__event_name="push")
    assert not failed, [step.log for step in done]
    upload = done[-1]
    assert upload.uses.startswith("github/codeql-action/upload-sarif@")
    sarif = json.loads((workspace / upload.inputs["sarif_file"]).read_text())
    assert sarif["runs"][0]["results"] == []


def test_a_python_of_the_matrix(tmp_path: Path) -> None:
    # A copy of its own, for the job makes .venv in it.
    copy = checkout(ROOT, tmp_path / "copy")
    for folder in ("bin", "temp"):
        (tmp_path / folder).mkdir()
    # What actions/setup-python leaves behind: a `python` ahead of all others.
    (tmp_path / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "bin" / "python").chmod(0o755)
    done, failed = run("tests.yml", "pythons", copy, tmp_path / "temp", str(tmp_path / "bin"), matrix__python="3.11")
    assert not failed, [step.log for step in done]
    assert done[1].inputs == {"python-version": "3.11"}
    assert "Try next" in done[-1].log


@pytest.mark.parametrize("event", ["push", "schedule"])
def test_what_only_debian_can_run_is_only_that(event: str, tmp_path: Path) -> None:
    """The job of the tests, in a checkout whose programs say that they were called."""
    for name in ("bin", "temp", ".ci", "home"):
        (tmp_path / name).mkdir()
    for path in (".ci/run", "bin/make", "bin/apt-get", "bin/git"):
        (tmp_path / path).write_text(f'#!/bin/sh\necho "{Path(path).name} $*"\n')
        (tmp_path / path).chmod(0o755)
    values = {"github__event_name": event}
    done, failed = run("tests.yml", "test", tmp_path, tmp_path / "temp", str(tmp_path / "bin"), **values)
    assert not failed
    said = "".join(step.log for step in done).splitlines()
    assert said[0] == "apt-get -qq update"
    assert f"git config --global --add safe.directory {tmp_path}" in said
    assert said[-2:] == ["run ", "make sweep"] if event == "schedule" else said[-1] == "run "


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which the release's build has run."""

    def build(folder: Path) -> None:
        copy = checkout(ROOT, folder / "copy")
        (folder / "temp").mkdir()
        done, failed = run("release.yml", "build", copy, folder / "temp", github__ref_name=tag())
        assert not failed, [step.log for step in done]

    return shared(tmp_path_factory, "release", build) / "copy"


def tag() -> str:
    (version,) = re.findall(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    return f"v{version}"


def test_a_release_is_one_wheel_and_one_source_distribution(release: Path) -> None:
    version = tag()[1:]
    names = sorted(path.name for path in (release / "dist").iterdir())
    assert names == [f"ldcheck-{version}-py3-none-any.whl", f"ldcheck-{version}.tar.gz"]
    with tarfile.open(release / "dist" / names[1]) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if name.count("/") >= 1}
    assert {"ldcheck", "policies", "tests", "pyproject.toml", "README.md", "LICENSE"} <= tops
    assert not {".ci", ".github", "benchmarks", "dist"} & tops
    with zipfile.ZipFile(release / "dist" / names[0]) as wheel:
        assert f"ldcheck-{version}.dist-info/licenses/LICENSE" in wheel.namelist()


@pytest.mark.parametrize(
    ("given", "said"),
    [("v9.9.9", "the tag is v9.9.9, and pyproject.toml says"), ("$(touch owned)", "the tag is $(touch owned), and")],
)
def test_a_tag_that_is_not_the_version_is_not_built(workspace: Path, tmp_path: Path, given: str, said: str) -> None:
    done, failed = run("release.yml", "build", workspace, tmp_path, github__ref_name=given)
    assert failed
    assert said in done[1].log
    assert not (workspace / "owned").exists()
    assert not (workspace / "dist").exists()


def test_a_version_that_the_changes_do_not_tell_of_is_not_built(tmp_path: Path) -> None:
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n")
    done = subprocess.run([tmp_path / ".ci" / "build", tag()], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"CHANGELOG.md does not tell of {tag()[1:]}\n"
