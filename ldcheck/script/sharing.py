"""Statements that several texts have in common, parsed once: the configurations of a script share most of their lines.

A statement of one text is taken for another where it stands on the same lines, which whoever made the texts says by
giving the lines identities, and where the parser had read the same ahead. The nodes keep their spans, so all the texts
lie in one address space.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from ldcheck.script.syntax import Node

# A place in a text: how many lines below the statement's first one, and the column, both from 0.
_Place = tuple[int, int]


class State(NamedTuple):
    """The parser's state behind a statement: the token that it read ahead, and offsets in its text."""

    kind: str
    word: str
    quoted: bool
    start: int
    end: int
    last: int
    at: int


class _Known(NamedTuple):
    """A statement, the identities of its lines and of those that were read ahead, and the state behind it."""

    lines: tuple[Hashable, ...]
    node: Node
    token: tuple[str, str, bool]
    places: tuple[_Place, _Place, _Place, _Place]


class SharedStatements:
    """The statements so far, by what kind of list they stand in and the line and column that they begin at."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, Hashable, int], list[_Known]] = {}


class Text:
    """One text's view of the shared statements; `lines` are the identities of its lines, `starts` their offsets."""

    def __init__(self, shared: SharedStatements, lines: Sequence[Hashable], starts: Sequence[int]) -> None:
        self._known = shared.known
        self._lines = lines
        self._starts = starts

    def find(self, context: str, start: int) -> tuple[Node, State] | None:
        """The statement that begins at an offset, if another text has it, and the parser's state behind it."""
        line = bisect_right(self._starts, start) - 1
        if line >= len(self._lines):
            return None
        for one in self._known.get((context, self._lines[line], start - self._starts[line]), ()):
            if tuple(self._lines[line : line + len(one.lines)]) == one.lines:
                offsets = [self._starts[line + down] + column for down, column in one.places]
                return one.node, State(*one.token, *offsets)
        return None

    def keep(self, context: str, start: int, node: Node, behind: State) -> None:
        """Keep a statement that begins at an offset for the texts that are parsed later."""
        line = bisect_right(self._starts, start) - 1
        first, second, third, fourth = (
            self._place(offset, line) for offset in (behind.start, behind.end, behind.last, behind.at)
        )
        below = max(place[0] for place in (first, second, third, fourth))
        if line + below >= len(self._lines):
            return
        known = _Known(
            tuple(self._lines[line : line + below + 1]), node, behind[:3], (first, second, third, fourth)
        )  # fmt: skip
        self._known.setdefault((context, self._lines[line], start - self._starts[line]), []).append(known)

    def _place(self, offset: int, line: int) -> _Place:
        found = bisect_right(self._starts, offset) - 1
        return found - line, offset - self._starts[found]
