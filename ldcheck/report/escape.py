"""Makes text that comes from a file, an ELF or a command line harmless wherever it is shown.

A section may be called `::error::`, a file may hold escape sequences that rewrite a terminal, and a bidi control can
turn an excerpt into a lie. `printable` is what every format starts from; each format then escapes what is special to
it with a function of this module, so that there is one place to look at.
"""

from __future__ import annotations

import re

from ldcheck.source import visible

# Commands that a CI runner reads from plain output. GitHub's runner takes `::command::` after leading blanks and
# `##[command]` anywhere in a line (actions/runner, ActionCommand.cs); Azure `##vso[`, TeamCity `##teamcity[`.
_COLONS = r"(?m)^(\s*)::"
_HASHES = r"##(?=\w*\[)"


def printable(text: str) -> str:
    r"""`text` on one line, with everything invisible or active shown as a visible escape.

    Control characters become `\n`, `\t`, `\x1b`; bidi, zero-width and other format characters, unusual blanks, line
    separators and unassigned code points `\u202e`; a byte that was not UTF-8 (a surrogate of `decode`) `\x80`.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else visible(character) for character in text)


def clipped(text: str, most: int = 300) -> str:
    """`printable`, with the middle of what is longer than `most` characters left out: for names of any length."""
    if len(text) > most:
        text = f"{text[: most // 2]}...{text[len(text) - most // 2 :]}"
    return printable(text)


def log_text(text: str) -> str:
    """Lines for a log that a CI runner may read: none of them is taken for a command of the runner.

    GitLab's `section_start` needs a carriage return and an escape character, which `printable` leaves none of.
    """
    return re.sub(_HASHES, r"#\\x23", re.sub(_COLONS, r"\1\\x3a:", text))


def command_message(text: str) -> str:
    """The message of a GitHub workflow command; line ends in `text` stay line ends in the annotation."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def command_property(text: str) -> str:
    """A property (`file=`, `title=`) of a GitHub workflow command."""
    return command_message(text).replace(":", "%3A").replace(",", "%2C")


def markup(text: str) -> str:
    """Text for HTML and XML, in content and in quoted attributes."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")


# What Markdown, or a host of Markdown (mentions, issue numbers, bare links), makes something of.
_ACTIVE = frozenset("\\`*_[]<>#|&~$:@\"'")


def inert(text: str) -> str:
    """Text for Markdown that stays plain text, in tables and in HTML elements too."""
    shown = "".join(f"&#{ord(character)};" if character in _ACTIVE else character for character in text)
    # A host looks for mentions after it has resolved entities; an empty comment comes between the sign and the name.
    return shown.replace("&#64;", "&#64;<!-- -->").replace("www.", "www&#46;")
