"""What the rules of a script claim, told apart by what they are on: configurations of one script have most of it alike.

Which claims may meet, which are on a section, and what the ones ahead of a claim leave of it depends on nothing but
what they are on. So each is answered once, and the answer serves every configuration.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ldcheck.sections.budget import BUDGET
from ldcheck.sections.claim import Claim
from ldcheck.sections.claims import Claims, claim_of, index_of, may_meet
from ldcheck.sections.files import Files
from ldcheck.sections.globs import Glob
from ldcheck.sections.left import Left
from ldcheck.sections.rules import InputRule

# Answers are kept until what they rest on is so much together: some 20 MB.
_ROOM = 1_000_000
# What keeping an answer costs beside that.
_SIZE = 20
# A table is done with when it has this many times what the rules at hand may add, and some.
_MOST = 4
_SMALL = 4096


class _Table(NamedTuple):
    """The number of each content, and in parts what each script had that was new."""

    numbers: Mapping[object, int]
    parts: Sequence[Claims]


class Contents:
    """What claims are on, each with a number, and what is known of it.

    A run may be out of time at any place: what it knows is changed by one assignment, or not at all.
    """

    def __init__(self) -> None:
        self._table = _Table({}, ())
        # What each may meet, in so many of the parts.
        self._candidates: dict[int, tuple[int, dict[int, bool | None]]] = {}
        self._taking: dict[tuple[str, str, str | None], tuple[int, list[int]]] = {}
        self._left: dict[object, Left] = {}
        self._room = _ROOM

    def __len__(self) -> int:
        return len(self._table.numbers)

    def add(self, claims: Iterable[Claim]) -> list[int]:
        """The numbers of what claims are on."""
        new: list[Claim] = []
        found: list[int] = []
        known, parts = self._table
        numbers = {**known}
        for claim in claims:
            content = claim.content
            number = numbers.get(content)
            if number is None:
                number = numbers[content] = len(numbers)
                new.append(claim)
            found.append(number)
        if new:
            self._table = _Table(numbers, (*parts, Claims(new)))
        return found

    def near(self, names: Glob, files: Files) -> list[int]:
        """What may be on such sections. Raises TooComplexError."""
        return self._numbered(claim for part in self._table.parts for claim in part.near(names, files))

    def candidates(self, number: int, claim: Claim) -> dict[int, bool | None]:
        """What may be on the sections of a claim of that number, and whether it is, as far as that was asked.

        Raises TooComplexError.
        """
        seen, found = self._candidates.get(number, (0, {}))
        parts = self._table.parts
        if seen < len(parts):
            newer = (one for part in parts[seen:] for one in part.candidates(claim.names, claim.files))
            found = {**found, **dict.fromkeys(self._numbered(newer))}
            self._candidates[number] = len(parts), found
        return found

    def takers(self, name: str, file: str, archive: str | None) -> list[int]:
        """What is on a section of that name from that file, with whatever flags. Raises TooComplexError."""
        key = (name, file, archive)
        seen, found = self._taking.get(key, (0, []))
        parts = self._table.parts
        if seen < len(parts):
            newer = (one for part in parts[seen:] for one in part.takers(name, file, archive))
            found = [*found, *self._numbered(newer)]
            self._spend(len(found))
            self._taking[key] = len(parts), found
        return found

    def left(self, key: object) -> Left | None:
        """The answer that was kept."""
        return self._left.get(key)

    def keep(self, key: object, left: Left, size: int) -> None:
        """Keep an answer that rests on so many claims."""
        self._spend(size)
        self._left[key] = left

    def _spend(self, size: int) -> None:
        self._room -= size + _SIZE
        if self._room < 0:
            self._left.clear()
            self._taking.clear()
            self._room = _ROOM

    def _numbered(self, claims: Iterable[Claim]) -> list[int]:
        numbers = self._table.numbers
        return [numbers[claim.content] for claim in claims]


class Placed:
    """The claims of one script, found by what they are on."""

    def __init__(self, rules: Sequence[InputRule], contents: Contents) -> None:
        self.contents = contents
        self.claims = [claim_of(rule) for rule in rules]
        self.numbers = contents.add(self.claims)
        self._by_number: dict[int, list[Claim]] = {}
        for claim, number in zip(self.claims, self.numbers, strict=True):
            self._by_number.setdefault(number, []).append(claim)

    def near(self, names: Glob, files: Files) -> list[Claim]:
        """The claims that may be on such sections, in the order of the rules. Raises TooComplexError."""
        return self._placed(self.contents.near(names, files), len(self.claims))

    def ahead(self, at: int, but: Collection[int] = ()) -> list[Claim]:
        """The claims ahead of that of rule `at` that may be on the same sections, but for some rules.

        In the order of the rules. Raises TooComplexError.
        """
        claim, placed = self.claims[at], self._by_number
        candidates = self.contents.candidates(self.numbers[at], claim)
        found: list[Claim] = []
        for number, meets in candidates.items():
            ahead = [one for one in placed.get(number, ()) if one.rule.index < at and one.rule.index not in but]
            if ahead and meets is None:
                meets = candidates[number] = may_meet(ahead[0].names, claim.names)
            if meets:
                found += ahead
        found.sort(key=index_of)
        return found

    def takers(self, name: str, file: str, archive: str | None, at: int, but: Collection[int] = ()) -> list[Claim]:
        """The claims ahead of rule `at`, but for some rules, on a section. Raises TooComplexError."""
        return self._placed(self.contents.takers(name, file, archive), at, but)

    def _placed(self, numbers: Iterable[int], at: int, but: Collection[int] = ()) -> list[Claim]:
        placed = self._by_number
        found = [
            claim
            for number in numbers
            for claim in placed.get(number, ())
            if claim.rule.index < at and claim.rule.index not in but
        ]
        found.sort(key=index_of)
        return found


class _Latest:
    """The table of the scripts at hand, and the run that it was made in."""

    contents = Contents()
    run = -1


def contents_for(rules: int) -> Contents:
    """The table for a script of so many rules; what one run found out is not for the next."""
    if _Latest.run != BUDGET.run or len(_Latest.contents) > _MOST * rules + _SMALL:
        _Latest.contents, _Latest.run = Contents(), BUDGET.run
    return _Latest.contents
