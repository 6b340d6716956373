"""Expands the text between directives, once for all configurations in which it expands alike.

What a compiler prints for a configuration is worked out here from what the walk through its conditions knows already:
the stretches of text, and the macros at each. Blanks are GNU cpp's (c-ppoutput.c, scan_translation_unit; lex.c,
cpp_avoid_paste). What depends on the place or on how often it was asked is left to the compiler.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ldcheck.preprocess.files import SourceFile
from ldcheck.preprocess.lexer import WORD, Directive, tokens
from ldcheck.preprocess.macros import Definition, Expander, ExpansionError, Macro, Piece, pieces
from ldcheck.preprocess.made_up import is_spelled, plain

# Of all texts of a run together. A script of Linux has some 20,000 tokens, most of which its configurations share.
MAX_PIECES = 1_000_000
_PLACED = frozenset(("__LINE__", "__FILE__", "__BASE_FILE__", "__COUNTER__", "__INCLUDE_LEVEL__", "_Pragma"))


class Line(NamedTuple):
    """A line of text, the number of the line in its file that it stems from, and its tokens' columns and origins."""

    text: str
    number: int
    starts: list[int]
    pieces: list[Piece]


class Stretch(NamedTuple):
    """The text between two directives of a file, expanded."""

    file: SourceFile
    lines: tuple[Line, ...]


class Unrenderable(Exception):  # noqa: N818  # no error: the compiler knows
    """A text of which only the preprocessor itself can tell what it becomes."""


class Renderer:
    """Expands stretches of files, and keeps each with the definitions that it was expanded by.

    It serves all configurations of a target, and those of an edited text of it again. What is kept is known by the file
    as it was read, so that nothing is found of a file that was edited since.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[SourceFile, int], list[tuple[dict[str, Definition | None], Stretch]]] = {}
        self._defined: dict[tuple[SourceFile, int], tuple[str, Definition] | None] = {}
        self._given: dict[str, SourceFile] = {}
        self._budget = MAX_PIECES

    def given(self, text: str) -> SourceFile:
        """A text of definitions that no file has, the same object for the same text."""
        if text not in self._given:
            self._given[text] = SourceFile("<command-line>", text, virtual=True)
        return self._given[text]

    def defined(self, file: SourceFile, at: int, directive: Directive) -> tuple[str, Definition] | None:
        """The name and the definition of a #define, the same object on every way; None for one without a name."""
        key = (file, at)
        if key not in self._defined:
            match = WORD.search(file.code, directive.start, directive.end)
            self._defined[key] = (match.group(), Definition(file, directive.start, directive.end)) if match else None
        return self._defined[key]

    def stretch(
        self, file: SourceFile, at: int, defined: Mapping[str, Definition], lookup: Callable[[str], Macro | None]
    ) -> Stretch:
        """One of the file's `stretches`. Raises Unrenderable, and whatever `lookup` raises."""
        kept = self._kept.setdefault((file, at), [])
        for earlier, stretch in kept:
            if all(defined.get(name) is definition for name, definition in earlier.items()):
                for name, definition in earlier.items():
                    if definition is None:
                        # What is not decided yet is not undefined.
                        lookup(name)
                return stretch
        needed: dict[str, Definition | None] = {}

        def noting(name: str) -> Macro | None:
            macro = lookup(name)
            needed[name] = defined.get(name)
            return macro

        found = Stretch(file, tuple(self._lines(file, at, noting)))
        kept.append((needed, found))
        return found

    def _lines(self, file: SourceFile, at: int, lookup: Callable[[str], Macro | None]) -> Iterable[Line]:
        start, stop = file.stretches[at]
        try:
            expanded = list(Expander(lookup).expand(pieces(file, tokens(file.code, start, stop))))
        except ExpansionError:
            # Whether the macro's arguments go on behind the directive, or it is an error, the compiler tells.
            raise Unrenderable from None
        self._budget -= len(expanded)
        if self._budget < 0 or any(piece.text in _PLACED for piece in expanded):
            raise Unrenderable
        if expanded and (macro := lookup(expanded[-1].text)) is not None and macro.parameters is not None:
            # A function-like macro's name at the end: its arguments may stand behind the directive.
            raise Unrenderable
        starts = file.source.line_starts
        line: list[Piece] = []
        number = 0
        for piece in expanded:
            here = bisect_right(starts, _outermost(piece))
            if here > number:
                if line:
                    yield _line(line, number)
                line, number = [], here
            line.append(piece)
        if line:
            yield _line(line, number)


def _outermost(piece: Piece) -> int:
    """The offset in the file of what became the piece: its own, or that of the macro's use."""
    place, via = piece.place, piece.via
    while via is not None:
        place, via = via.place, via.outer
    return place.start


def _line(found: list[Piece], number: int) -> Line:
    text = ""
    starts = []
    before: Piece | None = None
    for piece in found:
        if before is not None and (piece.blank or (piece.via is not before.via and _would_paste(before, piece))):
            text += " "
        starts.append(len(text))
        text += _shown(piece)
        before = piece
    return Line(text, number, starts, found)


def _shown(piece: Piece) -> str:
    """What a token becomes: of a value that was made up, the name of its symbol."""
    if "0x0" not in piece.text:
        return piece.text
    return piece.via.macro if piece.via is not None and is_spelled(piece.text) else plain(piece.text)


_AFTER = {
    ">": ">=", "<": "<=", "+": "+=", "-": "-=>", "/": "=/*", "*": "=", "%": "=:%>", "&": "&=", "|": "|=", ":": ":>",
    ".": ".%", "#": "#%", "!": "=", "=": "=", "^": "=",
}  # fmt: skip


def _would_paste(one: Piece, other: Piece) -> bool:
    """Whether the two would be read as something else without a blank between them (`cpp_avoid_paste`)."""
    first = other.text[:1]
    if one.kind == "name":
        return other.kind in ("name", "number") or first in "\"'"
    if one.kind == "number":
        return other.kind in ("number", "name") or first in ".+-'"
    if one.kind == "string":
        return False
    if one.text == "." and other.kind == "number":
        return True
    return first in _AFTER.get(one.text, "") or (one.text == first and first in "><+-&|#")
