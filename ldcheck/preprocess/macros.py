"""Macro definitions and their expansion, with the way back: every token knows where its text stands.

The expansion follows GNU cpp ("The C Preprocessor", chapter "Macros"; cppinternals, "Macro Expansion Algorithm"): a
macro is switched off while its replacement is being read, arguments are expanded on their own, `#` and `##` are as in
the C standard, `, ## __VA_ARGS__` as in GNU C. `__LINE__` and its kind are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from ldcheck.preprocess.files import SourceFile
from ldcheck.preprocess.lexer import Token, tokens
from ldcheck.record import dataclass

# A script of hundreds of lines expands to some thousand tokens; far beyond, somebody wants to fill the memory.
MAX_TOKENS = 100_000
MAX_DEPTH = 64


class Place(NamedTuple):
    """Where a token's text stands: a file and the offset in it."""

    file: SourceFile
    start: int


class Use(NamedTuple):
    """The use of a macro through which a token came to be; `outer` is the use that this one stands in."""

    macro: str
    place: Place
    outer: Use | None


class Piece(NamedTuple):
    """A token on its way through expansion. `painted` keeps a macro's name within its own expansion from expanding."""

    kind: str
    text: str
    blank: bool
    place: Place
    via: Use | None = None
    painted: bool = False

    def with_blank(self, blank: bool) -> Piece:
        """The same token with or without a blank in front of it."""
        return self if blank is self.blank else Piece(self.kind, self.text, blank, self.place, self.via, self.painted)

    def through(self, use: Use) -> Piece:
        """The same token, come to be by the use of a macro."""
        return Piece(self.kind, self.text, self.blank, self.place, use, self.painted)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Macro:
    """A definition. `parameters` is None for an object-like macro; `rest` is the parameter that takes what is left."""

    name: str
    parameters: tuple[str, ...] | None
    body: tuple[Piece, ...]
    rest: str = ""


