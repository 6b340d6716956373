"""What PyYAML's errors mean to a person who writes policies. Only imported when there is an error to explain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ldcheck.findings import InputError
from ldcheck.source import Related, Source

if TYPE_CHECKING:
    from yaml import YAMLError

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


def find_unprintable(text: str, start: int = 0) -> int:
    """The offset of the first character that YAML does not allow, or -1."""
    match = _UNPRINTABLE.search(text, start)
    return match.start() if match else -1


def explain(error: YAMLError, source: Source, shift: int) -> InputError:
    """The error for people. `shift` is what must be added to the parser's offsets."""
    problem = str(getattr(error, "problem", "") or getattr(error, "reason", "") or "this is no YAML")
    context = str(getattr(error, "context", "") or "")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    offset = mark.index + shift if mark is not None else int(getattr(error, "position", 0) or 0)
    offset = min(offset, len(source.text))
    message, advice = _meaning(problem, context)
    related: tuple[Related, ...] = ()
    begun = getattr(error, "context_mark", None)
    if begun is not None and mark is not None and begun.line != mark.line:
        opened = begun.index + shift
        related = (Related(source.locate(opened, opened + 1), "it begins here"),)
    return InputError(message, source.locate(offset, offset + 1), "", advice, related)


def _meaning(problem: str, context: str) -> tuple[str, str]:
    for part, message, advice in _MEANINGS:
        if part in problem or part in context:
            return message, advice
    return f"this is no YAML: {problem}", ""
