"""Macros that nobody defined: calls of them, which make no script, and names in expressions, which are unknown values.

A name is taken for a macro's by its spelling, in capitals, as Linux, Xen and firmware write them. A symbol of the
linker's may be written so too (`_end` is not, `RAM_START` may be): such a name in an expression is no error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ldcheck.findings import InputError
from ldcheck.source import Source

if TYPE_CHECKING:
    from ldcheck.preprocess.origin import MacroOrigin
    from ldcheck.script.syntax import Name, Script

_CAPITALS = re.compile(r"_{0,2}[A-Z][A-Z0-9_]+\Z")
_CALL = re.compile(r'"[^"\n]*"|(?<![\w.$/*?~-])([A-Za-z_]\w*)[ \t]*\(')
# Every word of the linker's language that may stand before a parenthesis (ldlex.l).
_WORDS = frozenset(
    """ABSOLUTE ADDR ALIGN ALIGNOF AS_NEEDED ASCIZ ASSERT AT BIND BLOCK BYTE CLASS CONSTANT CONSTRUCTORS COPY
    DATA_SEGMENT_ALIGN DATA_SEGMENT_END DATA_SEGMENT_RELRO_END DEFINED DSECT ENTRY EXCLUDE_FILE EXTERN FILL FLAGS
    FORCE_COMMON_ALLOCATION FORCE_GROUP_ALLOCATION GROUP HIDDEN HLL INFO INHIBIT_COMMON_ALLOCATION INPUT
    INPUT_SECTION_FLAGS KEEP LD_FEATURE LEN LENGTH LOADADDR LOG2CEIL LONG MAP MAX MEMORY MIN NEXT NOCROSSREFS
    NOCROSSREFS_TO NOLOAD ORG ORIGIN OUTPUT OUTPUT_ARCH OUTPUT_FORMAT OVERLAY OVERWRITE_SECTIONS PHDRS PROVIDE
    PROVIDE_HIDDEN QUAD READONLY REGION_ALIAS REVERSE SEARCH_DIR SECTIONS SEGMENT_START SHORT SIZEOF SIZEOF_HEADERS SORT
    SORT_BY_ALIGNMENT SORT_BY_INIT_PRIORITY SORT_BY_NAME SORT_NONE SPECIAL SQUAD STARTUP SUBALIGN SYSLIB TARGET TYPE
    VERSION""".split()  # noqa: SIM905  # seventy quoted words read worse
)


def looks_like_macro(name: str) -> bool:
    """Whether a name is spelled as macros are."""
    return _CAPITALS.match(name) is not None


def undefined_calls(
    source: Source, origin: MacroOrigin, is_macro: Callable[[str], bool], seen: set[str]
) -> list[InputError]:
    """Calls of macros that are not defined, each at its place: a name before parentheses that is no word of ld's.

    `is_macro` tells the names that the sources define somewhere: calls of these count however they are spelled. Lines
    that are in `seen` had nothing of the kind in another configuration; what had not here is added.
    """
    errors = []
    offset = 0
    for line in source.text.split("\n"):
        if line not in seen:
            found = _calls_in(source, offset, line, origin, is_macro)
            if not found:
                seen.add(line)
            errors += found
        offset += len(line) + 1
    return errors


def _calls_in(
    source: Source, offset: int, line: str, origin: MacroOrigin, is_macro: Callable[[str], bool]
) -> list[InputError]:
    errors = []
    for match in _CALL.finditer(line):
        name = match.group(1)
        if name is None or name in _WORDS or _declares(source.text, offset + match.end()):
            continue
        known = is_macro(name)
        if not known and not looks_like_macro(name):
            continue
        start, end = offset + match.start(1), offset + match.end(1)
        advice = "is the header that defines it included, and its condition met?" if known else ""
        message = f"{name} is called like a macro, and none of that name is defined"
        location, related = origin.locate(source, start, end), origin.related(source, start, end)
        errors.append(InputError(message, location, help=advice, related=related))
    return errors


def _declares(text: str, at: int) -> bool:
    """Whether the parentheses that open before `at` end in front of a colon: a region's or a section's."""
    depth = 1
    size = min(len(text), at + 400)
    while at < size and depth:
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return text[at : at + 80].lstrip().startswith(":")


def undefined_macros(tree: Script) -> tuple[Name, ...]:
    """Names in expressions that look like macros and that nothing in the script assigns, each once, in order."""
    from ldcheck.script.syntax import Assignment, Name, walk

    assigned: set[str] = set()
    named: dict[str, Name] = {}
    for node in walk(tree):
        if isinstance(node, Assignment):
            assigned.add(node.target.text)
        elif isinstance(node, Name) and not node.quoted and looks_like_macro(node.name):
            named.setdefault(node.name, node)
    return tuple(_without(named, assigned))


def _without(named: dict[str, Name], assigned: set[str]) -> Iterator[Name]:
    for name, node in named.items():
        if name not in assigned:
            yield node
