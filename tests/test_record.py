"""`ldcheck.record` does what the standard library's dataclasses do, as far as ldcheck uses them."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ldcheck import record
from ldcheck.source import Location

# At run time the module's names are its own; a type checker sees the standard library's.
OURS: Any = record
BOTH = pytest.mark.parametrize("library", [OURS, dataclasses], ids=["record", "dataclasses"])


def point(library: Any, **settings: Any) -> Any:
    @library.dataclass(**{"frozen": True, "slots": True, **settings})
    class Point:
        """A class of fields without, with and with a made default."""

        x: int
        y: int = 2
        tags: list[str] = library.field(default_factory=list)

        @property
        def total(self) -> int:
            return self.x + self.y

    return Point


def pair(library: Any) -> Any:
    @library.dataclass(frozen=True, slots=True)
    class Pair:
        one: int
        other: str = ""

    return Pair


def word(library: Any) -> Any:
    @library.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
    class Node:
        start: int
        end: int

        def __repr__(self) -> str:
            return type(self).__name__

    @library.dataclass(frozen=True, slots=True, eq=False, repr=False)
    class Word(Node):
        text: str
        quoted: bool = False

    return Word


@BOTH
def test_construction(library: Any) -> None:
    kind = point(library)
    made = kind(1)
    assert (made.x, made.y, made.tags, made.total) == (1, 2, [], 3)
    assert kind(1, 3, ["a"]).tags == ["a"]
    assert kind(y=5, x=4).total == 9
    assert kind(1).tags is not kind(1).tags
    assert [one.name for one in library.fields(kind)] == ["x", "y", "tags"]
    assert str(inspect.signature(kind)).startswith("(x")
    assert kind.__slots__ == ("x", "y", "tags")
    assert kind.__match_args__ == ("x", "y", "tags")
    assert not hasattr(made, "__dict__")


@BOTH
@pytest.mark.parametrize("arguments", [(), (1, 2, [], 4)])
def test_wrong_number_of_arguments(library: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match=r"__init__\(\)"):
        point(library)(*arguments)


@BOTH
def test_frozen(library: Any) -> None:
    made = point(library)(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del made.x
    loose = point(library, frozen=False)(1)
    loose.x = 7
    assert loose.x == 7


@BOTH
def test_equality_and_hash(library: Any) -> None:
    kind = pair(library)
    assert kind(1) == kind(1, "")
    assert kind(1) != kind(2)
    assert kind(1) != (1, "")
    assert len({kind(1), kind(1), kind(2)}) == 2
    by_identity = point(library, eq=False)
    assert by_identity(1) != by_identity(1)
    assert len({by_identity(1), by_identity(1)}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(point(library, frozen=False)(1))


@BOTH
def test_repr(library: Any) -> None:
    kind = point(library)
    assert repr(kind(1)) == f"{kind.__qualname__}(x=1, y=2, tags=[])"
    assert "object at" in repr(point(library, repr=False)(1))


@BOTH
def test_replace(library: Any) -> None:
    kind = point(library)
    made = library.replace(kind(1, 2, ["a"]), y=9)
    assert (made.x, made.y, made.tags) == (1, 9, ["a"])
    with pytest.raises(TypeError):
        library.replace(made, z=1)


@BOTH
def test_inheritance_with_keywords_in_the_base(library: Any) -> None:
    kind = word(library)
    made = kind("a", start=1, end=2)
    assert (made.text, made.quoted, made.start, made.end) == ("a", False, 1, 2)
    assert repr(made) == "Word"
    assert kind.__match_args__ == ("text", "quoted")
    assert [one.name for one in library.fields(kind)] == ["start", "end", "text", "quoted"]
    with pytest.raises(TypeError):
        kind("a", True, 1, 2)


@BOTH
def test_copies(library: Any) -> None:
    made = point(library)(1, 2, ["a"])
    deep = copy.deepcopy(made)
    assert deep == made
    assert deep.tags is not made.tags
    assert copy.copy(made).tags is made.tags


def test_pickle() -> None:
    place = Location("a.lds", 3)
    assert pickle.loads(pickle.dumps(place)) == place


def test_no_module_declares_costly_classes() -> None:
    package = Path(record.__file__).parent
    files = [path for path in package.rglob("*.py") if path.name != "record.py"]
    assert [path.name for path in files if re.search(r"(?m)^\s*(from|import) dataclasses\b", path.read_text())] == []


def test_start_up_does_without_the_standard_librarys() -> None:
    program = "import ldcheck.cli.main, ldcheck.cli.check, ldcheck.judging.gate, sys; print('inspect' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@BOTH
def test_functions_of_the_standard_library(library: Any) -> None:
    made = point(library)(1)
    assert dataclasses.is_dataclass(type(made))
    assert [(one.name, one.type) for one in dataclasses.fields(made)] == [
        ("x", "int"),
        ("y", "int"),
        ("tags", "list[str]"),
    ]
    assert dataclasses.fields(made)[1].default == 2
    assert dataclasses.asdict(made) == {"x": 1, "y": 2, "tags": []}
    assert dataclasses.replace(made, y=5).y == 5
    assert [(one.name, one.kw_only) for one in dataclasses.fields(word(library))] == [
        ("start", True),
        ("end", True),
        ("text", False),
        ("quoted", False),
    ]
