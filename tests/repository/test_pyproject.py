"""pyproject.toml says nothing twice, and makes no exception that nobody needs any more."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.support.cache import ROOT
from tests.support.tools import tool

TEXT = (ROOT / "pyproject.toml").read_text()
DECLARED = tomllib.loads(TEXT)
PROJECT, LINT = DECLARED["project"], DECLARED["tool"]["ruff"]["lint"]
REQUIREMENTS = {"dependencies": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
EXCEPTIONS = [
    *((".", rule) for rule in LINT["ignore"]),
    *((path.removesuffix("/**"), rule) for path, rules in LINT["per-file-ignores"].items() for rule in rules),
]


@pytest.mark.parametrize("group", REQUIREMENTS)
def test_a_package_is_required_once(group: str) -> None:
    names = [re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in REQUIREMENTS[group]]
    assert sorted(names) == sorted(set(names))


def test_a_rule_is_named_once() -> None:
    for rules in (LINT["select"], LINT["ignore"], *LINT["per-file-ignores"].values()):
        assert sorted(rules) == sorted(set(rules))


@pytest.mark.parametrize(("path", "rule"), EXCEPTIONS, ids=lambda value: value)
def test_an_exception_to_the_linter_is_needed(path: str, rule: str) -> None:
    ruff = str(Path(sys.executable).with_name("ruff"))
    command = [ruff, "check", "--isolated", "--no-cache", "--ignore-noqa", "--quiet", "--select", rule, path]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 1


@cache
def imported() -> frozenset[str]:
    """The first part of every module that any module of this repository imports."""
    listed = subprocess.run([tool("git"), "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = set()
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            for node in ast.walk(ast.parse((ROOT / name).read_text())):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found.add(node.module.split(".")[0])
    return frozenset(found)


def test_an_exception_to_mypy_is_needed() -> None:
    (overrides,) = (entry for entry in DECLARED["tool"]["mypy"]["overrides"] if "ignore_missing_imports" in entry)
    assert {name.split(".")[0] for name in overrides["module"]} - imported() == set()


def test_every_exception_to_the_linter_says_why() -> None:
    (listed,) = re.findall(r"^ignore = \[\n(.*?)^\]", TEXT, re.MULTILINE | re.DOTALL)
    assert [line for line in listed.splitlines() if not re.match(r' +"\w+", +# \S', line)] == []
