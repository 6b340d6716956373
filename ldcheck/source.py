"""Files, offsets, and the way back from an offset to the line that a person would edit.

All spans in ldcheck are offsets into one address space, the `SourceMap`: the script and every file that an INCLUDE
pulled in are laid one behind the other, so a node needs two integers and no file name. Lines and columns are worked
out only for what is shown. A file that went through a preprocessor brings an `Origin`, which leads from its text back
to the files that people edit.

This module knows nothing of linker scripts. Lines and columns are 1-based; a column counts characters; only a line
feed ends a line, as in GNU ld.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Protocol

from ldcheck.record import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file as people see it, with the text of its (first) line for an excerpt.

    `line` 0 means the file as a whole; `end_column` is the column behind the last character.
    """

    file: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    excerpt: str = ""

    def told_in(self, file: str) -> str:
        """`line 5` to who reads of `file`, and `line 5 in inc.h` where this is another file."""
        return f"line {self.line}" if self.file == file else f"line {self.line} in {self.file}"


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that matters for a finding or an error, and what it is."""

    location: Location
    label: str


class Source:
    """One file's text. `name` is what people are shown: a path as they gave it, or `<stdin>`."""

    __slots__ = ("_starts", "name", "text")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._starts: list[int] | None = None

    @property
    def line_starts(self) -> list[int]:
        """Offsets at which the lines begin; entry 0 is line 1."""
        if self._starts is None:
            starts = [0]
            find, at = self.text.find, 0
            while (at := find("\n", at) + 1) > 0:
                starts.append(at)
            self._starts = starts
        return self._starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset; an offset behind the end is taken as the end."""
        offset = min(max(offset, 0), len(self.text))
        starts = self.line_starts
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line without its line end; empty for a line that the file does not have."""
        starts = self.line_starts
        if not 1 <= number <= len(starts):
            return ""
        stop = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : stop].rstrip("\r")

    def locate(self, start: int, end: int) -> Location:
        """The location of the span [start, end) in this very file."""
        starts = self._starts or self.line_starts
        if 0 <= start <= end <= len(self.text):
            # The common case of a span within one line, without looking twice.
            line = bisect_right(starts, start)
            begin = starts[line - 1]
            stop = starts[line] - 1 if line < len(starts) else len(self.text)
            if end <= stop:
                excerpt = self.text[begin:stop].rstrip("\r")
                return Location(self.name, line, start - begin + 1, line, end - begin + 1, excerpt)
        line, column = self.position(start)
        end_line, end_column = self.position(max(start, end))
        return Location(self.name, line, column, end_line, end_column, self.line(line))


class Origin(Protocol):
    """Where the text of a preprocessed file came from."""

    def locate(self, source: Source, start: int, end: int) -> Location:
        """The place that a person would edit for the span [start, end) of `source`."""

    def related(self, source: Source, start: int, end: int) -> tuple[Related, ...]:
        """The uses of macros and the `#include` lines through which the span came to be, innermost first."""


class SourceMap:
    """The address space of spans: sources laid one behind the other, each with the origin of its text."""

    __slots__ = ("_bases", "_entries")

    def __init__(self) -> None:
        self._bases: list[int] = []
        self._entries: list[tuple[Source, Origin | None]] = []

    def add(self, source: Source, origin: Origin | None = None) -> int:
        """Lay `source` behind what is there. Returns the offset of its first character."""
        base = 0
        if self._entries:
            # One apart, so that the end of a file and the beginning of the next are different offsets.
            base = self._bases[-1] + len(self._entries[-1][0].text) + 1
        self._bases.append(base)
        self._entries.append((source, origin))
        return base

    @property
    def last_base(self) -> int:
        """The offset of the first character of what was added last."""
        return self._bases[-1]

    @property
    def name(self) -> str:
        """What people are shown as the name of the script itself."""
        return self._entries[0][0].name

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every source in the order in which it was added; the script itself is the first."""
        return tuple(source for source, _ in self._entries)

    def find(self, offset: int) -> tuple[Source, int, Origin | None]:
        """The source that an offset lies in, that source's base, and its origin."""
        at = max(bisect_right(self._bases, offset) - 1, 0)
        source, origin = self._entries[at]
        return source, self._bases[at], origin

    def text(self, start: int, end: int) -> str:
        """The characters of a span."""
        source, base, _ = self.find(start)
        return source.text[start - base : end - base]

    def locate(self, start: int, end: int) -> Location:
        """The place that a person would edit for the span [start, end)."""
        source, base, origin = self.find(start)
        if origin is None:
            return source.locate(start - base, end - base)
        return origin.locate(source, start - base, end - base)

    def related(self, start: int, end: int) -> tuple[Related, ...]:
        """Other places that a person needs to understand where the span comes from, such as a macro's use."""
        source, base, origin = self.find(start)
        return () if origin is None else origin.related(source, start - base, end - base)


def decode(data: bytes) -> str:
    """Text of a file. Bytes that are not UTF-8 survive as surrogates, so that offsets and printing stay exact."""
    return data.decode("utf-8", "surrogateescape")


def read_regular(path: str, longest: int) -> str | None:
    """The text of a regular file of at most `longest` bytes; None for every other.

    Devices and pipes must not block, whatever a line marker or an INCLUDE names.
    """
    import os
    import stat

    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > longest:
            return None
        with open(path, "rb") as stream:
            return decode(stream.read(longest))
    except (OSError, ValueError):
        return None


def exact(text: str) -> str:
    """`text` unchanged but for lone surrogates, which no UTF-8 output and few JSON readers take: for data formats."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(visible(character) if "\ud800" <= character <= "\udfff" else character for character in text)
    return text


def visible(character: str) -> str:
    """The escape that stands for one character which cannot be shown as it is."""
    code = ord(character)
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
