"""The words of the linker script language: GNU ld's lexical states, and the numbers.

GNU ld has no one set of words. What a character means depends on what the parser is about: `a-b` is a subtraction in an
expression and one name outside of it. Each state (ldlex.l: SCRIPT, EXPRESSION, WILD, INPUTLIST, VERS_START,
VERS_SCRIPT, VERS_NODE) is one regular expression here, and a table of the names that are keywords in it. The parser
says for each token in which state it is to be read.

The alternatives of a state are ordered so that the first match is the one flex takes: the longest, and of two equally
long ones the earlier rule. MRI scripts are left out.
"""

from __future__ import annotations

import re
from functools import cache

# The groups that every state's expression has; `Match.lastindex` says which one matched. The end of the text matches
# without a group.
NAME, PUNCTUATION, NUMBER, QUOTED, OTHER, UNCLOSED = range(1, 7)

# Blanks, comments in C's form and from `#` to the end of the line. A NUL character ends a comment's text for GNU ld,
# which then complains of the end of the file.
_COMMENT = r"/\*[^*\0]*+\*++(?:[^/*\0][^*\0]*+\*++)*+/"
_SKIP = rf"(?:[ \t\r\n]++|{_COMMENT}|\#[^\n]*+)*+"
_SKIP_LIST = rf"(?:[ \t\r\n]++|{_COMMENT})*+"
_QUOTED = r'"([^"]*)"'
_NEVER = r"((?!))"
# Characters that no state has a rule for; whole runs of those that are in no token at all.
_OTHER = r"((?:[@`']|[^\t\n\r -~])++|(?!/\*)[\s\S])"
_UNCLOSED = r"(/\*)"

_FILE_FIRST = r"[_a-zA-Z/.\\$~]"
_FILE_NEXT = r"[_a-zA-Z0-9/.\\$~\-+:\[\],=]"
_SYMBOL_FIRST = r"[_a-zA-Z.\\$]"
_SYMBOL_NEXT = r"[_a-zA-Z0-9/.\\$~]"
_WILD = r"[_a-zA-Z0-9/.\\$~\-+:\[\],=?*^!]"

_PLAIN_NUMBER = r"(?:\$|0[xX])[0-9A-Fa-f]+[MKmk]?|[0-9]+[MKmk]?"


State = re.Pattern[str]


def _state(skip: str, *groups: str) -> re.Pattern[str]:
    return re.compile(f"{skip}(?:{'|'.join(groups)}|\\Z)")


def _script_state(following: str) -> State:
    """The state SCRIPT, where `following` are the characters inside of names."""
    signs = rf"/\*|/=(?!{following})|~(?!{following})|\$[0-9A-Fa-f]+[MKmk]?(?!{following})"
    return _state(
        _SKIP,
        rf"(?!{signs})({_FILE_FIRST}{following}*+)",
        r"(<<=|>>=|[-+*/&|^]=|[>,~!+\-=}{)(:;])",
        rf"({_PLAIN_NUMBER})",
        _QUOTED,
        _OTHER,
        _UNCLOSED,
    )


def _wild_state(character: str, signs: str) -> State:
    """The state WILD, where `character` are the characters of names, and `signs` more that stand alone."""
    return _state(
        _SKIP,
        rf"(?!/\*|(?:[-+*/]?=|[\[\]])(?!{character}))({character}++)",
        rf"(<<=|>>=|[-+*/&|]=|[\[\]=}}{{)(;&{signs}])",
        _NEVER,
        _QUOTED,
        _OTHER,
        _UNCLOSED,
    )


SCRIPT = _script_state(_FILE_NEXT)
WILD = _wild_state(_WILD, "")

# A word of hexadecimal digits with a base's letter behind it is a number, even where it looks like a name.
EXPRESSION = _state(
    _SKIP,
    rf"(?!(?:[0-9A-Fa-f]+[HhXxBbOoDd]|\$[0-9A-Fa-f]+[MKmk]?)(?!{_SYMBOL_NEXT}))"
    rf"({_SYMBOL_FIRST}{_SYMBOL_NEXT}*+|/DISCARD/)",
    r"(?!/\*)(<<=?|>>=?|[-+*/&|^=!<>]=|\|\||&&|[-+*/%&|^<>=!~?:;,(){}])",
    r"(\$[0-9A-Fa-f]+[MKmk]?|0[xX][0-9A-Fa-f]+[MKmk]?|[0-9A-Fa-f]+[HhXxBbOoDd]|[0-9]+[MKmk]?)",
    _QUOTED,
    _OTHER,
    _UNCLOSED,
)


# The states that few scripts need are compiled when one does.


@cache
def input_list() -> State:
    """INPUTLIST: the files of INPUT and GROUP."""
    return _state(
        _SKIP_LIST,
        rf"(?!/\*)(=?{_FILE_FIRST}{_FILE_NEXT}*+|-l{_FILE_NEXT}++)",
        r"([,()])",
        _NEVER,
        _QUOTED,
        _OTHER,
        _UNCLOSED,
    )


@cache
def version_start() -> State:
    """VERS_START: in front of the brace of VERSION."""
    return _state(_SKIP, _NEVER, r"(\{)", _NEVER, _NEVER, _OTHER, _UNCLOSED)


@cache
def version_script() -> State:
    """VERS_SCRIPT: the names of versions."""
    return _state(_SKIP, r"([.$_a-zA-Z][._a-zA-Z0-9]*+)", r"([:,;{}])", _NEVER, _NEVER, _OTHER, _UNCLOSED)


