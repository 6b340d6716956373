"""Leads a preprocessed script back to the lines that people edit: into the headers' macros, with the uses on the way.

A preprocessor tells the line on which a macro is used. The rest is worked out here, when somebody asks: the line in
the source is expanded again with the definitions that held there, and where that gives the tokens that the
preprocessor gave, each token's text has its place, in the use's line or in the macro's body. Where it does not, the
use's line stands for all of it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice

from ldcheck.preprocess.files import Files, SourceFile
from ldcheck.preprocess.generated import is_generated
from ldcheck.preprocess.lexer import WORD, Token, each_token
from ldcheck.preprocess.macros import Definition, Expander, ExpansionError, Macro, Piece, Place, Use, each_piece
from ldcheck.preprocess.output import Output
from ldcheck.source import Location, Related, Source

# One line of a hostile script must not cost more than this, whatever it expands to.
MAX_LINE_TOKENS = 50_000


class MacroOrigin:
    """The way back for one configuration (see `ldcheck.source.Origin`)."""

    def __init__(self, output: Output, files: Files) -> None:
        self._output = output
        self.files = files
        self._lines: dict[int, tuple[list[int], list[Piece]]] = {}
        self._known: dict[str, dict[str, list[tuple[int, Definition]]]] = {}
        self._predefined: SourceFile | None = None

    def locate(self, source: Source, start: int, end: int) -> Location:
        """The place that a person would edit for the span [start, end) of the text."""
        line = source.position(start)[0] - 1
        piece = self._piece(source, start)
        if piece is None:
            return self._line_location(line)
        first, via = piece.place, piece.via
        # What a generated header says, nobody edits there.
        while via is not None and (first.file.virtual or is_generated(first.file.name)):
            first, via = via.place, via.outer
        if first is not piece.place:
            return first.file.source.locate(first.start, first.start + 1)
        last = self._piece(source, end - 1) if end > start else None
        if last is not None and last.via == via and last.place.file is first.file and last.place.start >= first.start:
            stop = last.place.start + len(last.text)
        else:
            stop = self._together(source, start, end, piece)
        return first.file.source.locate(first.start, stop)

    def _together(self, source: Source, start: int, end: int, piece: Piece) -> int:
        """The end of what follows `piece` in the text and comes from the same place in the source as it."""
        line, column = source.position(start)
        starts, traced = self._lines[line - 1]
        at = bisect_right(starts, column - 1)
        limit = column - 1 + end - start
        stop = piece.place.start + len(piece.text)
        while at < len(traced) and starts[at] < limit:
            following = traced[at]
            if following.via != piece.via or following.place.file is not piece.place.file:
                break
            if following.place.start < stop:
                break
            stop = following.place.start + len(following.text)
            at += 1
        return stop

    def related(self, source: Source, start: int, end: int) -> tuple[Related, ...]:  # noqa: ARG002  # the protocol's
        """The uses of macros, innermost first, and then the #include lines."""
        found: list[Related] = []
        piece = self._piece(source, start)
        via: Use | None = piece.via if piece is not None else None
        while via is not None:
            place = via.place
            if not place.file.virtual:
                location = place.file.source.locate(place.start, place.start + len(via.macro))
                found.append(Related(location, f"{via.macro} is used here"))
            via = via.outer
        line = source.position(start)[0] - 1
        if line < len(self._output.lines):
            for name, number in reversed(self._output.places.chains[self._output.places.chain[line]]):
                file = self.files.get(name) if name[:1] != "<" else None
                if file is not None and number and not file.virtual:
                    found.append(Related(_whole_line(file, number), "included here"))
        return tuple(found)

    def _line_location(self, line: int) -> Location:
        """The whole line of the source that a line of the text comes from."""
        output = self._output
        if line >= len(output.lines):
            line = len(output.lines) - 1
        if line < 0:
            return Location(next(iter(output.read), ""))
        name, number = output.places.files[line], output.places.numbers[line]
        file = self.files.get(name)
        if file is None or file.virtual:
            chain = output.places.chains[output.places.chain[line]]
            for outer, at in reversed(chain):
                outer_file = self.files.get(outer) if outer[:1] != "<" else None
                if outer_file is not None and not outer_file.virtual:
                    return _whole_line(outer_file, at)
            return Location(name, number)
        return _whole_line(file, number)

    def _piece(self, source: Source, offset: int) -> Piece | None:
        """The token of the source that gave the token at an offset of the text, or None if that is not known."""
        line, column = source.position(offset)
        line -= 1
        if line >= len(self._output.lines):
            return None
        if line not in self._lines:
            self._lines[line] = self._trace(line)
        starts, traced = self._lines[line]
        at = max(bisect_right(starts, column - 1) - 1, 0)
        return traced[at] if at < len(traced) else None

    def _trace(self, line: int) -> tuple[list[int], list[Piece]]:
        """The columns of a line's tokens, and where they came from, as far as that could be followed."""
        output = self._output
        if (known := output.traced(line)) is not None:
            return known
        given = list(islice(each_token(output.lines[line]), MAX_LINE_TOKENS))
        starts = [token.start for token in given]
        file = self.files.get(output.places.files[line])
        if file is None or file.virtual:
            return starts, []
        expander = Expander(lambda name: self._macro(name, line), MAX_LINE_TOKENS)
        traced: list[Piece] = []
        try:
            written = each_piece(file, _text_tokens(file, output.places.numbers[line]))
            expanded = expander.expand(written)
            for token, piece in zip(given, islice(expanded, len(given)), strict=False):
                if token.text != piece.text:
                    break
                traced.append(piece)
        except ExpansionError:
            pass
        return starts, traced

    def _macro(self, name: str, line: int) -> Macro | None:
        known = self._output.places.definition(name, line)
        if known is None:
            return None
        if known.line == 0:
            if self._predefined is None:
                self._predefined = SourceFile("<command-line>", self._output.places.predefined, virtual=True)
            file: SourceFile | None = self._predefined
        else:
            file = self.files.get(known.file)
        if file is None:
            return None
        if file.name not in self._known:
            self._known[file.name] = _definitions(file)
        candidates = self._known[file.name].get(name)
        if not candidates:
            return None
        if known.line == 0:
            return candidates[-1][1].macro
        # A definition of several lines may be booked on its first or on its last.
        at = bisect_right(candidates, known.line, key=lambda candidate: candidate[0]) - 1
        return candidates[max(at, 0)][1].macro


def _text_tokens(file: SourceFile, number: int) -> Iterator[Token]:
    """The tokens from a line on, up to the next directive."""
    starts = file.source.line_starts
    if not 1 <= number <= len(starts):
        return iter(())
    lines = file.directives
    at = bisect_right(lines, number - 1, key=lambda directive: directive.line)
    stop = starts[lines[at].line - 1] if at < len(lines) else len(file.code)
    return each_token(file.code, starts[number - 1], max(stop, starts[number - 1]))


def _definitions(file: SourceFile) -> dict[str, list[tuple[int, Definition]]]:
    """The #define lines of a file, by name."""
    found: dict[str, list[tuple[int, Definition]]] = {}
    for directive in file.directives:
        if directive.keyword == "define" and (match := WORD.search(file.code, directive.start, directive.end)):
            definition = Definition(file, directive.start, directive.end)
            found.setdefault(match.group(), []).append((directive.line, definition))
    return found


def _whole_line(file: SourceFile, number: int) -> Location:
    text = file.source.line(number)
    start = len(text) - len(text.lstrip())
    return Location(file.name, number, start + 1, number, len(text.rstrip()) + 1, text)


__all__ = ["MacroOrigin", "Place"]