class ExpansionError(Exception):
    """An expansion that cannot be finished; `place` is the use that leads into it."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


class Definition:
    """A `#define`, read into a `Macro` when it is first used. `start` and `end` span what follows the keyword."""

    __slots__ = ("_macro", "end", "file", "start")

    def __init__(self, file: SourceFile, start: int, end: int) -> None:
        self.file = file
        self.start = start
        self.end = end
        self._macro: Macro | None = None

    @property
    def macro(self) -> Macro:
        """What the definition says."""
        if self._macro is None:
            self._macro = define(self.file, tokens(self.file.code, self.start, self.end))
        return self._macro


def pieces(file: SourceFile, found: Iterable[Token]) -> list[Piece]:
    """Tokens of a file, ready for expansion."""
    return list(each_piece(file, found))


def each_piece(file: SourceFile, found: Iterable[Token]) -> Iterator[Piece]:
    """The same, read no further than is asked for."""
    for token in found:
        yield Piece(token.kind, token.text, token.blank, Place(file, token.start))


def define(file: SourceFile, found: list[Token]) -> Macro:
    """The macro that the tokens behind `#define` define. What is malformed is read as far as it goes."""
    if not found or found[0].kind != "name":
        return Macro("", None, ())
    name, at = found[0].text, 1
    if at >= len(found) or found[at].text != "(" or found[at].blank:
        return Macro(name, None, tuple(pieces(file, found[at:])))
    parameters: list[str] = []
    rest = ""
    at += 1
    while at < len(found) and found[at].text != ")":
        token = found[at]
        if token.kind == "name":
            parameters.append(token.text)
        elif token.text == "...":
            # `args...` names the rest, a bare `...` is __VA_ARGS__.
            if found[at - 1].kind == "name":
                rest = found[at - 1].text
            else:
                rest = "__VA_ARGS__"
                parameters.append(rest)
        at += 1
    return Macro(name, tuple(parameters), tuple(pieces(file, found[at + 1 :])), rest)


class Expander:
    """Expands tokens by the macros that `lookup` knows."""

    def __init__(self, lookup: Callable[[str], Macro | None], budget: int = MAX_TOKENS) -> None:
        self._lookup = lookup
        self._budget = budget

    def expand(
        self, source: Iterable[Piece], depth: int = 0, disabled: Collection[str] = frozenset()
    ) -> Iterator[Piece]:
        """The expansion of `source`, token by token; reads no further than it must. Raises ExpansionError.

        `disabled` are the macros within whose replacement the source stands.
        """
        reader = _Reader(iter(source), disabled)
        while (piece := reader.next()) is not None:
            macro = self._lookup(piece.text) if piece.kind == "name" and not piece.painted else None
            if macro is None:
                yield piece
            elif piece.text in reader.disabled:
                yield piece._replace(painted=True)
            elif (replacement := self._replacement(macro, piece, reader, depth)) is None:
                yield piece
            else:
                self._spend(len(replacement) + 1, piece.place)
                reader.push(replacement, macro.name)

    def _spend(self, count: int, place: Place) -> None:
        self._budget -= count
        if self._budget < 0:
            raise ExpansionError("the macros expand without end", place)

    def _replacement(self, macro: Macro, name: Piece, reader: _Reader, depth: int) -> list[Piece] | None:
        """What takes the place of a macro's use; None where a function-like macro's name stands without arguments."""
        use = Use(macro.name, name.place, name.via)
        arguments: dict[str, list[Piece]] = {}
        if macro.parameters is not None:
            following = reader.next()
            if following is None or following.text != "(":
                if following is not None:
                    reader.push([following], "")
                return None
            arguments = self._arguments(macro, name, reader)
        if depth > MAX_DEPTH:
            raise ExpansionError("macro calls are nested too deeply", use.place)
        body = self._substitute(_Call(macro, arguments, use, depth, reader.disabled))
        if body:
            body[0] = body[0].with_blank(name.blank)
        return body

    def _arguments(self, macro: Macro, name: Piece, reader: _Reader) -> dict[str, list[Piece]]:
        found: list[list[Piece]] = [[]]
        parameters = macro.parameters or ()
        nesting = 0
        while (piece := reader.next()) is not None:
            text = piece.text
            if text == ")" and nesting == 0:
                break
            if text == "," and nesting == 0 and not (macro.rest and len(found) == len(parameters)):
                found.append([])
                continue
            if text == "(":
                nesting += 1
            elif text == ")":
                nesting -= 1
            found[-1].append(piece)
            self._spend(1, name.place)
        else:
            raise ExpansionError(f"the arguments of {macro.name} are not closed", name.place)
        if not parameters and len(found) == 1 and not found[0]:
            return {}
        wanted, given = len(parameters), len(found)
        if given != wanted and not (macro.rest and given == wanted - 1):
            message = f"{macro.name} is given {given} argument{'s' * (given != 1)} and takes {wanted}"
            raise ExpansionError(message, name.place)
        return dict(zip(parameters, found, strict=False))

    def _substitute(self, call: _Call) -> list[Piece]:
        """The body of the macro with its arguments in it, `#` and `##` done."""
        macro, arguments = call.macro, call.arguments
        result: list[Piece] = []
        expanded: dict[str, list[Piece]] = {}
        body, at, size = macro.body, 0, len(macro.body)
        parameters = call.parameters
        while at < size:
            piece = body[at]
            following = body[at + 1].text if at + 1 < size else ""
            at += 1
            if piece.text == "#" and following in parameters:
                text = _stringified(arguments.get(following, []))
                result.append(Piece("string", text, piece.blank, piece.place, call.use))
                at += 1
            elif piece.text == "##" and result and following:
                self._paste(call, result, body[at])
                at += 1
            elif piece.text not in parameters:
                result.append(piece.through(call.use))
            elif following == "##":
                # An empty operand of `##` still takes part in the pasting, as a placemarker.
                given = arguments.get(piece.text) or [Piece("sign", "", False, piece.place, call.use)]
                result.append(given[0].with_blank(piece.blank))
                result.extend(given[1:])
            else:
                if piece.text not in expanded:
                    expanded[piece.text] = self._expanded(call, piece.text)
                given = expanded[piece.text]
                self._spend(len(given), call.use.place)
                if given:
                    result.append(given[0].with_blank(piece.blank))
                    result.extend(given[1:])
        return [piece for piece in result if piece.text]

    def _expanded(self, call: _Call, parameter: str) -> list[Piece]:
        return list(self.expand(call.arguments.get(parameter, []), call.depth + 1, call.disabled))

    def _paste(self, call: _Call, result: list[Piece], right: Piece) -> None:
        """Paste `right`, which stands behind a `##` in the body, to the last of `result`."""
        operands = [right.through(call.use)]
        if right.text in call.parameters:
            operands = call.arguments.get(right.text, [])
            if right.text == call.macro.rest and result[-1].text == ",":
                if right.text in call.arguments:
                    result.extend(self._expanded(call, right.text))
                else:
                    result.pop()
                return
        if not operands:
            return
        left, first = result[-1], operands[0]
        joined = tokens(left.text + first.text)
        if not left.text:
            result[-1] = first.with_blank(left.blank)
        elif len(joined) == 1:
            result[-1] = left._replace(kind=joined[0].kind, text=joined[0].text, painted=False)
        else:
            # No single token: assembler mode leaves the two beside each other.
            result.append(first.with_blank(False))
        result.extend(operands[1:])


class _Call(NamedTuple):
    """A macro's use with its arguments; `disabled` are the macros within whose replacement it stands."""

    macro: Macro
    arguments: dict[str, list[Piece]]
    use: Use
    depth: int
    disabled: Collection[str]

    @property
    def parameters(self) -> tuple[str, ...]:
        return self.macro.parameters or ()


class _Reader:
    """Reads tokens from replacements within replacements; a macro stays disabled until its replacement is read."""

    __slots__ = ("_stack", "disabled")

    def __init__(self, source: Iterator[Piece], disabled: Collection[str]) -> None:
        self._stack: list[tuple[Iterator[Piece], str]] = [(source, "")]
        self.disabled = set(disabled)

    def push(self, read_first: list[Piece], macro: str) -> None:
        if macro:
            self.disabled.add(macro)
        self._stack.append((iter(read_first), macro))

    def next(self) -> Piece | None:
        stack = self._stack
        while stack:
            source, macro = stack[-1]
            for piece in source:
                return piece
            stack.pop()
            if macro:
                self.disabled.discard(macro)
        return None


def _stringified(argument: list[Piece]) -> str:
    text = ""
    for at, piece in enumerate(argument):
        written = piece.text
        if piece.kind == "string":
            written = written.replace("\\", "\\\\").replace('"', '\\"')
        text += (" " if at and piece.blank else "") + written
    return f'"{text}"'
