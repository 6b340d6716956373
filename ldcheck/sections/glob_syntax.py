"""Glob patterns as fnmatch(3) of the GNU C library reads them, turned into tokens.

Left out: locales. Ranges and classes such as `[[:alpha:]]` are those of the C locale, which ld uses for collation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# A token is one literal character, a set of characters as sorted disjoint ranges of code points, or STAR.
Ranges = tuple[tuple[int, int], ...]
Token = str | Ranges | None
Tokens = tuple[Token, ...]

STAR: None = None
LAST = 0x10FFFF
ANY_CHARACTER: Ranges = ((1, LAST),)

_CLASSES: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((1, 31), (127, 127)),
    "digit": ((48, 57),),
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}


def accepts(token: Token, character: str) -> bool:
    """Whether a token other than STAR takes a character."""
    if isinstance(token, str):
        return token == character
    code = ord(character)
    return token is not None and any(low <= code <= high for low, high in token)


def fnmatch_tokens(pattern: str) -> Tokens | None:
    """A pattern as fnmatch(3) of the GNU C library reads it, without flags; None if it matches nothing at all."""
    tokens: list[Token] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            if not tokens or tokens[-1] is not STAR:
                tokens.append(STAR)
        elif character == "?":
            tokens.append(ANY_CHARACTER)
        elif character == "\\":
            if at == len(pattern):
                return None
            tokens.append(pattern[at])
            at += 1
        elif character == "[":
            taken, at = _bracket(pattern, at)
            if not taken:
                return None
            tokens.append(_simplest(taken))
        else:
            tokens.append(character)
    return tuple(tokens)


def _simplest(taken: Ranges) -> Token:
    if len(taken) == 1 and taken[0][0] == taken[0][1]:
        return chr(taken[0][0])
    return taken


def _bracket(pattern: str, start: int) -> tuple[Ranges, int]:
    """The set that a bracket expression stands for, and where the pattern goes on; `start` is behind the `[`.

    A bracket that is never closed is an ordinary `[`, unless its content takes a `[` itself.
    """
    at = start
    negated = pattern[at : at + 1] in ("!", "^")
    if negated:
        at += 1
    found: list[tuple[int, int]] = []
    broken = False
    first = True
    while True:
        character = pattern[at : at + 1]
        if character == "":
            opening = any(low <= 0x5B <= high for low, high in found)
            return (() if opening or broken else ((0x5B, 0x5B),)), start
        if character == "]" and not first:
            at += 1
            break
        first = False
        members, after, sound = _member(pattern, at)
        if not sound and after >= len(pattern):
            return (), after
        # fnmatch gives up at an invalid member: what was listed ahead of it still matches.
        broken = broken or not sound
        if not broken:
            found.extend(members)
        at = after
    taken = normal(found)
    if not negated:
        return taken, at
    return (() if broken else complement(taken)), at


def _member(pattern: str, at: int) -> tuple[list[tuple[int, int]], int, bool]:
    """One member of a bracket expression: what it takes, where the next begins, and whether fnmatch accepts it."""
    opening = pattern[at : at + 2]
    if opening == "[:":
        close = pattern.find(":]", at + 2)
        name = pattern[at + 2 : close] if close >= 0 else "?"
        if name.isascii() and name.isalpha() and name.islower() and "z" not in name:
            return list(_CLASSES.get(name, ())), close + 2, name in _CLASSES
    elif opening == "[=":
        if pattern[at + 3 : at + 5] != "=]" or at + 2 >= len(pattern):
            return [], len(pattern), False
        code = ord(pattern[at + 2])
        return [(code, code)], at + 5, True
    low, after = _end_point(pattern, at)
    if low < 0:
        return [], after, False
    if pattern[after : after + 1] != "-" or pattern[after + 1 : after + 2] == "]":
        return [(low, low)], after, True
    if after + 1 >= len(pattern):
        return [], len(pattern), False
    high, after = _end_point(pattern, after + 1)
    if high < 0:
        return [], after, False
    return ([(low, high)] if low <= high else []), after, True


def _end_point(pattern: str, at: int) -> tuple[int, int]:
    """A character of a bracket expression, plain, escaped or as `[.x.]`; code point -1 where fnmatch gives up."""
    if pattern.startswith("[.", at):
        close = pattern.find(".]", at + 3)
        if close < 0:
            return -1, len(pattern)
        name = pattern[at + 2 : close]
        return (ord(name) if len(name) == 1 else -1), close + 2
    if pattern[at] == "\\":
        at += 1
        if at >= len(pattern):
            return -1, at
    return ord(pattern[at]), at + 1


def normal(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Sorted, disjoint and maximal ranges of the same code points."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def complement(ranges: Ranges) -> Ranges:
    """Every other code point except NUL, which ends names."""
    gaps: list[tuple[int, int]] = []
    start = 1
    for low, high in ranges:
        if low > start:
            gaps.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        gaps.append((start, LAST))
    return tuple(gaps)


def ending_in(tokens: Tokens, suffix: str) -> Iterator[Tokens]:
    """The part of the language of `tokens` whose names end in the literal `suffix`, as token sequences."""
    pending: list[tuple[Tokens, str, str]] = [(tokens, suffix, "")]
    seen: set[tuple[Tokens, str]] = set()
    while pending:
        left, wanted, done = pending.pop()
        if (left, wanted) in seen:
            continue
        seen.add((left, wanted))
        if not wanted:
            yield (*left, *done)
        elif left and left[-1] is STAR:
            pending.append((left, wanted[:-1], wanted[-1] + done))
            pending.append((left[:-1], wanted, done))
        elif left and accepts(left[-1], wanted[-1]):
            pending.append((left[:-1], wanted[:-1], wanted[-1] + done))
