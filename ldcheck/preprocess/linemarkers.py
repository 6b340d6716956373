r"""The way back from preprocessed text through its line markers: `# 12 "xen.lds.S" 2`.

A marker says which file and line the next line of the text is from. It does not say the column, and it may be wrong
for what a macro put there; so a column is taken over only where the file's line has the very text of the span, and the
whole line stands for it otherwise. A file that cannot be found is named all the same, with the text as preprocessed.

Left out: what a macro expanded to, and where it is defined (`ldcheck.preprocess` knows).
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Sequence

from ldcheck.source import Location, Related, Source, read_regular

_MARKER = re.compile(
    r'^[ \t]*#(?:line)?[ \t]+(\d{1,9})[ \t]+"((?:[^"\\\n]|\\.)*)"((?:[ \t]+\d)*)[ \t]*\r?$', re.MULTILINE
)
_ESCAPE = re.compile(r"\\([0-7]{1,3}|.)")
_HERE = re.compile(r"(?:(?<=/)|^)(?:\./+)+")
_WORD = re.compile(r"[\w.$/]+")
_LONGEST = 16 << 20


class Include:
    """An #include that is being followed: the file and line it stands on, and the one around it."""

    __slots__ = ("file", "line", "outer")

    def __init__(self, file: str, line: int, outer: Include | None) -> None:
        self.file = file
        self.line = line
        self.outer = outer


class LineMarkers:
    """The origin of text with line markers (see `ldcheck.source.Origin`).

    Files are looked for as they are named, and below each of `bases`.
    """

    def __init__(self, source: Source, bases: Sequence[str] = ()) -> None:
        self._source = source
        self._bases = tuple(bases)
        self._files: dict[str, Source | None] = {}
        # For each marker: the line of the text behind it, the file, that line's number there, and the way to it.
        self._lines: list[int] = []
        self._places: list[tuple[str, int, Include | None]] = []
        self._read_markers()

    def __bool__(self) -> bool:
        return bool(self._lines)

    def locate(self, source: Source, start: int, end: int) -> Location:
        """The place that a person would edit for the span [start, end) of the text."""
        line, column = source.position(start)
        end_line, end_column = source.position(max(start, end))
        origin = self.line_of(line)
        if origin is None:
            return source.locate(start, end)
        name, number = origin
        file = self.file(name)
        given = source.line(line)
        shown = file.name if file is not None else name
        text = file.line(number) if file is not None else given
        length = end_column - column if end_line == line else len(given) - column + 1
        found = _same_place(given, column - 1, length, text)
        if found is None:
            # Something in the span came out of a macro; its first word may still be the file's own.
            first = _WORD.match(given, column - 1)
            begin = _same_place(given, column - 1, len(first[0]), text) if first is not None else None
            return Location(shown, number, (begin or 0) + 1, number, len(text.rstrip()) + 1, text)
        last, last_column = number, found + length + 1
        if end_line > line:
            # The last line of the span, if that is from the same file; else the span ends with its first line.
            ended = self.line_of(end_line)
            if ended is not None and ended[0] == name and ended[1] > number:
                last = ended[1]
                there = file.line(last) if file is not None else source.line(end_line)
                same = _same_place(source.line(end_line), 0, end_column - 1, there)
                last_column = same + end_column if same is not None else len(there.rstrip()) + 1
        return Location(shown, number, found + 1, last, last_column, text)

    def related(self, source: Source, start: int, end: int) -> tuple[Related, ...]:  # noqa: ARG002  # the protocol's
        """The #include lines through which the span came, the innermost first."""
        at = self._marker(source.position(start)[0])
        include = self._places[at][2] if at >= 0 else None
        found = []
        while include is not None:
            file = self.file(include.file)
            text = file.line(include.line) if file is not None else ""
            name = file.name if file is not None else include.file
            place = Location(name, include.line, 1, include.line, len(text.rstrip()) + 1, text)
            found.append(Related(place, "included here"))
            include = include.outer
        return tuple(found)

    def line_of(self, line: int) -> tuple[str, int] | None:
        """The file and the line there that a line of the text is from.

        None in front of the first marker, and for what the compiler made up (`<built-in>`).
        """
        at = self._marker(line)
        if at < 0:
            return None
        name, number, _ = self._places[at]
        if name[:1] == "<":
            return None
        return name, max(number + line - self._lines[at], 1)

    def file(self, name: str) -> Source | None:
        """The file of a marker, if it is a regular file that can be read; its name is the path it was found under."""
        if name not in self._files:
            self._files[name] = self._find(name)
        return self._files[name]

    def _marker(self, line: int) -> int:
        return bisect_right(self._lines, line) - 1

    def _read_markers(self) -> None:
        source = self._source
        include: Include | None = None
        before = ""
        for matched in _MARKER.finditer(source.text):
            line = source.position(matched.start(1))[0]
            number, name, flags = int(matched[1]), _unescape(matched[2]), matched[3].split()
            if "1" in flags and before:
                origin = self.line_of(line)
                include = Include(before, origin[1] if origin is not None else 1, include)
            elif "2" in flags and include is not None:
                include = include.outer
            self._lines.append(line + 1)
            self._places.append((name, number, include))
            before = name if name[:1] != "<" else ""

    def _find(self, name: str) -> Source | None:
        candidates = [name] if os.path.isabs(name) else [os.path.join(base, name) for base in (*self._bases, "")]
        for path in candidates:
            text = read_regular(path, _LONGEST)
            if text is not None:
                return Source(_HERE.sub("", path), text)
        return None


def origin_of(source: Source, bases: Sequence[str] = ()) -> LineMarkers | None:
    """The origin of a text by its line markers, or None if it has none."""
    if _MARKER.search(source.text) is None:
        return None
    return LineMarkers(source, bases)


def _same_place(given: str, at: int, length: int, text: str) -> int | None:
    """Where `text` has what `given` has at [at, at + length): there, or at the occurrence with the same number."""
    token = given[at : at + length]
    if not token.strip():
        return at if at <= len(text) and given == text else None
    if text.startswith(token, at):
        return at
    whole = re.compile(rf"(?<![\w.$]){re.escape(token)}(?![\w.$])" if token[:1].isalnum() else re.escape(token))
    number = sum(1 for _ in whole.finditer(given, 0, at))
    places = [matched.start() for matched in whole.finditer(text)]
    return places[min(number, len(places) - 1)] if places else None


def _unescape(name: str) -> str:
    """The path in a marker, without the `./` that Kbuild puts in front."""
    return _HERE.sub("", _ESCAPE.sub(lambda matched: _unescaped(matched[1]), name)) or name


def _unescaped(escape: str) -> str:
    return chr(int(escape, 8)) if escape[0] in "01234567" else escape
