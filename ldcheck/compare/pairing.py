"""Which input sections, and which symbols, of two builds are the same: by name, by what names share, by content.

Every step pairs what is left of the ones before it. Of several with one key the first goes with the first; where a key
says less than a name, it counts only if both sides have equally many of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Hashable, Sequence
from itertools import takewhile
from operator import itemgetter

from ldcheck.compare.sides import Piece, Side, Sized
from ldcheck.image.contents import digests

# What compilers put behind a name, with numbers that differ from build to build.
_MADE = re.compile(r"\.(?:lto_priv|constprop|isra|part|llvm|__uniq)\.\d+|\.\d+$")
# The files that link-time optimisation makes up.
_LTO = re.compile(r"(?:^|/)[^/]*\.(?:ltrans\d*\.ltrans|lto)\.[^/]*o$|\.o\.thinlto\S*$|^lto\.tmp\d*$")
# Bytes below which equal contents are an accident.
_FEWEST = 8


class Paired:
    """Pairs of indices, and the indices of what only one side has."""

    def __init__(self, old: int, new: int) -> None:
        self.pairs: list[tuple[int, int]] = []
        self.gone: list[int] = list(range(old))
        self.fresh: list[int] = list(range(new))

    def match_first(self, old: Sequence[Hashable], new: Sequence[Hashable]) -> None:
        """Pair what has equal keys, of all that there is, where every key is there once; the quick way to begin."""
        places = dict(zip(new, range(len(new)), strict=True))
        found = [*map(places.get, old)]
        if len(places) < len(new) or len(set(old)) < len(old):
            self.match(old.__getitem__, new.__getitem__)
            return
        self.pairs = [(at, to) for at, to in enumerate(found) if to is not None]
        taken = {to for _, to in self.pairs}
        self.gone = [at for at, to in enumerate(found) if to is None]
        self.fresh = [to for to in range(len(new)) if to not in taken]

    def match(self, old: Callable[[int], Hashable], new: Callable[[int], Hashable], *, strict: bool = False) -> None:
        """Pair what has equal keys, None aside; if `strict`, only where both sides have equally many."""
        if not self.gone or not self.fresh:
            return
        waiting: dict[Hashable, list[int]] = {}
        for at in self.fresh:
            key = new(at)
            if key is not None:
                waiting.setdefault(key, []).append(at)
        asked: dict[Hashable, list[int]] = {}
        for at in self.gone:
            key = old(at)
            if key in waiting:
                asked.setdefault(key, []).append(at)
        taken_old: set[int] = set()
        taken_new: set[int] = set()
        for key, mine in asked.items():
            theirs = waiting[key]
            if strict and len(mine) != len(theirs):
                continue
            self.pairs += zip(mine, theirs, strict=False)
            taken_old.update(mine[: len(theirs)])
            taken_new.update(theirs[: len(mine)])
        if taken_old:
            self.gone = [at for at in self.gone if at not in taken_old]
            self.fresh = [at for at in self.fresh if at not in taken_new]


def paired_pieces(old: Side, new: Side) -> Paired:
    """The input sections of both sides."""
    before, after = old.pieces, new.pieces
    paired = Paired(len(before), len(after))

    def step(key: Callable[[Piece], Hashable], *, strict: bool = False) -> None:
        paired.match(lambda at: key(before[at]), lambda at: key(after[at]), strict=strict)

    key = itemgetter(0, 1, 2, 3)
    paired.match_first([*map(key, before)], [*map(key, after)])
    step(lambda one: (one.file, one.member, one.name))
    if paired.gone and paired.fresh:
        # Two builds in two folders.
        one, other = _folder(before, paired.gone), _folder(after, paired.fresh)
        paired.match(
            lambda at: (*_below(before[at], one), before[at].output),
            lambda at: (*_below(after[at], other), after[at].output),
        )
        paired.match(lambda at: _below(before[at], one), lambda at: _below(after[at], other))
        step(lambda one: (os.path.basename(one.file), one.member, one.name), strict=True)
        step(lambda one: (plain_file(one.file), one.member, plain(one.name)), strict=True)
        _match_contents(paired, before, after, old, new)
        # An object with another name.
        step(lambda one: (one.name, one.output, one.size), strict=True)
    paired.pairs.sort()
    return paired


def paired_symbols(old: Side, new: Side) -> Paired:
    """The symbols of both sides."""
    before, after = old.symbols, new.symbols
    paired = Paired(len(before), len(after))

    def step(key: Callable[[Sized], Hashable], *, strict: bool = False) -> None:
        paired.match(lambda at: key(before[at]), lambda at: key(after[at]), strict=strict)

    key = itemgetter(0, 1, 2)
    paired.match_first([*map(key, before)], [*map(key, after)])
    step(lambda one: (one.scope, one.name))
    step(lambda one: (os.path.basename(one.scope), plain(one.name)), strict=True)
    step(lambda one: plain(one.name), strict=True)
    _match_contents(paired, before, after, old, new)
    paired.pairs.sort()
    return paired


def plain(name: str) -> str:
    """A name without the numbers that compilers put behind it."""
    return _MADE.sub("", name)


def plain_file(file: str) -> str:
    """A file by its last name; what link-time optimisation made up is one file."""
    return "LTO" if _LTO.search(file) else os.path.basename(file)


def _folder(pieces: Sequence[Piece], chosen: Sequence[int]) -> str:
    """The folder that all of these files are in."""
    files = [pieces[at].file for at in chosen]
    first, last = min(files).split("/")[:-1], max(files).split("/")[:-1]
    common = [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))]
    return "".join(f"{part}/" for part in common)


def _below(piece: Piece, folder: str) -> tuple[str, str, str]:
    return piece.file[len(folder) :], piece.member, piece.name


def _match_contents(
    paired: Paired, before: Sequence[Piece | Sized], after: Sequence[Piece | Sized], old: Side, new: Side
) -> None:
    """Pair what has another name and the very same bytes."""
    if old.elf is None or new.elf is None or not paired.gone or not paired.fresh:
        return
    sizes = {after[at].size for at in paired.fresh if after[at].size >= _FEWEST}
    left = [at for at in paired.gone if before[at].size in sizes]
    sizes = {before[at].size for at in left}
    right = [at for at in paired.fresh if after[at].size in sizes]
    keys = []
    for side, entries, chosen in ((old, before, left), (new, after, right)):
        assert side.elf is not None
        found = digests(side.elf, [(entries[at].address, entries[at].size) for at in chosen])
        keys.append({at: digest for at, digest in zip(chosen, found, strict=True) if digest is not None})
    paired.match(keys[0].get, keys[1].get, strict=True)
