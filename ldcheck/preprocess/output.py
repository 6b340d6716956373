"""What a preprocessor gave: the lines of text that are left of a script, each with its place, and the macros met.

Blank lines, line markers and definitions are taken out of the text, which makes it a third of the size for whoever
reads it next; `places` says for each line that is left where it stood.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ldcheck.preprocess.macros import Piece
    from ldcheck.preprocess.rendering import Stretch

# `# 12 "file" 1 3`, also as `#line 12 "file"`.
_MARKER = re.compile(r'#(?:line)? (\d+) "((?:[^"\\]|\\.)*)"([ 0-9]*)')
_ENTERED = re.compile(r'^# [1-9][0-9]* "((?:[^"\\\n]|\\.)*)"', re.MULTILINE)
_ESCAPE = re.compile(r"\\([0-7]{1,3}|.)")
_DEFINITION = re.compile(r"#(define|undef) ([^\W\d]\w*)")


# Files and lines in them: the way of #include lines into a place, outermost first.
Chain = tuple[tuple[str, int], ...]


class Definition(NamedTuple):
    """A #define or #undef that was met: from which line of text on it counts, and where it stands.

    `line` is 0 for a macro of the compiler or of the command line.
    """

    before: int
    defined: bool
    file: str
    line: int


class Output:
    """The text of one configuration, in `lines`; `read` are the files that were included.

    Where each line stood is worked out from the compiler's `stream` when somebody asks.
    """

    def __init__(self, lines: list[str], read: dict[str, None], stream: str = "") -> None:
        self.lines = lines
        self.read = read
        self._stream = stream
        self._places: Places | None = None

    @property
    def text(self) -> str:
        """The script's text."""
        return "\n".join(self.lines) + "\n" if self.lines else ""

    @property
    def places(self) -> Places:
        """Where the lines stood."""
        if self._places is None:
            self._places = _places(self._stream)
        return self._places

    def traced(self, line: int) -> tuple[list[int], list[Piece]] | None:  # noqa: ARG002 - for those who know
        """The columns and the origins of a line's tokens, where they are known without looking; else None."""
        return None

    @classmethod
    def placed(cls, lines: list[str], read: dict[str, None], places: Places) -> Output:
        """An output whose places are known."""
        output = cls(lines, read)
        output._places = places
        return output


class Rendered(Output):
    """An output that was expanded here (see `rendering`), so that the origin of every token is known."""

    def __init__(self, text: Sequence[tuple[Stretch, Chain]], read: dict[str, None]) -> None:
        super().__init__([line.text for stretch, _ in text for line in stretch.lines], read)
        self._lines = [line for stretch, _ in text for line in stretch.lines]
        self._stretches = text

    def identities(self) -> list[tuple[int, Chain]]:
        """For each line what only the same line has, in this configuration and in the others."""
        return [(id(line), chain) for stretch, chain in self._stretches for line in stretch.lines]

    @property
    def places(self) -> Places:
        """Where the lines stood."""
        if self._places is None:
            self._places = Places()
            chains: dict[Chain, int] = {(): 0}
            for stretch, chain in self._stretches:
                number = chains.setdefault(chain, len(chains))
                for line in stretch.lines:
                    self._places.add(stretch.file.name, line.number, number)
            self._places.chains = list(chains)
        return self._places

    def traced(self, line: int) -> tuple[list[int], list[Piece]]:
        """The columns and the origins of a line's tokens."""
        return self._lines[line].starts, self._lines[line].pieces


class Places:
    """Where the lines of a text stood: by line, the file, its line and the chain of #include lines into it.

    `chains` are those by their number; `predefined` holds the definitions of the compiler and of the command line, as
    #define lines.
    """

    __slots__ = ("chain", "chains", "definitions", "files", "numbers", "predefined")

    def __init__(self) -> None:
        self.files: list[str] = []
        self.numbers: list[int] = []
        self.chain: list[int] = []
        self.chains: list[tuple[tuple[str, int], ...]] = [()]
        self.definitions: dict[str, list[Definition]] = {}
        self.predefined = ""

    def add(self, file: str, number: int, chain: int) -> None:
        """Note the place of another line."""
        self.files.append(file)
        self.numbers.append(number)
        self.chain.append(chain)

    def define(self, name: str, defined: bool, file: str, number: int) -> None:
        """Note that a macro is defined or undefined from here on."""
        self.definitions.setdefault(name, []).append(Definition(len(self.files), defined, file, number))

    def definition(self, name: str, line: int) -> Definition | None:
        """What holds for a macro at a line of text (0-based); None if it is not defined there."""
        known = self.definitions.get(name)
        if known is None:
            return None
        at = bisect_right(known, line, key=lambda definition: definition.before)
        return known[at - 1] if at and known[at - 1].defined else None


def parse_output(stream: str) -> Output:
    """Read what a compiler wrote for -E -dD."""
    everything = stream.split("\n")
    lines = [line for line in everything if line and line[0] != "#" and not line.isspace()]
    read: dict[str, None] = {}
    for written in dict.fromkeys(
        [line[line.find('"') + 1 : line.rfind('"')] for line in everything if line[:2] == "# "]
    ):
        if (name := _file_name(written))[:1] not in ("<", ""):
            read[name] = None
    return Output(lines, read, stream)


def _places(stream: str) -> Places:
    places = Places()
    file, number, chain = "", 1, 0
    # The line of an #include is exact once the marker of the return tells it.
    entered: list[tuple[str, int]] = []
    stack: list[int] = []
    names: dict[str, str] = {}
    known_chains: dict[tuple[int, ...], int] = {(): 0}
    for line in stream.split("\n"):
        if not line:
            number += 1
        elif line[0] != "#":
            if not line.isspace():
                places.add(file, number, chain)
            number += 1
        elif line[1:2] == " " and (match := _MARKER.match(line)):
            written, flags = match.group(2), match.group(3)
            if written not in names:
                names[written] = _file_name(written)
            if " 1" in flags:
                stack.append(len(entered))
                entered.append((file, number - 1))
            file = names[written]
            number = int(match.group(1))
            if " 2" in flags and stack:
                entered[stack.pop()] = (file, number - 1)
            if flags:
                key = tuple(stack)
                chain = known_chains.setdefault(key, len(known_chains))
        else:
            if match := _DEFINITION.match(line):
                places.define(match.group(2), match.group(1) == "define", file, 0 if file[:1] in ("", "<") else number)
            number += 1
    places.predefined = stream[: _first_file(stream)]
    places.chains = [tuple(entered[at] for at in key) for key in known_chains]
    return places


def _first_file(stream: str) -> int:
    """Where the first text of a file begins: behind what the compiler and the command line define."""
    at = 0
    for match in _ENTERED.finditer(stream):
        if match.group(1)[:1] != "<" and match.start():
            return match.start()
        at = match.start()
    return at


def _file_name(written: str) -> str:
    if "\\" in written:
        written = _ESCAPE.sub(lambda found: _unescaped(found.group(1)), written)
    if written[:1] == "<" or not written:
        return written
    return os.path.normpath(written)


def _unescaped(code: str) -> str:
    if not code.isdigit():
        return code
    value = int(code, 8) & 0xFF
    return chr(value) if value < 0x80 else bytes((value,)).decode("utf-8", "surrogateescape")
