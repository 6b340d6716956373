"""Which of the varied symbols have a say at some places of the sources: in the conditions that these stand in.

Of many symbols that happen to tell some configurations from others, those that decide whether the lines concerned are
there at all are the ones that a person would name. Where a condition asks for a macro that the sources define, the
conditions around its definitions count, and so do those around the definitions of macros that the lines use.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence

from ldcheck.preprocess.files import SourceFile
from ldcheck.preprocess.lexer import CONDITIONAL, WORD
from ldcheck.source import Location

# Macros of macros: further than this nobody follows, and names that are everywhere would take over.
_MOST_STEPS = 4


class Relevance:
    """The conditions of some files. `symbols` are those that are varied."""

    def __init__(self, files: Sequence[SourceFile], symbols: Collection[str]) -> None:
        self._files = {file.name: file for file in files}
        self._symbols = frozenset(symbols)
        self._definitions: dict[str, list[tuple[SourceFile, int]]] | None = None

    def deciding(self, places: Iterable[Location]) -> frozenset[str]:
        """The symbols that decide whether the lines at these places are there, and what their macros are."""
        found: set[str] = set()
        seen: set[str] = set()
        pending: list[tuple[str, int]] = []
        for place in places:
            file = self._files.get(place.file)
            if file is not None and place.line:
                words = [*_asked(file, _ahead(file, place.line)), *WORD.findall(file.source.line(place.line))]
                pending += [(word, 0) for word in words]
        while pending:
            word, steps = pending.pop()
            if word in self._symbols:
                found.add(word)
            elif word not in seen and steps < _MOST_STEPS:
                seen.add(word)
                for file, at in self._defined(word):
                    pending += [(name, steps + 1) for name in _asked(file, at)]
        return frozenset(found)

    def enclosing(self, place: Location) -> frozenset[str]:
        """The symbols of the conditions that a line stands in."""
        file = self._files.get(place.file)
        asked = _asked(file, _ahead(file, place.line)) if file is not None and place.line else ()
        return frozenset(word for word in asked if word in self._symbols)

    def _defined(self, name: str) -> Sequence[tuple[SourceFile, int]]:
        if self._definitions is None:
            self._definitions = {}
            for file in self._files.values():
                for at, directive in enumerate(file.directives):
                    if directive.keyword == "define" and (
                        match := WORD.search(file.code, directive.start, directive.end)
                    ):
                        self._definitions.setdefault(match.group(), []).append((file, at))
        return self._definitions.get(name, ())


def _ahead(file: SourceFile, line: int) -> int:
    """The index of the last directive ahead of a line, or on it; -1 if there is none."""
    return bisect_left(file.directives, line + 1, key=lambda directive: directive.line) - 1


def _asked(file: SourceFile, at: int) -> Iterator[str]:
    """The words of the conditions in which stands what follows a directive: its own, if it opens a branch."""
    if at < 0:
        return
    lines = file.directives
    branches = list(file.around(at))
    if lines[at].keyword in CONDITIONAL and lines[at].keyword != "else":
        branches.append(at)
    for branch in branches:
        directive = lines[branch]
        for word in WORD.findall(file.code, directive.start, directive.end):
            if word != "defined":
                yield word
