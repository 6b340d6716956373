"""Finite automata of glob patterns, run side by side.

The positions of all patterns are bits of one integer. A step looks at one character of each class of characters that no
pattern tells apart, so its cost does not grow with the alphabet. Only the sets of positions that do occur are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from ldcheck.sections.budget import BUDGET, MEMORY, TooComplexError
from ldcheck.sections.glob_syntax import ANY_CHARACTER, LAST, STAR, Ranges, Tokens, accepts

# In this order characters are preferred in witnesses.
NICE = "abcdefghijklmnopqrstuvwxyz0123456789_.-ABCDEFGHIJKLMNOPQRSTUVWXYZ/$:+,=~@#%&!^;(){}<>|`'\"*?[]\\ "
_RANK = {character: rank for rank, character in enumerate(NICE)}


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


class Refused:
    """Names and beginnings of names that are not wanted, as a tree of characters: a step is one look-up.

    Nodes are numbers, the root is 0 and -1 is off the tree.
    """

    __slots__ = ("children", "closed", "names")

    def __init__(self, texts: Iterable[tuple[str, bool]] = ()) -> None:
        """Each text is refused as a name, or with True everything that begins with it."""
        self.children: list[dict[str, int]] = [{}]
        self.names: set[int] = set()
        self.closed: set[int] = set()
        for text, beginning in texts:
            node = 0
            for character in text:
                known = self.children[node].get(character)
                if known is None:
                    known = self.children[node][character] = len(self.children)
                    self.children.append({})
                node = known
            (self.closed if beginning else self.names).add(node)

    def step(self, node: int, character: str) -> int:
        """The node behind one more character."""
        return -1 if node < 0 else self.children[node].get(character, -1)

    @property
    def characters(self) -> set[str]:
        """Every character that occurs."""
        return {character for children in self.children for character in children}


_NONE_REFUSED = Refused()


class Product:
    """The automata of several patterns side by side in one integer, a stretch of bits each."""

    def __init__(
        self, wanted: Sequence[Automaton], unwanted: Sequence[Automaton], texts: Refused = _NONE_REFUSED
    ) -> None:
        self.start = self.stars = self.refused = self.anything = 0
        self.texts = texts
        self.singles = texts.characters
        self.literals: dict[str, int] = dict.fromkeys(self.singles, 0)
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
        self.bits = offset
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
        stars, alive, texts = self.stars, self.alive, self.texts
        state, node = self.start, 0
        for character in prefix:
            if node in texts.closed:
                break
            state, node = self.step(state, character), texts.step(node, character)
        if node in texts.closed:
            return None
        fits = node not in texts.names and self.accepting(state)
        if prefix and fits:
            return prefix
        letters = self.letters()
        # What one state costs: in steps, and in bytes with what Python needs beside the bits.
        steps, size = len(letters) * (1 + (self.bits >> 10)), 200 + len(prefix) + (self.bits >> 3)
        limit = min(limit, MEMORY // size)
        seen = {(state, node)}
        level: list[tuple[int, int, str]] = [(state, node, prefix)]
        while level:
            following: list[tuple[int, int, str]] = []
            BUDGET.spend(len(level) * steps)
            for state, node, name in level:
                looping = state & stars
                for character, mask in letters:
                    reached = (state & mask) << 1 | looping
                    reached |= (reached & stars) << 1
                    behind = node if node < 0 else texts.children[node].get(character, -1)
                    if (reached, behind) in seen or behind in texts.closed:
                        continue
                    seen.add((reached, behind))
                    if not all(reached & part for part in alive):
                        continue
                    longer = name + character
                    if behind not in texts.names and self.accepting(reached):
                        return longer
                    following.append((reached, behind, longer))
                if len(seen) > limit:
                    raise TooComplexError
            level = following
        return "" if not prefix and fits else None

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
        BUDGET.spend(len(points) * (1 + len(self.sets)))
        best: dict[tuple[int, str], str] = {}
        for low, following in pairwise(points):
            character = _nicest(low, following - 1)
            mask = self.literals.get(character, 0) | self.anything
            for ranges, positions in self.sets:
                if any(start <= low <= end for start, end in ranges):
                    mask |= positions
            # A character of a refused text stands for itself alone.
            key = (mask, character if character in self.singles else "")
            known = best.get(key)
            if known is None or _rank(character) < _rank(known):
                best[key] = character
        return [(character, mask) for (mask, _), character in best.items()]


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
