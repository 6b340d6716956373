"""Glob patterns as languages: what a pattern matches, and how the languages of patterns relate.

GNU ld compares names with fnmatch(3) and with shortcuts of its own (ldlang.c: name_match, spec_match), and the
shortcuts differ from fnmatch in a few corners. `section_glob`, `name_glob` and `fnmatch_glob` give the exact language
of each of the three. A language is a union of token sequences; questions about several of them are answered by running
all of them at once, one bit per position, over classes of characters that none of them tells apart.

Left out: locales. Ranges and classes such as `[[:alpha:]]` are those of the C locale, which ld uses for collation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

# A token is one literal character, a set of characters as sorted disjoint ranges of code points, or STAR.
Ranges = tuple[tuple[int, int], ...]
Token = str | Ranges | None
Tokens = tuple[Token, ...]

STAR: None = None
LAST = 0x10FFFF
ANY_CHARACTER: Ranges = ((1, LAST),)

# In this order characters are preferred in witnesses.
_NICE = "abcdefghijklmnopqrstuvwxyz0123456789_.-ABCDEFGHIJKLMNOPQRSTUVWXYZ/$:+,=~@#%&!^;(){}<>|`'\"*?[]\\ "
_RANK = {character: rank for rank, character in enumerate(_NICE)}

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


class TooComplexError(Exception):
    """Deciding a question would take more steps than any sensible script needs."""


class Glob:
    """The language of one pattern. `text` is the pattern as written.

    `literal` is the only name matched, or None. `prefix` and `suffix` are literal characters that every matched name
    starts and ends with. `open_end` says that every name that starts with `prefix` is matched.
    """

    __slots__ = ("_masks", "alternatives", "literal", "open_end", "prefix", "segments", "suffix", "text")

    def __init__(self, text: str, alternatives: tuple[Tokens, ...]) -> None:
        self.text = text
        self.alternatives = alternatives
        self._masks: tuple[dict[str, int], tuple[tuple[Ranges, int], ...], int, int, int, int] | None = None
        self.segments: tuple[_Segments, ...] | None = None
        self.literal: str | None = None
        self.open_end = False
        self.prefix = self.suffix = ""
        if len(alternatives) == 1:
            tokens = alternatives[0]
            length = len(tokens)
            stop = 0
            while stop < length and type(tokens[stop]) is str:
                stop += 1
            self.prefix = "".join(tokens[:stop])  # type: ignore[arg-type]  # the loop stops at the first other token
            if stop == length:
                self.literal = self.suffix = self.prefix
            else:
                self.open_end = stop == length - 1 and tokens[stop] is STAR
                start = length
                while type(tokens[start - 1]) is str:
                    start -= 1
                self.suffix = "".join(tokens[start:])  # type: ignore[arg-type]  # as above
        elif alternatives:
            self.prefix = _common(["".join(_literal_run(tokens)) for tokens in alternatives])

    def __repr__(self) -> str:
        return f"Glob({self.text!r})"

    def matches(self, name: str) -> bool:
        """Whether the pattern matches `name`; time at most the product of the two lengths."""
        if self.literal is not None:
            return name == self.literal
        if not name.startswith(self.prefix):
            return False
        if self.open_end:
            return True
        if not name.endswith(self.suffix):
            return False
        if self.segments is None:
            self.segments = tuple(_Segments(tokens) for tokens in self.alternatives)
        return any(segments.match(name) for segments in self.segments)

    def masks(self) -> tuple[dict[str, int], tuple[tuple[Ranges, int], ...], int, int, int, int]:
        """The automaton: positions by literal character, by set, all stars, start, accepting ones, number of bits."""
        if self._masks is None:
            self._masks = _automaton(self.alternatives)
        return self._masks


def _literal_run(tokens: Tokens) -> list[str]:
    run: list[str] = []
    for token in tokens:
        if not isinstance(token, str):
            break
        run.append(token)
    return run


def _common(texts: Sequence[str]) -> str:
    shortest, longest = min(texts), max(texts)
    length = 0
    while length < len(shortest) and length < len(longest) and shortest[length] == longest[length]:
        length += 1
    return shortest[:length]


class _Segments:
    """A token sequence cut at its stars: the first and last pieces are anchored, the others are found leftmost."""

    __slots__ = ("pieces", "starred")

    def __init__(self, tokens: Tokens) -> None:
        pieces: list[list[Token]] = [[]]
        for token in tokens:
            if token is STAR:
                pieces.append([])
            else:
                pieces[-1].append(token)
        self.starred = len(pieces) > 1
        self.pieces = tuple(_Piece(tuple(piece)) for piece in pieces)

    def match(self, name: str) -> bool:
        first, last = self.pieces[0], self.pieces[-1]
        if not self.starred:
            return len(name) == first.length and first.at(name, 0)
        end = len(name) - last.length
        at = first.length
        if end < at or not first.at(name, 0) or not last.at(name, end):
            return False
        for piece in self.pieces[1:-1]:
            at = piece.find(name, at, end)
            if at < 0:
                return False
            at += piece.length
        return True


class _Piece:
    """Tokens without a star."""

    __slots__ = ("length", "text", "tokens")

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.length = len(tokens)
        run = _literal_run(tokens)
        self.text = "".join(run) if len(run) == len(tokens) else None

    def at(self, name: str, start: int) -> bool:
        if self.text is not None:
            return name.startswith(self.text, start)
        return all(accepts(token, name[start + index]) for index, token in enumerate(self.tokens))

    def find(self, name: str, start: int, end: int) -> int:
        if self.text is not None:
            return name.find(self.text, start, end)
        for at in range(start, end - self.length + 1):
            if self.at(name, at):
                return at
        return -1


def accepts(token: Token, character: str) -> bool:
    """Whether a token other than STAR takes a character."""
    if isinstance(token, str):
        return token == character
    code = ord(character)
    return token is not None and any(low <= code <= high for low, high in token)


def _automaton(
    alternatives: tuple[Tokens, ...],
) -> tuple[dict[str, int], tuple[tuple[Ranges, int], ...], int, int, int, int]:
    literals: dict[str, int] = {}
    sets: list[tuple[Ranges, int]] = []
    stars = start = accepting = 0
    bit = 1
    for tokens in alternatives:
        start |= bit
        for token in tokens:
            if token is STAR:
                stars |= bit
            elif isinstance(token, str):
                literals[token] = literals.get(token, 0) | bit
            else:
                sets.append((token, bit))
            bit <<= 1
        accepting |= bit
        bit <<= 1
    return literals, tuple(sets), stars, start, accepting, bit.bit_length() - 1


# Reading patterns -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def section_glob(pattern: str) -> Glob:
    """The names that a section pattern of an input section description matches (ldlang.c: spec_match).

    ld compares what stands ahead of the first of `?*[` and behind the last of `?*]` byte by byte, so a backslash there
    is an ordinary character; a pattern with nothing but one `*` between the two matches even where they overlap.
    """
    start = _first_special(pattern)
    if start == len(pattern):
        return Glob(pattern, (tuple(pattern),))
    prefix, rest = pattern[:start], pattern[start:]
    stop = max(rest.rfind("?"), rest.rfind("*"), rest.rfind("]")) + 1
    suffix = rest[stop:]
    if stop == 1 and rest[0] == "*":
        plain: Tokens = (*prefix, STAR, *suffix)
        return Glob(pattern, (plain, *_overlapping(prefix, suffix)))
    tokens = fnmatch_tokens(rest)
    if tokens is None:
        return Glob(pattern, ())
    if "\\" not in suffix:
        return Glob(pattern, ((*prefix, *tokens),))
    ending = tuple(ended for ended in ending_in(tokens, suffix))
    return Glob(pattern, tuple((*prefix, *ended) for ended in ending))


@lru_cache(maxsize=8192)
def name_glob(pattern: str) -> Glob:
    """The names that a pattern of EXCLUDE_FILE, or either side of `archive:member`, matches (ldlang.c: name_match)."""
    start = _first_special(pattern)
    if start == len(pattern):
        return Glob(pattern, (tuple(pattern),))
    if start >= 4 and pattern[start:] == "*":
        return Glob(pattern, ((*pattern[:start], STAR),))
    return fnmatch_glob(pattern)


@lru_cache(maxsize=8192)
def fnmatch_glob(pattern: str) -> Glob:
    """The names that fnmatch(pattern, name, 0) matches, as a file pattern with a wildcard is compared."""
    tokens = fnmatch_tokens(pattern)
    return Glob(pattern, () if tokens is None else (tokens,))


def has_wildcard(pattern: str) -> bool:
    """Whether ld takes the pattern for more than a plain name (ldlang.c: wildcardp)."""
    return _first_special(pattern) < len(pattern)


def _first_special(pattern: str) -> int:
    for index, character in enumerate(pattern):
        if character in "?*[":
            return index
    return len(pattern)


def _overlapping(prefix: str, suffix: str) -> Iterator[Tokens]:
    for shared in range(1, min(len(prefix), len(suffix)) + 1):
        if prefix.endswith(suffix[:shared]):
            yield tuple(prefix + suffix[shared:])


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


# Questions about languages --------------------------------------------------------------------------------------------


def overlaps(one: Glob, other: Glob) -> bool:
    """Whether some name is matched by both."""
    if one.literal is not None:
        return other.matches(one.literal)
    if other.literal is not None:
        return one.matches(other.literal)
    if not may_overlap(one, other):
        return False
    if one.open_end and other.open_end:
        return True
    return witness((one, other)) is not None


def may_overlap(one: Glob, other: Glob) -> bool:
    """A quick test by literal prefixes and suffixes; False is certain, True is not."""
    if not one.alternatives or not other.alternatives:
        return False
    if not one.prefix.startswith(other.prefix) and not other.prefix.startswith(one.prefix):
        return False
    return one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix)


def includes(outer: Sequence[Glob], inner: Glob) -> bool:
    """Whether the union of `outer` matches every name that `inner` matches."""
    if any(contains(glob, inner) for glob in outer):
        return True
    if inner.literal is not None:
        return False
    return witness((inner,), [glob for glob in outer if may_overlap(glob, inner)]) is None


def contains(outer: Glob, inner: Glob) -> bool:
    """Whether `outer` alone obviously matches all of `inner`; exact for a literal `inner`, else False may be wrong."""
    if inner.literal is not None:
        return outer.matches(inner.literal)
    if outer.open_end:
        return inner.prefix.startswith(outer.prefix)
    return outer is inner or outer.alternatives == inner.alternatives


def witness(wanted: Sequence[Glob], unwanted: Sequence[Glob] = (), limit: int = 100_000) -> str | None:
    """The shortest name that all of `wanted` match and none of `unwanted`; None if there is none.

    Among names of one length the nicest to read is taken. The empty name is given only where no other will do. Raises
    TooComplexError after looking at `limit` sets of states.
    """
    for glob in wanted:
        if glob.literal is not None:
            return _literal_witness(glob.literal, wanted, unwanted)
    automaton = _Product(wanted, unwanted)
    return automaton.shortest(limit)


def _literal_witness(name: str, wanted: Sequence[Glob], unwanted: Sequence[Glob]) -> str | None:
    if all(glob.matches(name) for glob in wanted) and not any(glob.matches(name) for glob in unwanted):
        return name
    return None


class _Product:
    """The automata of several patterns side by side in one integer, a stretch of bits each."""

    def __init__(self, wanted: Sequence[Glob], unwanted: Sequence[Glob]) -> None:
        self.start = self.stars = self.refused = 0
        self.literals: dict[str, int] = {}
        self.sets: list[tuple[Ranges, int]] = []
        self.goals: list[int] = []
        self.alive: list[int] = []
        offset = 0
        for number, glob in enumerate((*wanted, *unwanted)):
            literals, sets, stars, start, accepting, bits = glob.masks()
            for character, mask in literals.items():
                self.literals[character] = self.literals.get(character, 0) | mask << offset
            self.sets.extend((ranges, mask << offset) for ranges, mask in sets)
            self.stars |= stars << offset
            self.start |= start << offset
            if number < len(wanted):
                self.goals.append(accepting << offset)
                self.alive.append(((1 << bits) - 1) << offset)
            else:
                self.refused |= accepting << offset
            offset += bits
        self.start |= (self.start & self.stars) << 1

    def accepting(self, state: int) -> bool:
        if state & self.refused:
            return False
        return all(state & goal for goal in self.goals)

    def shortest(self, limit: int) -> str | None:
        letters = self.letters()
        stars, alive = self.stars, self.alive
        seen = {self.start}
        level: list[tuple[int, str]] = [(self.start, "")]
        while level:
            following: list[tuple[int, str]] = []
            for state, name in level:
                looping = state & stars
                for character, mask in letters:
                    reached = (state & mask) << 1 | looping
                    reached |= (reached & stars) << 1
                    if reached in seen:
                        continue
                    seen.add(reached)
                    if not all(reached & part for part in alive):
                        continue
                    longer = name + character
                    if self.accepting(reached):
                        return longer
                    following.append((reached, longer))
            if len(seen) > limit:
                raise TooComplexError
            level = following
        return "" if self.accepting(self.start) else None

    def letters(self) -> list[tuple[str, int]]:
        """One character for each class that the patterns tell apart, the nicest first, with the positions it passes."""
        if not self.sets:
            letters = list(self.literals.items())
            letters.append((next(nice for nice in _spares() if nice not in self.literals), 0))
        else:
            letters = self._classes()
        letters.sort(key=lambda letter: _RANK.get(letter[0], ord(letter[0]) + len(_RANK)))
        return letters

    def _classes(self) -> list[tuple[str, int]]:
        cuts = {1, LAST + 1}
        for ranges, _ in self.sets:
            for low, high in ranges:
                cuts.add(low)
                cuts.add(high + 1)
        for character in self.literals:
            cuts.add(ord(character))
            cuts.add(ord(character) + 1)
        points = sorted(cuts)
        best: dict[int, str] = {}
        for low, following in pairwise(points):
            character = _nicest(low, following - 1)
            mask = self.literals.get(character, 0)
            for ranges, positions in self.sets:
                if any(start <= low <= end for start, end in ranges):
                    mask |= positions
            known = best.get(mask)
            if known is None or _rank(character) < _rank(known):
                best[mask] = character
        return [(character, mask) for mask, character in best.items()]


def _spares() -> Iterator[str]:
    yield from _NICE
    yield from map(chr, range(0xA1, LAST))


def _rank(character: str) -> int:
    return _RANK.get(character, ord(character) + len(_RANK))


def _nicest(low: int, high: int) -> str:
    """The character of a range of code points that reads best; surrogates are avoided where there is a choice."""
    printable = range(max(low, 32), min(high, 126) + 1)
    if printable:
        return min(map(chr, printable), key=_rank)
    if low <= 0xD7FF < high or not 0xD800 <= low <= 0xDFFF:
        return chr(low)
    return chr(0xE000) if high >= 0xE000 else chr(low)
