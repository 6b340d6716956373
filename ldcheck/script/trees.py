"""The syntax tree as JSON, for tools that are not written in Python.

A node is an object with `kind` (the class of `ldcheck.script.syntax`), `line` and `column` (in `source`, if that is
not the script itself), and its fields that are not empty.
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.script.syntax import Node, Number, Script, content
from ldcheck.source import SourceMap


def as_json(file: str, tree: Script, sources: SourceMap) -> str:
    """One line of JSON for a tree of any depth, with a line end."""
    return "".join(_pieces(file, tree, sources)) + "\n"


def _pieces(file: str, tree: Script, sources: SourceMap) -> Iterator[str]:
    """The text in pieces, from a stack: a long expression is deeper than Python's own writer can go."""
    from json import dumps

    from ldcheck.source import exact

    pending: list[object] = [_Text(f'{{"file": {dumps(exact(file))}, "tree": '), tree, _Text("}")]
    pending.reverse()
    while pending:
        item = pending.pop()
        if isinstance(item, _Text):
            yield item.text
        elif isinstance(item, Node):
            pending.extend(reversed(_node(item, file, sources)))
        elif isinstance(item, tuple):
            parts: list[object] = [_Text("[")]
            for number, element in enumerate(item):
                if number:
                    parts.append(_Text(", "))
                parts.append(element)
            parts.append(_Text("]"))
            pending.extend(reversed(parts))
        elif isinstance(item, str):
            yield dumps(exact(item), ensure_ascii=False)
        else:
            yield dumps(item)


class _Text:
    """JSON text that is ready."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def _node(node: Node, file: str, sources: SourceMap) -> list[object]:
    place = sources.locate(node.start, node.start)
    parts: list[object] = [_Text('{"kind": '), type(node).__name__]
    if place.file != file:
        parts += [_Text(', "source": '), place.file]
    parts += [_Text(f', "line": {place.line}, "column": {place.column}')]
    for name in content(type(node)):
        value = getattr(node, name)
        # What is not there is left out, but an empty list that stands for a list is kept apart from none.
        if value is None or value is False or value == "":
            continue
        if value == () and name not in ("statements", "patterns"):
            continue
        parts += [_Text(f', "{name}": '), value]
    if isinstance(node, Number):
        parts += [_Text(', "hex": '), f"{node.value:#x}"]
    parts.append(_Text("}"))
    return parts
