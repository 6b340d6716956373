"""Finite automata of glob patterns, run side by side.

The positions of all patterns are bits of one integer. A step looks at one character of each class of characters that no
pattern tells apart, so its cost does not grow with the alphabet. Only the sets of positions that do occur are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from ldcheck.sections.glob_syntax import ANY_CHARACTER, LAST, STAR, Ranges, Tokens, accepts

# In this order characters are preferred in witnesses.
NICE = "abcdefghijklmnopqrstuvwxyz0123456789_.-ABCDEFGHIJKLMNOPQRSTUVWXYZ/$:+,=~@#%&!^;(){}<>|`'\"*?[]\\ "
_RANK = {character: rank for rank, character in enumerate(NICE)}


class TooComplexError(Exception):
    """Deciding a question would take more steps than any sensible script needs."""


class Automaton(NamedTuple):
    """One pattern's positions as masks: by literal character, by set, at `?`, at a star, the first, behind the end."""

    literals: dict[str, int]
    sets: tuple[tuple[Ranges, int], ...]
    anything: int
    stars: int
    start: int
    accepting: int
    bits: int


def automaton(alternatives: tuple[Tokens, ...]) -> Automaton:
    """The automaton of a union of token sequences."""
    literals: dict[str, int] = {}
    sets: list[tuple[Ranges, int]] = []
    anything = stars = start = accepting = 0
    bit = 1
    for tokens in alternatives:
        start |= bit
        for token in tokens:
            if token is STAR:
                stars |= bit
            elif isinstance(token, str):
                literals[token] = literals.get(token, 0) | bit
            elif token == ANY_CHARACTER:
                anything |= bit
            else:
                sets.append((token, bit))
            bit <<= 1
        accepting |= bit
        bit <<= 1
    return Automaton(literals, tuple(sets), anything, stars, start, accepting, bit.bit_length() - 1)


class Meter:
    """Counts the sets of positions that were looked at in the life of the process."""

    spent = 0


class Product:
    """The automata of several patterns side by side in one integer, a stretch of bits each."""

    def __init__(self, wanted: Sequence[Automaton], unwanted: Sequence[Automaton]) -> None:
        self.start = self.stars = self.refused = self.anything = 0
        self.literals: dict[str, int] = {}
        self.sets: list[tuple[Ranges, int]] = []
        self.goals: list[int] = []
        self.alive: list[int] = []
        offset = 0
        for number, one in enumerate((*wanted, *unwanted)):
            literals, sets, anything, stars, start, accepting, bits = one
            for character, mask in literals.items():
                self.literals[character] = self.literals.get(character, 0) | mask << offset
            self.sets.extend((ranges, mask << offset) for ranges, mask in sets)
            self.anything |= anything << offset
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
        """Whether all wanted patterns match the name that led to `state`, and no unwanted one."""
        if state & self.refused:
            return False
        return all(state & goal for goal in self.goals)

    def shortest(self, limit: int, prefix: str = "") -> str | None:
        """The shortest name that leads to an accepting state; TooComplexError beyond `limit` states.

        All wanted patterns start with the literal `prefix`.
        """
        stars, alive = self.stars, self.alive
        start = self.start
        for character in prefix:
            start = self.step(start, character)
        if prefix and self.accepting(start):
            return prefix
        letters = self.letters()
        seen = {start}
        level: list[tuple[int, str]] = [(start, prefix)]
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
                Meter.spent += len(seen)
                raise TooComplexError
            level = following
        Meter.spent += len(seen)
        return "" if not prefix and self.accepting(start) else None

    def step(self, state: int, character: str) -> int:
        """The positions behind one more character."""
        mask = self.literals.get(character, 0) | self.anything
        for ranges, positions in self.sets:
            if accepts(ranges, character):
                mask |= positions
        reached = (state & mask) << 1 | state & self.stars
        return reached | (reached & self.stars) << 1

    def letters(self) -> list[tuple[str, int]]:
        """One character for each class that the patterns tell apart, the nicest first, with the positions it passes."""
        if not self.sets:
            letters = [(character, mask | self.anything) for character, mask in self.literals.items()]
            letters.append((next(nice for nice in _spares() if nice not in self.literals), self.anything))
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
            mask = self.literals.get(character, 0) | self.anything
            for ranges, positions in self.sets:
                if any(start <= low <= end for start, end in ranges):
                    mask |= positions
            known = best.get(mask)
            if known is None or _rank(character) < _rank(known):
                best[mask] = character
        return [(character, mask) for mask, character in best.items()]


def _spares() -> Iterator[str]:
    yield from NICE
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
