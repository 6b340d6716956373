"""Two builds: what is placed differently and why, what grew and shrank, and how full memory is.

Addresses that only slid, because something ahead of them grew, are counted and not listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter

from ldcheck.compare.moves import Move, moves, out_of_order, symbol_moves
from ldcheck.compare.pairing import Paired, paired_pieces, paired_symbols, plain_file
from ldcheck.compare.sides import Piece, Section, Side, Sized
from ldcheck.image.files import collector_paused
from ldcheck.image.model import Elf
from ldcheck.record import dataclass
from ldcheck.words import counted, listed


@dataclass(frozen=True, slots=True)
class Change:
    """Bytes of one thing on both sides, None where it is not there. `of` is all that there is, of a memory region.

    `detail` says what else changed of it, or where it is. `doubt` is how many bytes less it may be on each side, of
    a region of which a map does not tell what is loaded from it.
    """

    name: str
    old: int | None
    new: int | None
    detail: str = ""
    of: int = 0
    doubt: tuple[int, int] = (0, 0)

    @property
    def by(self) -> int:
        """By how many bytes it grew."""
        return (self.new or 0) - (self.old or 0)

    @property
    def by_at_least(self) -> int:
        """By how many bytes it grew if what is in doubt is used on neither side."""
        return self.by - self.doubt[1] + self.doubt[0]


@dataclass(frozen=True, slots=True)
class Builds:
    """What two builds do differently.

    `moves` are the causes. `totals` are the bytes in memory and in the file; `regions` are all memory regions, changed
    or not; `sections` and `segments` those that changed otherwise than by sliding; `order` names output sections that
    stand elsewhere among the others. `objects` and `symbols` are what grew, shrank, came or went, the most changed
    first, `inputs` those that only one side has or that changed their size; `orphans` are names of input sections that
    no statement takes on one side only. `slid` counts what only has another address. `compared` is what was compared
    of the placing, "input section" or "symbol", and empty if neither could be. `untold` says what could not be
    compared, and why.
    """

    old: str
    new: str
    moves: tuple[Move, ...]
    totals: tuple[Change, ...]
    regions: tuple[Change, ...]
    sections: tuple[Change, ...]
    segments: tuple[Change, ...]
    order: tuple[str, ...]
    objects: tuple[Change, ...]
    inputs: tuple[Change, ...]
    symbols: tuple[Change, ...]
    orphans: tuple[Change, ...]
    padding: tuple[Change, ...]
    slid: str
    compared: str
    untold: tuple[str, ...]

    @property
    def placed_alike(self) -> bool | None:
        """Whether nothing is placed differently; sizes may have changed. None where it was not compared."""
        return not self.moves and not self.order and not self.orphans if self.compared else None

    @property
    def grown(self) -> tuple[Change, ...]:
        """What of memory, file, segments and regions is larger than before."""
        return tuple(one for one in (*self.totals, *self.regions) if one.by > 0)


def compare_builds(old: Side, new: Side) -> Builds:
    """The difference of two builds."""
    with collector_paused():
        return _compared(old, new)


def _compared(old: Side, new: Side) -> Builds:
    pieces = paired_pieces(old, new) if old.map is not None and new.map is not None else None
    names = paired_symbols(old, new) if old.symbols and new.symbols else None
    sections = _paired_sections(old.sections, new.sections)
    return Builds(
        old.name,
        new.name,
        _moves(old, new, pieces, names),
        tuple(_totals(old, new)),
        tuple(_regions(old, new)),
        tuple(_sections(old.sections, new.sections, sections)),
        tuple(_segments(old, new)),
        tuple(new.sections[to].name for _, to in out_of_order(sections.pairs)),
        _objects(old, new, pieces) if pieces is not None else (),
        _inputs(old, new, pieces) if pieces is not None else (),
        _symbols(old, new, names) if names is not None else (),
        _orphans(old, new) if pieces is not None else (),
        tuple(_padding(old, new)),
        _slid(old, new, sections, pieces, names),
        "input section" if pieces is not None else "symbol" if names is not None else "",
        tuple(_untold(old, new)),
    )


def _moves(old: Side, new: Side, pieces: Paired | None, names: Paired | None) -> tuple[Move, ...]:
    if pieces is not None:
        return moves(old, new, pieces)
    return symbol_moves(old, new, names) if names is not None else ()


def _paired_sections(old: Sequence[Section], new: Sequence[Section]) -> Paired:
    paired = Paired(len(old), len(new))
    paired.match(lambda at: old[at].name, lambda at: new[at].name)
    paired.pairs.sort()
    return paired


def _totals(old: Side, new: Side) -> Iterable[Change]:
    yield Change("memory", old.memory, new.memory)
    if old.stored is not None and new.stored is not None:
        yield Change("file", old.stored, new.stored)
    if old.elf is not None and new.elf is not None:
        yield Change("segments", _loaded(old.elf), _loaded(new.elf))


def _loaded(elf: Elf) -> int:
    return sum(segment.memory_size for segment in elf.segments if segment.type == "LOAD")


def _regions(old: Side, new: Side) -> Iterable[Change]:
    before = {region.name: region for region in old.regions}
    now = {region.name: region for region in new.regions}
    for name in dict.fromkeys((*now, *before)):
        one, other = before.get(name), now.get(name)
        known = other or one
        assert known is not None
        lengths = {region.length for region in (one, other) if region is not None}
        detail = f"it had {one.length:,} bytes" if one is not None and len(lengths) > 1 else ""
        used = [None if region is None else region.used for region in (one, other)]
        doubt = [0 if region is None else region.used - region.at_least for region in (one, other)]
        yield Change(name, used[0], used[1], detail, known.length, (doubt[0], doubt[1]))


def _sections(old: Sequence[Section], new: Sequence[Section], paired: Paired) -> Iterable[Change]:
    by_new = {to: at for at, to in paired.pairs}
    for to, section in enumerate(new):
        at = by_new.get(to)
        if at is None:
            yield Change(section.name, None, section.size, f"at {section.address:#x}")
            continue
        detail = "; ".join(_remarks(old[at], section))
        if old[at].size != section.size or detail:
            yield Change(section.name, old[at].size, section.size, detail)
    for at in paired.gone:
        yield Change(old[at].name, old[at].size, None, f"it was at {old[at].address:#x}")


def _remarks(old: Section, new: Section) -> Iterable[str]:
    """What else than size and address is different of an output section."""
    if old.permissions and new.permissions and old.permissions != new.permissions:
        yield f"permissions {old.permissions} -> {new.permissions}"
    if old.align and new.align and old.align != new.align:
        yield f"alignment {old.align:,} -> {new.align:,}"
    if old.stored is not None and new.stored is not None and bool(old.stored) != bool(new.stored):
        yield "in the file now" if new.stored else "no longer in the file"
    if (old.load_address == old.address) != (new.load_address == new.address):
        yield f"load address {old.load_address:#x} -> {new.load_address:#x}"


def _segments(old: Side, new: Side) -> Iterable[Change]:
    if old.elf is None or new.elf is None:
        return
    rows = []
    for elf in (old.elf, new.elf):
        sections = {section.index: section.name for section in elf.sections}
        counts: dict[str, int] = {}
        row = {}
        for segment in elf.segments:
            counts[segment.type] = counts.get(segment.type, 0) + 1
            permissions = "".join(
                letter if flag else "-"
                for letter, flag in zip("rwx", (segment.readable, segment.writable, segment.executable), strict=True)
            )
            held = listed([sections[at] for at in segment.sections if at in sections], most=6)
            row[f"{segment.type} {counts[segment.type]}"] = (segment.memory_size, permissions, held)
        rows.append(row)
    for name in dict.fromkeys((*rows[1], *rows[0])):
        one, other = rows[0].get(name), rows[1].get(name)
        remarks = []
        if one is not None and other is not None:
            if one[1] != other[1]:
                remarks.append(f"permissions {one[1]} -> {other[1]}")
            if one[2] != other[2]:
                remarks.append(f"holds {other[2] or 'nothing'}; it held {one[2] or 'nothing'}")
        elif other is not None:
            remarks.append(f"new, {other[1]}: {other[2] or 'no section'}")
        elif one is not None:
            remarks.append(f"it was {one[1]}: {one[2] or 'no section'}")
        sizes = [None if side is None else side[0] for side in (one, other)]
        if remarks or sizes[0] != sizes[1]:
            yield Change(name, sizes[0], sizes[1], "; ".join(remarks))


def _sums(entries: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, size in entries:
        found[name] = found.get(name, 0) + size
    return found


def _most_changed(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted((one for one in changes if one.by), key=lambda one: (-abs(one.by), one.name)))


def _objects(old: Side, new: Side, paired: Paired) -> tuple[Change, ...]:
    """Bytes by object file; one with another name is the same if its input sections are."""
    sums: list[dict[str, int]] = []
    for side in (old, new):
        found: dict[tuple[str, str], int] = {}
        for key, size in zip(map(_OBJECT, side.pieces), map(itemgetter(5), side.pieces), strict=True):
            found[key] = found.get(key, 0) + size
        sums.append(_sums((_label(*key), size) for key, size in found.items()))
    one, other = sums
    renamed: dict[tuple[str, str], int] = {}
    for at, to in paired.pairs:
        was, now = _OBJECT(old.pieces[at]), _OBJECT(new.pieces[to])
        if was != now:
            pair = _label(*was), _label(*now)
            renamed[pair] = renamed.get(pair, 0) + new.pieces[to].size
    for before, after in sorted(renamed, key=lambda pair: -renamed[pair]):
        if before not in other and after not in one and before in one:
            one[after] = one.pop(before)
    return _most_changed(Change(name, one.get(name), other.get(name)) for name in {*one, *other})


_OBJECT = itemgetter(0, 1)


def _label(file: str, member: str) -> str:
    """An object by its name; a member by that of its archive, wherever that lies."""
    return f"{plain_file(file)}({member})" if member else file


def _inputs(old: Side, new: Side, paired: Paired) -> tuple[Change, ...]:
    """Input sections that changed their size, or that only one side has."""

    def rows() -> Iterable[Change]:
        for at, to in paired.pairs:
            one, other = old.pieces[at], new.pieces[to]
            if one.size != other.size:
                yield Change(_named(other), one.size, other.size, other.output)
        for at in paired.gone:
            yield Change(_named(old.pieces[at]), old.pieces[at].size, None, old.pieces[at].output)
        for to in paired.fresh:
            yield Change(_named(new.pieces[to]), None, new.pieces[to].size, new.pieces[to].output)

    return _most_changed(rows())


def _named(piece: Piece) -> str:
    file = f"{piece.file}({piece.member})" if piece.member else piece.file
    return f"{piece.name} of {file}"


def _symbols(old: Side, new: Side, paired: Paired) -> tuple[Change, ...]:
    def rows() -> Iterable[Change]:
        for at, to in paired.pairs:
            one, other = old.symbols[at], new.symbols[to]
            remarks = [f"it was {one.name}"] if one.name != other.name else []
            if one.size != other.size:
                yield Change(other.name, one.size, other.size, "; ".join([other.section, *remarks]))
        for at in paired.gone:
            yield Change(old.symbols[at].name, old.symbols[at].size, None, old.symbols[at].section)
        for to in paired.fresh:
            yield Change(new.symbols[to].name, None, new.symbols[to].size, new.symbols[to].section)

    return _most_changed(rows())


def _orphans(old: Side, new: Side) -> tuple[Change, ...]:
    """Input sections by name that no statement took, on one side only. Maps of lld do not tell."""
    if any(side.map is None or side.map.linker == "lld" for side in (old, new)):
        return ()
    one, other = (_sums(_orphaned(side)) for side in (old, new))
    names = sorted({*one, *other} - ({*one} & {*other}))
    places = {piece.name: piece.output for side in (old, new) for piece in side.pieces if not piece.pattern}
    return tuple(Change(name, one.get(name), other.get(name), f"in {places[name]}") for name in names)


def _orphaned(side: Side) -> Iterable[tuple[str, int]]:
    return ((piece.name, piece.size) for piece in side.pieces if not piece.pattern)


def _padding(old: Side, new: Side) -> Iterable[Change]:
    if old.padding is None or new.padding is None:
        return
    for cause, size in new.padding.items():
        yield Change(cause, old.padding[cause], size)


def _slid(old: Side, new: Side, sections: Paired, pieces: Paired | None, names: Paired | None) -> str:
    """How much only has another address, in one line; empty if nothing."""
    parts = []
    deltas: dict[int, int] = {}
    for at, to in sections.pairs:
        if old.sections[at].address != new.sections[to].address:
            by = new.sections[to].address - old.sections[at].address
            deltas[by] = deltas.get(by, 0) + 1
    if deltas:
        parts.append(counted(sum(deltas.values()), "output section"))
    for paired, unit, before, after in (
        (pieces, "input section", _addresses(old.pieces), _addresses(new.pieces)),
        (names, "symbol", _addresses(old.symbols), _addresses(new.symbols)),
    ):
        moved = sum(1 for at, to in paired.pairs if before[at] != after[to]) if paired is not None else 0
        parts += [counted(moved, unit)] if moved else []
    if not parts:
        return ""
    distances = [f"{one:+#x}" for one in sorted(deltas, key=lambda one: (-deltas[one], one))]
    tail = f", by {listed(distances)}" if distances else ""
    return f"{listed(parts)} slid to other addresses{tail}"


def _addresses(entries: Sequence[Piece] | Sequence[Sized]) -> list[int]:
    return [one.address for one in entries]


def _untold(old: Side, new: Side) -> Iterable[str]:
    """What is not compared, and what was missing for it."""
    without = [side.name for side in (old, new) if side.map is None]
    if without:
        yield f"input sections, objects, orphans and padding are not compared: no map of {listed(without)}"
    elif any(side.map is not None and side.map.linker == "lld" for side in (old, new)):
        yield "orphans and the patterns that took inputs are not compared: maps of lld do not tell them"
    without = [side.name for side in (old, new) if side.elf is None]
    if all(side.predicted for side in (old, new)):
        yield "it was not linked: segments and the sizes of symbols are not predicted"
    elif without:
        yield f"permissions, segments and symbols are not compared: no ELF file of {listed(without)}"
    else:
        stripped = [side.name for side in (old, new) if not side.symbols]
        if stripped:
            yield f"symbols are not compared: {listed(stripped)} has none with a size"
    doubted = dict.fromkeys(one.name for side in (old, new) for one in side.regions if one.at_least < one.used)
    if doubted:
        yield f"what is used of {listed([*doubted])} may be less: a map does not tell which sections have content"
    for side in (old, new):
        yield from side.notes
