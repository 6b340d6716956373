"""What to do about the mistakes that people make in linker scripts. Text only; the parser says when."""

from __future__ import annotations

import re

SORT_NESTING = "SORT_BY_NAME and SORT_BY_ALIGNMENT nest in each other, once; nothing else does"
SORT_ONE = "a SORT takes one pattern; write one for each"
EXCLUDE_INSIDE = "EXCLUDE_FILE goes inside: SORT(EXCLUDE_FILE(file) pattern)"
HEADER = "the order is `name address (TYPE) : AT() ALIGN() ALIGN_WITH_INPUT SUBALIGN() ONLY_IF_RO {`"
AFTER_BODY = "the order behind a body is `>region AT>region :header =fill`"
KEEP_ONE = "KEEP takes one input section description; write one for each"
SEMICOLON = "directly in SECTIONS, `;` may only end an assignment"
PREPROCESS = "the script has `#if` and the like, which GNU ld takes for comments: run the preprocessor first"
MEMORY_LIMIT = "GNU ld's parser runs out of memory here"

_SLASHES = "`//` begins no comment: write `/* ... */`"
_BLANKS = "outside of expressions `{}` is part of a name: put blanks around it"

# Compiled when one is needed, which is where something is wrong.
_COMMENT_OF_CPP = r"(?:^|[\s;{}])//"
_DIRECTIVE = r"(?sm)/\*.*?\*/|^[ \t]*#[ \t]*(include|define|undef|if|ifdef|ifndef|else|elif|endif)\b"
_HEADER = r"(?sm)/\*.*?\*/|^[ \t]*#[ \t]*(include)[ \t]*(?:<[^>\n]+>|\"[^\"\n]+\")"
_OPENING = ("if", "ifdef", "ifndef")
_ASSIGNED = r"\s*(?:[-+*/&|]|<<|>>)?=(?!=)"
_GLUED = r"(?<![^\s(;{}])([A-Za-z_.][\w.]*[=,:])\s*$"
_NUMBER = r"\d[\da-fA-FxX]*$"


def shorten(text: str, limit: int = 40) -> str:
    """`text` on one line, cut in the middle if it is long."""
    if len(text) > limit:
        text = f"{text[: limit // 2]}...{text[-limit // 4 :]}"
    return text.replace("\n", " ").replace("\r", " ")


def first_directive(text: str) -> re.Match[str] | None:
    """The first line that only a preprocessor understands, outside of comments."""
    if "#" not in text:
        return None
    return next((found for found in re.finditer(_DIRECTIVE, text) if found[1]), None)


def is_conditional(text: str) -> bool:
    """Whether a text has conditions of the preprocessor, outside of comments, that all end."""
    if "#" not in text:
        return False
    found = [one[1] for one in re.finditer(_DIRECTIVE, text) if one[1]]
    opened = sum(word in _OPENING for word in found)
    return 0 < opened == found.count("endif")


def includes_headers(text: str) -> bool:
    """Whether a text includes files as C does, outside of comments."""
    return any(one[1] for one in re.finditer(_HEADER, text)) if "#" in text else False


def for_error(text: str, start: int, end: int, keyword: bool) -> str:
    """A hint for a syntax error at the token text[start:end]; empty if none fits. `keyword`: it is no name there."""
    token = text[start : min(end, start + 40)]
    before = text[max(start - 30, 0) : start]
    if token in ("G", "g", "T") and re.search(_NUMBER, before):
        return "GNU ld has the suffixes K and M only: write 1024M for 1G"
    if re.search(_COMMENT_OF_CPP, _lines_around(text, start, end)):
        return _SLASHES
    if token in ("len", "l") and not keyword:
        return f"behind an expression, `{token}` is a name: put a comma in between, or write LENGTH"
    if glued := re.search(_GLUED, before):
        return f"`{glued[1]}` is one name, with the `{glued[1][-1]}`: put a blank ahead of it"
    if keyword and token.isidentifier() and re.match(_ASSIGNED, text[end : end + 1000]):
        return f'`{token}` is a keyword here; in quotes ("{token}") it is a name'
    return ""


def for_name(name: str) -> str:
    """A hint for a name where something else should have followed it; empty if none fits."""
    if name.startswith("//"):
        return _SLASHES
    for operator in ("=", ":", "+", "-", ","):
        if operator in name[1:]:
            return _BLANKS.format(operator)
    return ""


def for_skipped(text: str, at: int) -> str:
    """A hint for a character that GNU ld skips."""
    character = text[at]
    if character == '"':
        return "the quotation mark has no partner"
    if character == "'":
        return 'names are quoted with `"`'
    return ""


def for_file(name: str) -> str:
    """A hint for a file name in an output section that was probably not meant as one; empty for others."""
    if name.startswith("//"):
        return _SLASHES
    if "=" in name:
        return "put blanks around `=` to make it an assignment"
    if name == "COMMON":
        return "write *(COMMON) for common symbols"
    if name.startswith(".") and name[1:2].isalpha() and "/" not in name:
        return f"write *({name}) for the sections of that name"
    return ""


def for_flat_body(text: str, at: int) -> str:
    """A hint for a `{` inside the body of an output section."""
    if text[max(at - 200, 0) : at].rstrip().endswith(":"):
        return "a new output section begins here: is the `}` of the one above missing?"
    return ""


def _lines_around(text: str, start: int, end: int) -> str:
    """The line of a token and the one above it, as far as they are of a sensible length."""
    least = max(start - 400, 0)
    first = text.rfind("\n", least, start)
    first = text.rfind("\n", least, first) if first >= 0 else first
    last = text.find("\n", end, end + 400)
    return text[max(first + 1, least) : last if last >= 0 else min(end, start + 400)]
