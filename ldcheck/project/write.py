"""Writes a `.ldcheck.yaml` for what was found in a tree, with its comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ldcheck.project.discover import Tree
from ldcheck.project.layouts import Entry

_WIDTH = 120
_PLAIN = re.compile(r"[A-Za-z_./][\w./+-]*\Z|0x[0-9a-f]+\Z|[0-9]+\Z")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def written(tree: Tree) -> str:
    """The text of the configuration."""
    return "\n".join(_lines(tree)) + "\n"


def _lines(tree: Tree) -> Iterator[str]:
    yield from (f"# {line}" for line in tree.head.split("\n"))
    if tree.left:
        yield f"# {tree.left:,} more scripts are not listed: name those that you build."
    yield "ldcheck: 1"
    yield ""
    if tree.defaults:
        yield "defaults:"
        yield from _keys(tree.defaults, tree.remarks, "  ")
        yield ""
    yield "targets:"
    for at, draft in enumerate(tree.targets):
        if at:
            yield ""
        yield f"  {_word(draft.name)}:"
        yield from _keys(draft.keys, draft.remarks, "    ")


def _keys(keys: Mapping[str, Entry], remarks: Mapping[str, str], indent: str) -> Iterator[str]:
    for name, value in keys.items():
        if remark := remarks.get(name):
            yield f"{indent}# {remark}"
        line = f"{indent}{name}: {_entry(value)}"
        if len(line) <= _WIDTH or isinstance(value, str | bool):
            yield line
        elif isinstance(value, tuple):
            yield f"{indent}{name}:"
            yield from (f"{indent}  - {_word(item)}" for item in value)
        else:
            yield f"{indent}{name}:"
            yield f"{indent}  {_entry(value)}"


def _entry(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(_word(item) for item in value)}]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name}: {_entry(item)}" for name, item in value.items()) + " }"
    return _word(str(value))


def _word(text: str) -> str:
    """A word as YAML wants it: in quotes where it would be read as something else."""
    if _PLAIN.match(text.replace("*", "x")) and text.lower() not in _WORDS and not text.startswith("*"):
        return text
    return "'" + text.replace("'", "''") + "'"
