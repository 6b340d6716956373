"""Preprocessing tokens and the directives of a source file, as GNU cpp reads assembler (`-x assembler-with-cpp`).

Comments `/* */` and `//` count as blanks, an unpaired quote takes the rest of its line, and a backslash at the end of
a line joins it with the next. A line join within a token is not undone: nobody writes one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

# A number is a "pp-number" of the C standard: `0x10UL`, `1.5e+3`, but also `10h`.
_TOKEN = re.compile(
    r"""
      (?P<blank>(?:\s|\\[ \t]*\r?\n)+)
    | (?P<name>[^\W\d]\w*)
    | (?P<number>\.?[0-9](?:[eEpP][+-]|[\w.])*)
    | (?P<string>"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)
    | (?P<sign><<=|>>=|\.\.\.|\#\#|<<|>>|<=|>=|==|!=|&&|\|\||->|\+\+|--|[-+*/%&|^]=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
WORD = re.compile(r"\b[^\W\d]\w*")
_COMMENT = re.compile(r'/\*.*?(?:\*/|\Z)|//(?:[^\\\n]|\\.)*|"(?:[^"\\\n]|\\.)*"?|\'(?:[^\'\\\n]|\\.)*\'?', re.DOTALL)
_DIRECTIVE = re.compile(r"#[ \t\f\v]*((?:[^\W\d]\w*)?)((?:[^\\\n]+|\\[ \t]*\r?\n|\\)*)")

CONDITIONAL = frozenset({"if", "ifdef", "ifndef", "elif", "elifdef", "elifndef"})
_OPENING = frozenset({"if", "ifdef", "ifndef"})
_MIDDLE = frozenset({"elif", "else", "elifdef", "elifndef"})


class Token(NamedTuple):
    """A token; `kind` is name, number, string or sign, `blank` whether a blank stands before it."""

    kind: str
    text: str
    start: int
    blank: bool


def tokens(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """The tokens of `text[start:end]`, which has no comments (see `without_comments`)."""
    return list(each_token(text, start, end))


def each_token(text: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """The same, read no further than is asked for."""
    blank = False
    for match in _TOKEN.finditer(text, start, len(text) if end is None else end):
        kind = match.lastgroup or "sign"
        if kind == "blank":
            blank = True
            continue
        yield Token(kind, match.group(), match.start(), blank)
        blank = False


def without_comments(text: str) -> str:
    """The text with each comment overwritten by as many blanks; its line ends too, as cpp makes one blank of it all."""
    return _COMMENT.sub(_blank, text)


def _blank(match: re.Match[str]) -> str:
    text = match.group()
    return text if text[0] != "/" else " " * len(text)


class Directive(NamedTuple):
    """A directive: its keyword, the offsets of what follows the keyword, and its line (1-based).

    `other` is, for the branches of a conditional, the index of the directive that ends the branch: the next #elif,
    #else or #endif of the same conditional. `within` is the index of the branch that the directive stands in, and for
    an #elif or #else of the branch before it. Both are -1 where there is none.
    """

    keyword: str
    start: int
    end: int
    line: int
    other: int = -1
    within: int = -1


class Unbalanced(NamedTuple):
    """A conditional that is not closed, or a branch or an #endif without one."""

    directive: Directive
    opening: bool


def line_starts(text: str) -> list[int]:
    """Offsets at which the lines begin."""
    starts = [0]
    find, at = text.find, 0
    while (at := find("\n", at) + 1) > 0:
        starts.append(at)
    return starts


def directives(text: str, starts: list[int]) -> tuple[list[Directive], list[Unbalanced]]:
    """The directives of a file (`text` without comments), their branches linked, and those that do not fit together."""
    found: list[Directive] = []
    unbalanced: list[Unbalanced] = []
    pending: list[int] = []
    hash_at = -1
    while (hash_at := text.find("#", hash_at + 1)) >= 0:
        line = bisect_right(starts, hash_at)
        # A comment may stand before the `#`, over several lines: only blanks are left of it.
        begin = text.rfind("\n", 0, hash_at) + 1
        if text[begin:hash_at].strip():
            continue
        match = _DIRECTIVE.match(text, hash_at)
        assert match is not None
        keyword, at = match.group(1), len(found)
        within = pending[-1] if pending else -1
        found.append(Directive(keyword, match.start(2), match.end(), line, within=within))
        hash_at = match.end() - 1
        if keyword in _OPENING:
            pending.append(at)
        elif keyword in _MIDDLE or keyword == "endif":
            if not pending:
                unbalanced.append(Unbalanced(found[at], opening=False))
                continue
            before = pending.pop()
            found[before] = found[before]._replace(other=at)
            if keyword != "endif":
                pending.append(at)
    unbalanced.extend(Unbalanced(found[at], opening=True) for at in pending)
    return found, unbalanced
