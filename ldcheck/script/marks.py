"""Symbols that mark a place: what an assignment says of the location counter, and a symbol's name of what it bounds."""

from __future__ import annotations

import re

from ldcheck.script.expressions import constant
from ldcheck.script.syntax import Assignment, Call, Name, Word


def marks_a_place(assignment: Assignment) -> bool:
    """Whether a symbol is given the location counter (also aligned, or ABSOLUTE), so that its place is its address."""
    value = assignment.value
    while isinstance(value, Call) and value.function in ("ALIGN", "ABSOLUTE"):
        if len(value.arguments) == 1 and value.function == "ALIGN":
            return True
        inner = value.arguments[0]
        if isinstance(inner, Word):
            return False
        value = inner
    return isinstance(value, Name) and value.name == "." and assignment.operator == "="


def step_of(assignment: Assignment) -> int | None:
    """The boundary of `symbol = ALIGN(n)` of the location counter; 0 if it is no number; None for what is none."""
    value = assignment.value
    if not isinstance(value, Call) or assignment.operator != "=":
        return None
    if value.function != "ALIGN" or len(value.arguments) != 1 or isinstance(value.arguments[0], Word):
        return None
    return constant(value.arguments[0]) or 0


_ENDS = frozenset(("end", "stop"))
_STARTS = frozenset(("start", "begin"))


def names_an_end(symbol: str) -> bool:
    """Whether a symbol is by its name the end of what stands in front of it: `__end_once`, `__stop___x`."""
    return bool(_ENDS & _outer_words(symbol))


def names_a_start(symbol: str) -> bool:
    """Whether a symbol is by its name the start of what stands behind it."""
    return bool(_STARTS & _outer_words(symbol)) and not names_an_end(symbol)


# What tells a start from an end: a word anywhere, or one letter in front (`_sdata`, `_edata`, `edata`).
_BOUND = re.compile(r"start|begin|base|end|stop|limit|(?<![a-z])(?:from|to|first|last|head|tail)(?![a-z])")
_LETTER = re.compile(r"^_*[se](?=[a-z])")


def stem(symbol: str) -> str:
    """What a start and an end have in common: of `__start_x`, `_ex`, `x_end`."""
    symbol = symbol.lower()
    without = _BOUND.sub("", symbol)
    return (without if without != symbol else _LETTER.sub("", symbol)).strip("_")


def is_start_to_end(start: Assignment, end: Assignment) -> bool:
    """Whether two symbols are by their names the start and the end of one thing, and mark places."""
    return (
        marks_a_place(start)
        and marks_a_place(end)
        and not names_an_end(start.target.text)
        and not names_a_start(end.target.text)
        and start.target.text != end.target.text
        and stem(start.target.text) == stem(end.target.text)
    )


def _outer_words(symbol: str) -> set[str]:
    words = symbol.lower().strip("_").split("_")
    return {words[0], words[-1]}


def range_of(symbol: str) -> str:
    """What a symbol that is a start or an end by its name is the bound of: `x` of `__start_x` and of `x_end`."""
    words = symbol.lower().strip("_").split("_")
    return "_".join(word for word in words if word not in _ENDS and word not in _STARTS)
