"""The way of the data: packages know only what stands above them, and modules stay small enough to be read."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.cache import ROOT

PACKAGE = ROOT / "ldcheck"
MODULES = sorted(PACKAGE.rglob("*.py"))

# What a package must not know of.
FORBIDDEN = {
    "script": {"preprocess", "sections", "layout", "image", "policy", "checks", "report", "cli"},
    "preprocess": {"sections", "layout", "image", "policy", "checks", "report", "cli"},
    "sections": {"layout", "policy", "checks", "report", "cli"},
    "layout": {"policy", "checks", "report", "cli"},
    "image": {"script", "preprocess", "sections", "layout", "policy", "checks", "report", "cli"},
    "policy": {"preprocess", "sections", "layout", "image", "checks", "report", "cli"},
    "checks": {"preprocess", "report", "cli"},
    "report": {"script", "preprocess", "sections", "layout", "image", "policy", "checks", "cli"},
}

# Lies with the reports because they need it most, and knows nothing of them.
SHARED = {"ldcheck.report.escape"}

# A module that wants more than 400 lines wants to be two; this is where it has to be. And what is longer all the same.
LIMIT = 550
LONG = {
    "layout/interpret.py": "one walk over a script, with the state that every statement of it may change",
    "script/parser.py": "one grammar, read from top to bottom",
    "script/syntax.py": "one class for each construct of the language",
}


def imports(path: Path) -> set[str]:
    """The modules of ldcheck that a module imports anywhere, inside functions and for type checking included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] == "ldcheck"}


@pytest.mark.parametrize("package", FORBIDDEN)
def test_nothing_flows_back(package):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((PACKAGE / package).rglob("*.py"))
        for name in sorted(imports(path))
        if not any(name == shared or name.startswith(f"{shared}.") for shared in SHARED)
        if len(parts := name.split(".")) > 1 and parts[1] in FORBIDDEN[package]
    ]
    assert wrong == []


def test_every_module_says_what_it_is_for():
    assert [str(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_modules_stay_small():
    lengths = {str(path.relative_to(PACKAGE)): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > LIMIT and name not in LONG} == {}


def test_only_the_elf_reader_knows_pyelftools():
    outside = [
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if "elftools" in path.read_text() and path.relative_to(PACKAGE).parts[0] != "image"
    ]
    assert outside == []