@cache
def version_node() -> State:
    """VERS_NODE: the symbols of a version."""
    first, following = r"[*?.$_a-zA-Z\[\]\-!^\\]", r"[*?.$_a-zA-Z0-9\[\]\-!^\\]"
    return _state(_SKIP, rf"({first}(?:{following}|::)*+)", r"([:,;{}])", _NEVER, _QUOTED, _OTHER, _UNCLOSED)


@cache
def lld_states() -> tuple[State, State]:
    """SCRIPT and WILD as lld reads them: a comma is never a part of a name."""
    without = tuple(characters.replace(",", "") for characters in (_FILE_NEXT, _WILD))
    return _script_state(without[0]), _wild_state(without[1], ",")


def _words(*lines: str) -> dict[str, str]:
    return {word: word for line in lines for word in line.split()}


_EVERYWHERE = "ASSERT AT HIDDEN INCLUDE PROVIDE PROVIDE_HIDDEN"
_BOTH = (
    "ABSOLUTE ADDR ALIGN ALIGNOF ALIGN_WITH_INPUT BIND BLOCK CONSTANT DATA_SEGMENT_ALIGN DATA_SEGMENT_END "
    "DATA_SEGMENT_RELRO_END DEFINED LENGTH LOADADDR LOG2CEIL MAX MIN NEXT NOCROSSREFS NOCROSSREFS_TO ONLY_IF_RO "
    "ONLY_IF_RW ORIGIN OVERLAY SEGMENT_START SIZEOF SIZEOF_HEADERS SPECIAL SUBALIGN"
)

SCRIPT_KEYWORDS = _words(
    _EVERYWHERE,
    _BOTH,
    "AFTER BEFORE ENTRY EXTERN FLOAT FORCE_COMMON_ALLOCATION FORCE_GROUP_ALLOCATION GROUP HLL "
    "INHIBIT_COMMON_ALLOCATION INPUT INSERT LD_FEATURE MAP MEMORY NOFLOAT OUTPUT OUTPUT_ARCH OUTPUT_FORMAT "
    "PHDRS REGION_ALIAS SEARCH_DIR SECTIONS STARTUP SYSLIB TARGET VERSION",
) | {"o": "ORIGIN", "org": "ORIGIN", "l": "LENGTH", "len": "LENGTH"}

EXPRESSION_KEYWORDS = _words(_EVERYWHERE, _BOTH, "COPY DSECT INFO NOLOAD READONLY TYPE")

WILD_KEYWORDS = _words(
    _EVERYWHERE,
    "BYTE CONSTRUCTORS CREATE_OBJECT_SYMBOLS EXCLUDE_FILE FILL INPUT_SECTION_FLAGS KEEP LONG QUAD SHORT "
    "SORT_BY_ALIGNMENT SORT_BY_INIT_PRIORITY SORT_BY_NAME SORT_NONE SQUAD",
) | {"SORT": "SORT_BY_NAME"}

INPUTLIST_KEYWORDS = _words("AS_NEEDED")
VERSION_NODE_KEYWORDS = _words("global local extern")

# How strongly binary operators bind; `?:` binds less, unary operators more.
PRIORITY = {
    "||": 1,
    "&&": 2,
    "|": 3,
    "^": 4,
    "&": 5,
    "==": 6,
    "!=": 6,
    "<": 7,
    ">": 7,
    "<=": 7,
    ">=": 7,
    "<<": 8,
    ">>": 8,
    "+": 9,
    "-": 9,
    "*": 10,
    "/": 10,
    "%": 10,
}

MAX = (1 << 64) - 1
_BASES = {"h": 16, "x": 16, "o": 8, "b": 2, "d": 10}
_DIGITS = "0123456789abcdef"


def _leading(text: str, base: int) -> int:
    """The number that C's strtoul reads from the beginning of `text`; 64 bits, and the largest of them if too big."""
    digits = text[: len(text) - len(text.lstrip(_DIGITS[:base]))].lstrip("0")
    # More digits than 64 of the smallest base are too many; Python refuses to convert very long ones.
    return MAX if len(digits) > 64 else min(int(digits or "0", base), MAX)


def number_of_lld(text: str) -> int | None:
    """The value of a number as lld reads it (ScriptParser.cpp: parseInt); None for what is a name there.

    `0x` or a trailing h is hexadecimal, all else decimal; K and M multiply.
    """
    low = text.lower()
    base, digits, factor = 10, low, 1
    if low.startswith("0x"):
        base, digits = 16, low[2:]
    elif low.endswith("h"):
        base, digits = 16, low[:-1]
    elif low.endswith(("k", "m")):
        digits, factor = low[:-1], 1024 if low[-1] == "k" else 1 << 20
    if not digits or digits.strip(_DIGITS[:base]):
        return None
    return _leading(digits, base) * factor & MAX


def number(text: str) -> int:
    """The value of a number as GNU ld reads it, 64 bits (ldlex.l, bfd_scan_vma).

    `0x` and `$` are hexadecimal, a leading 0 octal, a trailing h or x, o, b, d gives the base, K and M multiply. Digits
    that the base does not have end the number: `09` is 0.
    """
    low = text.lower()
    if low[0] == "$":
        value = _leading(low[1:], 16)
    elif low[:2] == "0x" and len(low) > 2:
        value = _leading(low[2:], 16)
    elif low[-1] in _BASES:
        return _leading(low, _BASES[low[-1]])
    elif low[0] == "0":
        value = _leading(low, 8)
    else:
        value = _leading(low, 10)
    if low[-1] == "k":
        return value * 1024 & MAX
    if low[-1] == "m":
        return value * 1024 * 1024 & MAX
    return value
