"""The way of the data: rooms know only the rooms above them, and modules stay small enough to be read.

Which rooms there are, and in which order, is said in CONTRIBUTING.md and nowhere else.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping

import pytest

from tests.support.cache import ROOT

PACKAGE = ROOT / "ldcheck"
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.py"))
_TABLE = (ROOT / "CONTRIBUTING.md").read_text().partition("| room |")[2].partition("\n\n")[0]
ROOMS = re.findall(r"^\| `(ldcheck/[^`]*)` \|", _TABLE, re.MULTILINE)

# A module that wants more lines wants to be two; these may be longer, each with its reason.
LIMIT = 400
LONG = {
    "ldcheck/layout/walk.py": "one walk over a script, with the state that every statement of it may change",
    "ldcheck/script/body_parser.py": "one grammar, read from top to bottom",
    "ldcheck/script/command_parser.py": "one grammar, read from top to bottom",
    "ldcheck/script/parser.py": "one grammar, read from top to bottom",
    "ldcheck/script/syntax.py": "one class for each construct of the language",
}


def room(module: str) -> int:
    """Where the room of a module stands in the table: the longest entry that its path begins with."""
    fitting = [at for at, name in enumerate(ROOMS) if module == name or (name[-1] == "/" and module.startswith(name))]
    return max(fitting, key=lambda at: len(ROOMS[at]), default=-1)


def module_names() -> dict[str, str]:
    """Every module's dotted name, with its path."""
    return {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in MODULES}


def imported(text: str, known: Mapping[str, str]) -> set[str]:
    """The paths of the modules that a text imports anywhere, inside functions and for type checking included.

    `from ldcheck.script import parser` means the module, `from ldcheck.script.parser import parse` as well.
    """
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found.add(f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in known else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {known[name] for name in found if name in known}


def graph() -> dict[str, set[str]]:
    known = module_names()
    return {path: imported((ROOT / path).read_text(), known) - {path} for path in MODULES}


def circles(edges: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Modules that import each other, each circle once: what is left when all that ends somewhere is taken away."""
    left = {name: set(edges[name]) & set(edges) for name in edges}
    while ends := [name for name, others in left.items() if not others & set(left)]:
        for name in ends:
            del left[name]
    return [sorted(left)] if left else []


def test_the_table_names_rooms_that_exist_each_once():
    assert len(ROOMS) > 15
    assert len(set(ROOMS)) == len(ROOMS)
    assert [name for name in ROOMS if not (ROOT / name).exists()] == []


def test_every_module_has_a_room():
    assert [path for path in MODULES if room(path) < 0] == []


@pytest.mark.parametrize("name", ROOMS)
def test_nothing_flows_back(name):
    edges = graph()
    wrong = [
        f"{path} imports {other}"
        for path in MODULES
        if ROOMS[room(path)] == name
        for other in sorted(edges[path])
        if room(other) > room(path) and not other.endswith("/__init__.py")
    ]
    assert wrong == []


def test_modules_do_not_import_each_other_in_circles():
    assert circles(graph()) == []


def test_the_tests_themselves_see_what_they_look_for():
    known = {"ldcheck.a": "ldcheck/a.py", "ldcheck.b": "ldcheck/b.py", "ldcheck": "ldcheck/__init__.py"}
    text = "from ldcheck import a\ndef f():\n    from ldcheck.b import x\n"
    assert imported(text, known) == {"ldcheck/a.py", "ldcheck/b.py"}
    assert circles({"a": ["b"], "b": ["a"], "c": ["a"], "d": []}) == [["a", "b", "c"]]
    assert room("ldcheck/policy/testing/run.py") > room("ldcheck/checks/align.py") > room("ldcheck/policy/load.py")


def test_every_module_says_what_it_is_for():
    assert [path for path in MODULES if not ast.get_docstring(ast.parse((ROOT / path).read_text()))] == []


def test_modules_stay_small():
    lengths = {path: len((ROOT / path).read_text().splitlines()) for path in MODULES}
    assert {path: length for path, length in lengths.items() if length > LIMIT and path not in LONG} == {}
    assert [path for path in LONG if lengths.get(path, 0) <= LIMIT] == []


def test_only_the_elf_reader_knows_pyelftools():
    assert [path for path in MODULES if "elftools" in (ROOT / path).read_text() and "/image/" not in path] == []
