"""Where the characters of a text in a YAML file stand, so that what is said of a script in a policy is shown there."""

from __future__ import annotations

from ldcheck.documents.nodes import ScalarNode
from ldcheck.source import Location, Related, Source


class InlineText:
    """The origin of a text that stands in a YAML file: its lines, one for one, are lines of that file."""

    __slots__ = ("_begins", "_node")

    def __init__(self, node: ScalarNode, begins: list[int]) -> None:
        self._node = node
        # The offset in the file at which each line of the text begins.
        self._begins = begins

    def locate(self, source: Source, start: int, end: int) -> Location:
        """The place in the YAML file."""
        return self._node.source.locate(self._offset(source, start), self._offset(source, end))

    def related(self, source: Source, start: int, end: int) -> tuple[Related, ...]:  # noqa: ARG002  # as every origin
        """Nothing else leads there."""
        return ()

    def _offset(self, source: Source, offset: int) -> int:
        line, column = source.position(offset)
        # The end of a block text is the beginning of a line that the file need not have.
        if line > len(self._begins):
            return self._node.end
        return self._begins[line - 1] + column - 1


def inline_text(node: ScalarNode) -> InlineText | None:
    """The origin of a text; None where its characters do not stand in the file as they are (folded, escaped)."""
    text = node.source.text
    bar = text.find("|", node.start, node.end)
    if not node.plain and bar >= 0 and not text[node.start : bar].strip("&!abcdefghijklmnopqrstuvwxyz0123456789-_ \t"):
        begins = _block(node, bar)
    else:
        at = text.find(node.text, node.start, node.end) if "\n" not in node.text else -1
        begins = [at] if at >= 0 else None
    return InlineText(node, begins) if begins is not None else None


def _block(node: ScalarNode, bar: int) -> list[int] | None:
    """Where the lines of a literal block text begin, behind their indentation."""
    source = node.source
    lines = node.text.split("\n")
    first, _ = source.position(bar)
    filled = next((number for number, line in enumerate(lines) if line.strip()), None)
    if filled is None:
        return None
    indent = len(source.line(first + 1 + filled)) - len(lines[filled])
    begins = []
    for number, line in enumerate(lines):
        row = first + 1 + number
        if line and source.line(row)[indent:] != line:
            return None
        if row > len(source.line_starts):
            break
        begins.append(source.line_starts[row - 1] + (indent if line else 0))
    return begins
