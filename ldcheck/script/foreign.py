"""What a file that is no script for GNU ld is: a template, a part of one, a version script, another linker's language.

Asked only about a text that GNU ld refuses or skips characters of, or one with `mapping[`; `parse` itself judges as ld
does and knows nothing of this. What is said names the words by which the file was recognised, so that a wrong guess can
be seen as one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ldcheck.script.hints import includes_headers, is_conditional, shorten
from ldcheck.source import Source

# What is left of a text where comments and quoted words are blanks, which keeps offsets as they are.
_BLANKED = r'(?s:/\*.*?(?:\*/|\Z))|"[^"\n]*"|(?m:^[ \t]*#.*$)|//.*'

# What fills in the placeholder, and how such a one is written.
_PLACEHOLDERS = (
    (r"@[A-Za-z_][\w.-]*@", "configure or CMake"),
    # The rest of a division by a symbol is never divided again with blanks like these.
    (r"(?<![\w)%])%[A-Za-z_]\w*%|%%[A-Za-z_]\w*%%", "the build"),
    (r"\$\{[A-Za-z_][\w.]*\}|\$\([A-Za-z_][\w.]*\)", "the build"),
    (r"\{\{[^{}\n]*\}\}|\{%[^\n]{0,200}?%\}", "the build"),
    (r"<%[^\n]{0,200}?%>", "the build"),
)
# What ESP-IDF's generator replaces is the name of a file to ld.
_MAPPING = (r"(?m)^[ \t]*mapping\[\w+\][ \t]*$", "ESP-IDF's ldgen")
_CONTINUED = r"\\[ \t]*$"
_VERSIONS = r"\s*(?:VERSION\s*\{\s*)?(?:[\w.$+-]+\s*)?\{\s*(?:(?:global|local)\s*:|(?:[\w.*?$]+\s*;\s*)+\})"
# Words that only the language of that linker has at such a place.
_CODEWARRIOR = (
    r"\b(?:KEEP_SECTION|FORCE_ACTIVE|REF_INCLUDE)\s*\{|\}\s*>>\s*\w+|\bGROUP\s*:\s*\{"
    r"|\(VLECODE\)|(?m:^[ \t]*(?:EXCEPTION|STATICINIT)\s*$)"
)
_SCATTER = r"(?m)^[ \t]*\w+[ \t]+(?:0x[\da-fA-F]+|\+\d+)(?:[ \t]+(?:0x[\da-fA-F]+|[A-Z]+)){0,9}\s*\{"
_LANGUAGES = (
    (r"(?m)^[ \t]*(?:DEFAULTS\s*\{|OPTION\s*\()", "Green Hills' linker"),
    (r"(?m)^[ \t]*\.[\w.$]{1,200}[^{};=\n]{0,200}:\s*>\s*[\w.]+", "Green Hills' or TI's linker"),
    (_CODEWARRIOR, "CodeWarrior"),
    (r"(?m)^[ \t]*(?:define\s+(?:symbol|region|block|memory)|place\s+(?:in|at))\b", "IAR's linker"),
    (_SCATTER, "Arm's linker, a scatter file"),
    (r"(?m)^[ \t]*(?:PRINT|LINKER_PLUGIN|PLUGIN_\w+)\s*\(", "Qualcomm's eld"),
)
_PARTS = (
    ("SECTIONS {\n", "\n}", "in SECTIONS"),
    ("MEMORY {\n", "\n}", "in MEMORY"),
    ("PHDRS {\n", "\n}", "in PHDRS"),
    ("SECTIONS { .part : {\n", "\n} }", "in an output section"),
)
# In an output section any word is the name of a file, so that prose would do there: an input statement comes first.
_STATEMENT = r"\s*(?:KEEP\s*\(\s*)?[\w*?.:/-]+\s*\("
# No part of a script that people write is longer, and each way to complete it is a parse.
_LONGEST_PART = 1 << 18


class Foreign(NamedTuple):
    """What the text is, at the place of the words that told; `help` is what to check instead."""

    message: str
    start: int
    end: int
    help: str


def is_version_script(text: str) -> bool:
    """Whether a text names the versions of a library's symbols; such a file may be called `.lds` as well."""
    return re.match(_VERSIONS, _bare(text)) is not None


def is_unpreprocessed(text: str) -> bool:
    """Whether a text is written for the preprocessor, whatever its name.

    It has conditions, includes headers, or has lines to be joined. GNU ld takes the first two for comments, and what
    stands under either branch for what is there.
    """
    return is_conditional(text) or includes_headers(text) or _joins_lines(text)


def _joins_lines(text: str) -> bool:
    return re.search(f"(?m){_CONTINUED}", _bare(text)) is not None


def recognise(text: str, *, refused: bool) -> Foreign | None:
    """What a text is that is no script for GNU ld; None where nothing tells. `refused`: ld ends with a syntax error.

    Without an error only a template is told: a script whose `@NAME@` ld skips is none that anybody links with.
    """
    bare = _bare(text)
    return _template(bare, refused) or (_other(bare) or _part(text, bare) if refused else None)


def _bare(text: str) -> str:
    """The text with blanks for comments and quoted words."""
    return re.sub(_BLANKED, lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _template(bare: str, refused: bool) -> Foreign | None:
    for pattern, filler in (_MAPPING, *(_PLACEHOLDERS if refused else _PLACEHOLDERS[:2])):
        if found := re.search(pattern, bare):
            return Foreign(
                f"this is a template: `{shorten(found[0].strip())}` is still to be filled in",
                *found.span(),
                f"check the script that {filler} makes of it",
            )
    return None


def _other(bare: str) -> Foreign | None:
    if found := re.match(_VERSIONS, bare):
        start = len(found[0]) - len(found[0].lstrip())
        return Foreign(
            "this is a version script: it says which symbols a library exports, and places nothing",
            start,
            found.end(),
            "check the linker script instead; ld takes this one by --version-script",
        )
    for pattern, whose in _LANGUAGES:
        if found := re.search(pattern, bare):
            start = found.end() - len(found[0].lstrip())
            words = " ".join(found[0].split())
            return Foreign(
                f"this is no script for GNU ld: `{shorten(words)}` is the language of {whose}",
                start,
                found.end(),
                "only scripts for GNU ld and lld can be checked",
            )
    if found := re.search(f"(?m){_CONTINUED}", bare):
        return Foreign(
            "this has to go through the preprocessor first: only it joins lines that end in `\\`",
            found.start(),
            found.start() + 1,
            "check what the preprocessor makes of it, or say `preprocessor: compiler` for its target in .ldcheck.yaml",
        )
    return None


def _part(text: str, bare: str) -> Foreign | None:
    """Whether the text is a whole inside of some command; the script that includes it has the command."""
    from ldcheck.script.parser import parse

    if len(text) > _LONGEST_PART:
        return None
    start = len(bare) - len(bare.lstrip())
    first = re.match(r"\S+", bare[start:])
    if first is None or re.search(r"\bSECTIONS\s*\{", bare):
        return None
    for before, behind, where in _PARTS if re.match(_STATEMENT, bare) else _PARTS[:-1]:
        problems = parse(Source("part", before + text + behind)).problems
        if not any(problem.severity == "error" for problem in problems):
            return Foreign(
                f"this is a part of a script: what it says stands {where} of another file",
                start,
                start + first.end(),
                "check the script that includes it",
            )
    return None
