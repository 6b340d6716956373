"""The documentation is true: its examples are run, its links lead somewhere, its reference is what the code says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from ldcheck import checks
from ldcheck.cli.main import COMMANDS
from ldcheck.policy import language
from ldcheck.policy.load import load_policies
from ldcheck.policy.testing.run import run_tests
from ldcheck.project import keys
from ldcheck.report.formats import FORMATS
from tests.support.cache import ROOT
from tests.support.runner import checkout
from tests.support.tools import tool
from tools import reference

PAGES = [
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    if not path.is_relative_to(reference.FOLDER)
]
PAGE_NAMES = [str(path.relative_to(ROOT)) for path in PAGES]
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def output_of(command: str, status: int) -> tuple[str, int]:
    """What a command of a console example prints, in examples/demo; `echo $?` shows the status of the one before."""
    if command == "echo $?":
        return f"{status}\n", 0
    words = shlex.split(command)
    assert words[0] == "ldcheck", f"the examples run ldcheck and nothing else: {command}"
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT / "examples" / "demo",
        env={**os.environ, "NO_COLOR": "1", "GITHUB_ACTIONS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout, done.returncode


def rerun(text: str) -> str:
    """The page with the output of its console examples as it is today."""

    def block(match: re.Match[str]) -> str:
        output, status = "", 0
        for line in match[1].splitlines():
            if line.startswith("$ "):
                shown, status = output_of(line[2:], status)
                output += f"{line}\n{shown}"
        return f"```console\n{output}```"

    return CONSOLE.sub(block, text)


@pytest.mark.parametrize("name", [name for name in PAGE_NAMES if CONSOLE.search((ROOT / name).read_text())])
def test_console_examples_print_what_they_show(name, wanted):
    wanted(ROOT / name, rerun((ROOT / name).read_text()))


@pytest.mark.parametrize("name", PAGE_NAMES)
def test_policies_in_the_documentation_are_valid(name, tmp_path):
    for path in yaml_examples(name, tmp_path):
        if "\ntargets:" not in path.read_text():
            loaded = load_policies([str(path)], declarations=checks)
            assert loaded.errors == ()
            assert [failure for run in run_tests(loaded.rules) for failure in run.failures] == []


@pytest.mark.parametrize("name", PAGE_NAMES)
def test_configurations_in_the_documentation_are_valid(name, tmp_path):
    for path in yaml_examples(name, tmp_path):
        if "\ntargets:" in path.read_text():
            validator = jsonschema.Draft202012Validator(keys.schema())
            assert [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text()))] == []


def yaml_examples(name, folder):
    """Files with the policies and configurations of a page."""
    for number, text in enumerate(YAML.findall((ROOT / name).read_text())):
        if text.startswith("ldcheck: 1\n"):
            path = folder / f"{number}.yaml"
            path.write_text(text)
            yield path


@pytest.mark.parametrize("name", PAGE_NAMES)
def test_links_between_files_lead_somewhere(name):
    page = ROOT / name
    links = [(page.parent / link).resolve() for link in LINK.findall(page.read_text()) if "://" not in link]
    made = {reference.FOLDER / path for path in reference.pages()}
    assert [link for link in links if not link.exists() and link not in made] == []


def test_the_reference_tells_every_command_option_key_and_format():
    pages = reference.pages()
    for command in COMMANDS:
        assert f"\n## {command}\n" in pages["commands.md"]
    assert "`--fail-on SEVERITY`" in pages["commands.md"]
    for key in (*language.POLICY, *language.COMMON, *language.WHEN, *language.TEST):
        assert f"| `{key.name}` |" in pages["policy.md"]
    for name in FORMATS:
        assert f"\n## {name}\n" in pages["formats.md"]
    for name in checks.names():
        assert f"(checks/{name}.md)" in pages["checks.md"]
        assert f"# {name}\n" in pages[f"checks/{name}.md"]


@pytest.mark.parametrize(
    ("name", "lint"), [(name, False) for name in checks.names()] + [(name, True) for name in checks.lint_names()]
)
def test_every_check_is_documented(name, lint):
    documentation = checks.module(name, lint).__doc__ or ""
    assert documentation.split("\n")[0].endswith(".")
    headings = re.findall(r"^## (.*)$", documentation, re.MULTILINE)
    assert headings[:4] == ["What it does", "Why is this bad", "Example", "Use instead"]
    declared = checks.declaration(name, lint)
    assert declared.evidence
    assert all(key.doc.endswith(".") for key in (declared.head, *declared.keys))


def test_every_page_is_in_the_site():
    written = [path for path in PAGES if path.is_relative_to(ROOT / "docs")]
    contents = "".join(path.read_text() for path in written)
    pages = {str(path.relative_to(ROOT / "docs").with_suffix("")) for path in written}
    assert {page for page in pages if f"\n{page}\n" not in contents} == {"index"}


def test_the_site_builds_without_a_warning(tmp_path):
    copy = checkout(ROOT, tmp_path / "ldcheck")
    # With the environment that the tests run in, whose stamp is not looked at.
    command = [tool("make"), "docs", f"BIN={Path(sys.executable).parent}", "--assume-old=.venv/dev"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no-wildcard-may-shadow" in (copy / "site" / "reference" / "checks.html").read_text()
    missing = {path for path in reference.pages() if not (copy / "docs" / "reference" / path).exists()}
    assert missing == set()
