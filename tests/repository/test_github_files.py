"""What GitHub shows to people who want to tell something: forms that it accepts, and a SECURITY.md that is true."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from ldcheck.documents import nodes
from ldcheck.preprocess import compiler, files, portable
from tests.support.cache import ROOT

FOLDER = ROOT / ".github"
FORMS = {path.stem: yaml.safe_load(path.read_text()) for path in (FOLDER / "ISSUE_TEMPLATE").glob("*.yml")}
SECURITY = (ROOT / "SECURITY.md").read_text()
SCHEMAS = {
    "ISSUE_TEMPLATE/config.yml": "vendor.github-issue-config",
    "ISSUE_TEMPLATE/false-alarm.yml": "vendor.github-issue-forms",
    "ISSUE_TEMPLATE/miss.yml": "vendor.github-issue-forms",
    "dependabot.yml": "vendor.dependabot",
}


def test_every_file_has_a_test() -> None:
    found = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.yml")}
    # zizmor reads its own.
    assert {name for name in found if not name.startswith("workflows/")} == {*SCHEMAS, "zizmor.yml"}


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema(name: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[name], str(FOLDER / name)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("form", ["false-alarm", "miss"])
def test_a_form_asks_for_script_command_and_what_ld_does(form: str) -> None:
    fields: dict[str, dict[str, Any]] = {field["id"]: field for field in FORMS[form]["body"] if "id" in field}
    required = {name for name, field in fields.items() if field.get("validations", {}).get("required")}
    assert required == {"script", "command", "ld", "versions"}
    # What a form says to type can be typed.
    for name in re.findall(r"--[a-z]+", str(fields["command"])):
        shown = subprocess.run([sys.executable, "-m", "ldcheck", "check", "--help"], capture_output=True, text=True)
        assert f"{name} " in shown.stdout
    shown = subprocess.run([sys.executable, "-m", "ldcheck", "--version"], capture_output=True, text=True)
    assert "`ldcheck --version`" in fields["versions"]["attributes"]["description"]
    assert re.fullmatch(r"ldcheck [\d.]+\n", shown.stdout)


def test_the_pull_request_template_names_what_is_there() -> None:
    text = (FOLDER / "PULL_REQUEST_TEMPLATE.md").read_text()
    assert all((ROOT / name).exists() for name in re.findall(r"[A-Z]+\.md", text))
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"`make (\w+)`", text)) <= set(targets)


def test_each_vulnerability_is_tried_by_tests() -> None:
    rows = re.findall(r"^\| (?!does|-)(.*?) \| (.*) \|$", SECURITY, re.MULTILINE)
    assert len(rows) == 5
    for what, tried in rows:
        paths = re.findall(r"\]\((tests/\S+\.py)\)", tried)
        assert paths, what
        assert all("def test_" in (ROOT / path).read_text() for path in paths)


def test_the_limits_are_those_of_the_code() -> None:
    told = " ".join(SECURITY.split())
    assert f"gets {compiler.SECONDS:.0f} seconds and {compiler.MAX_MEMORY >> 30} GiB of memory" in told
    assert f"may write {compiler.MAX_OUTPUT >> 20} MiB" in told
    assert f"pcpp gets {portable.SECONDS:.0f} seconds" in told
    assert f"A policy or configuration may have {nodes.MAX_BYTES >> 10} KiB" in told
    assert f"a file to be preprocessed {files.MAX_BYTES >> 20} MiB" in told


def test_reports_are_private_and_to_no_person() -> None:
    for text in (SECURITY, *(path.read_text() for path in FOLDER.rglob("*.*") if path.is_file())):
        assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", text)
    assert '"Report a vulnerability"' in SECURITY
