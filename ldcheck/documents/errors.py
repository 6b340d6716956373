"""What PyYAML's errors mean to a person who writes policies. Only imported when there is an error to explain."""

from __future__ import annotations

import re
from bisect import bisect_right

from ldcheck.findings import InputError
from ldcheck.source import Related, Source

# What a YAML file must not hold (YAML 1.1, section 5.1), surrogates included: those are undecodable bytes.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")

_QUOTE = "a text that begins with it, or holds `: ` or ` #`, must be quoted"

# Parts of PyYAML's problem (or its context), and what to say in their place: the message and the help.
_MEANINGS: tuple[tuple[str, str, str], ...] = (
    ("found character '\\t'", "a tab cannot indent in YAML", "use blanks"),
    ("found a tab character", "a tab cannot indent in YAML", "use blanks"),
    ("found character '%'", "a text cannot begin with `%`", _QUOTE),
    ("found character '@'", "a text cannot begin with `@`", _QUOTE),
    ("found character '`'", "a text cannot begin with a backtick", _QUOTE),
    ("found character that cannot start", "no text can begin with this character", _QUOTE),
    ("mapping values are not allowed", "`: ` is not expected here", "a text that holds `: ` must be quoted"),
    ("could not find expected ':'", "expected `key: value`", "is a `:` missing, or is the line indented too little?"),
    (
        "sequence entries are not allowed",
        "a list cannot begin here",
        "put `- ` on a line of its own, indented like the others",
    ),
    ("while parsing a block mapping", "this does not continue the mapping", "is it indented like the other keys?"),
    ("while parsing a block collection", "this does not continue the list", "is it indented like the other `- `?"),
    ("while parsing a flow sequence", "expected `,` or `]`", "is the list `[...]` closed, and are its texts quoted?"),
    ("while parsing a flow mapping", "expected `,` or `}`", "is the mapping `{...}` closed, and are its texts quoted?"),
    ("while scanning a quoted scalar", "the quoted text is not closed", "a ' within '...' is written twice"),
    ("while scanning a double-quoted scalar", "YAML does not know this `\\` escape", "within '...' nothing is escaped"),
    ("while scanning a block scalar", "the text after `|` or `>` is not indented as it began", "indent with blanks"),
    ("while scanning an alias", "a text cannot begin with `*` unless it is quoted", "write '*...'"),
    ("while scanning an anchor", "a text cannot begin with `&` unless it is quoted", "write '&...'"),
    ("while scanning a tag", "a text cannot begin with `!` unless it is quoted", "write '!...'"),
    ("while parsing a tag", "a text cannot begin with `!` unless it is quoted", "write '!...'"),
    ("while scanning a directive", "a text cannot begin with `%`", _QUOTE),
    ("undefined tag handle", "a text cannot begin with `!` unless it is quoted", "write '!...'"),
    ("expected '<document start>'", "only one document is read, and it goes on here", "is the indentation right?"),
    ("while parsing a node", "a value is expected here", ""),
)

# What is wrong with these is the character that they begin with.
_AT_ITS_BEGINNING = ("while scanning an alias", "while scanning an anchor", "while scanning a tag")


def find_unprintable(text: str, start: int = 0) -> int:
    """The offset of the first character that YAML does not allow, or -1."""
    match = _UNPRINTABLE.search(text, start)
    return match.start() if match else -1


def stray_tab(source: Source, scalars: list[tuple[int, int, bool]]) -> int:
    """The offset of the first tab that stands neither in a quoted or block text nor in a remark, or -1.

    `scalars` are start, end and whether it is plain of all scalars.
    """
    text = source.text
    covered = sorted((start, end) for start, end, plain in scalars if not plain)
    starts = [start for start, _ in covered]
    at = -1
    while (at := text.find("\t", at + 1)) >= 0:
        nearest = bisect_right(starts, at) - 1
        if nearest >= 0 and at < covered[nearest][1]:
            # On with what follows the text.
            at = covered[nearest][1] - 1
            continue
        if not _in_remark(text, at, covered[nearest][1] if nearest >= 0 else 0):
            return at
        # A remark goes on to the end of its line.
        at = text.find("\n", at)
        if at < 0:
            break
    return -1


def _in_remark(text: str, at: int, behind: int) -> bool:
    """Whether a `#` that begins a remark stands on the same line ahead of `at`, and behind the last quoted text."""
    begin = max(text.rfind("\n", 0, at) + 1, behind)
    sharp = text.find("#", begin, at)
    while sharp >= 0 and sharp > 0 and not text[sharp - 1].isspace():
        sharp = text.find("#", sharp + 1, at)
    return sharp >= 0


def explain(error: Exception, source: Source, shift: int) -> InputError:
    """The error for people. `shift` is what must be added to the parser's offsets."""
    problem = str(getattr(error, "problem", "") or getattr(error, "reason", "") or "this is no YAML")
    context = str(getattr(error, "context", "") or "")
    begun = getattr(error, "context_mark", None)
    mark = getattr(error, "problem_mark", None) or begun
    if context.startswith(_AT_ITS_BEGINNING):
        mark = begun or mark
    offset = mark.index + shift if mark is not None else int(getattr(error, "position", 0) or 0)
    offset = min(offset, len(source.text))
    message, advice = _meaning(problem, context)
    related: tuple[Related, ...] = ()
    if begun is not None and mark is not None and begun.line != mark.line:
        opened = begun.index + shift
        related = (Related(source.locate(opened, opened + 1), "it begins here"),)
    return InputError(message, source.locate(offset, offset + 1), "", advice, related)


def _meaning(problem: str, context: str) -> tuple[str, str]:
    for part, message, advice in _MEANINGS:
        if part in problem or part in context:
            return message, advice
    return f"this is no YAML: {problem}", ""
