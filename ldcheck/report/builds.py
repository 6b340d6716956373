"""What two builds do differently, as sentences and tables that every format of `ldcheck diff` shows in its own way.

Causes first; then how full memory is; then what grew most. Tables are short: a person reads ten rows, and the JSON has
them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.words import counted, listed

if TYPE_CHECKING:
    from ldcheck.compare.builds import Builds, Change
    from ldcheck.compare.moves import Move, Taken
    from ldcheck.source import Location

_MOST_ROWS = 10
_BAR = 20
REGIONS = "memory regions"
_TOTALS = {"memory": "all output sections", "file": "of which in the file", "segments": "LOAD segments in memory"}


class Cause(NamedTuple):
    """A cause as people read it: the place to look at, what happened, and what more there is to know of it."""

    place: Location | None
    message: str
    facts: tuple[str, ...]
    move: Move | None = None


class Table(NamedTuple):
    """Rows under a title, their numbers as text; `left_out` is how many more there are."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    left_out: int = 0


def causes(builds: Builds) -> Iterator[Cause]:
    """What is placed differently, a cause each."""
    for move in builds.moves:
        yield _cause(move)
    if builds.order:
        names = listed(builds.order, most=5)
        yield Cause(None, f"{counted(len(builds.order), 'output section')} elsewhere among the others: {names}", ())


def _cause(move: Move) -> Cause:
    what = f"{counted(move.count, move.unit)} ({counted(move.size, 'byte')})"
    facts = []
    if move.kind == "moved":
        message = f"{what} went from {move.old.output} to {move.new.output}"
    elif move.kind == "discarded":
        message = f"{what} of {move.old.output} {'is' if move.count == 1 else 'are'} discarded now"
    elif move.kind == "kept":
        message = f"{what} of {move.new.output} {'was' if move.count == 1 else 'were'} discarded before"
    else:
        message = f"{what} {'stands' if move.count == 1 else 'stand'} elsewhere in {move.new.output}"
    facts += [fact for fact in (_taken(move.new, "taken by"), _taken(move.old, "before by")) if fact]
    if len(facts) == 2 and move.new.statement == move.old.statement and move.kind == "order":
        facts = facts[:1]
    more = move.count - len(move.named)
    facts += [*move.named, *([f"and {more:,} more"] if more else [])]
    return Cause(move.new.place or move.old.place, message, tuple(facts), move)


def _taken(taken: Taken, word: str) -> str:
    if not taken.statement:
        return ""
    place = f", {taken.place.file}:{taken.place.line}:{taken.place.column}" if taken.place is not None else ""
    return f"{word} `{taken.statement}`{place}"


def tables(builds: Builds) -> Iterator[Table]:
    """The tables that have something to show."""
    sizes = ("", "old", "new", "change")
    totals = [(_TOTALS[one.name], *_row(one)[1:]) for one in builds.totals]
    yield Table("sizes in bytes", sizes, totals)
    if builds.regions:
        rows = [(one.name, f"{one.new or 0:,}", f"{one.of:,}", _signed(one), bar(one)) for one in builds.regions]
        yield Table(REGIONS, ("region", "used", "of", "change", ""), rows)
    detailed = (*sizes, "")
    for title, changes, head in (
        ("output sections", builds.sections, detailed),
        ("segments", builds.segments, detailed),
        ("objects", builds.objects, sizes),
        ("symbols", builds.symbols, detailed),
        ("input sections", () if builds.symbols else builds.inputs, detailed),
        ("orphans that came or went", builds.orphans, detailed),
        ("padding by cause", [one for one in builds.padding if one.by], sizes),
    ):
        if changes:
            yield _table(title, head, changes)


def _table(title: str, head: tuple[str, ...], changes: Sequence[Change], most: int = _MOST_ROWS) -> Table:
    rows = tuple((*_row(one), one.detail)[: len(head)] for one in changes[:most])
    return Table(title, head, rows, max(0, len(changes) - most))


def _row(change: Change) -> tuple[str, str, str, str]:
    old, new = ("-" if size is None else f"{size:,}" for size in (change.old, change.new))
    return change.name, old, new, _signed(change)


def _signed(change: Change) -> str:
    return f"{change.by:+,}" if change.by else "0"


def bar(change: Change) -> str:
    """How full a region is, drawn and in percent."""
    if not change.of:
        return ""
    share = (change.new or 0) / change.of
    filled = min(_BAR, round(share * _BAR))
    return f"[{'#' * filled}{'.' * (_BAR - filled)}] {100 * share:.1f}%"


def summary(builds: Builds) -> str:
    """The outcome in one sentence."""
    total = builds.totals[0]
    change = f"{total.by:+,}" if total.by else "as before"
    placed = "nothing is placed differently" if builds.compared else "what lies where is not compared"
    count = sum(1 for _ in causes(builds))
    if count:
        placed = f"{counted(count, 'cause')} of what is placed differently"
    elif builds.orphans:
        placed = f"{counted(len(builds.orphans), 'orphan')} came or went"
    return f"{placed}; {counted(total.new or 0, 'byte')} in memory ({change})"


def rest(builds: Builds) -> Iterator[str]:
    """What slid, and what could not be told."""
    if builds.slid:
        yield builds.slid
    yield from builds.untold


def aligned(table: Table) -> Iterable[str]:
    """A table in columns; names on the left, numbers on the right."""
    indented = [(f"  {row[0]}", *row[1:]) for row in table.rows]
    shown = [tuple(map(_short, row)) for row in [(table.title, *table.head[1:]), *indented]]
    widths = [max(len(row[at]) for row in shown) for at in range(4)]
    for row in shown:
        cells = [cell.rjust(width) for cell, width in zip(row[1:4], widths[1:], strict=True)]
        yield "  ".join([row[0].ljust(widths[0]), *cells, *row[4:]]).rstrip()
    if table.left_out:
        yield f"  and {table.left_out:,} more"


def _short(text: str, most: int = 72) -> str:
    return text if len(text) <= most else f"{text[: most // 2 - 2]}...{text[len(text) - most // 2 + 1 :]}"


def as_json(builds: Builds) -> dict[str, object]:
    """All of it, nothing left out."""

    def place(at: Location | None) -> dict[str, object] | None:
        return None if at is None else {"file": at.file, "line": at.line, "column": at.column}

    def taken(one: Taken) -> dict[str, object]:
        return {"output": one.output, "statement": one.statement, "location": place(one.place)}

    def change(one: Change) -> dict[str, object]:
        told = {"name": one.name, "old": one.old, "new": one.new, "change": one.by, "detail": one.detail}
        return {**told, "of": one.of} if one.of else {**told}

    parts = ("totals", "regions", "sections", "segments", "objects", "inputs", "symbols", "orphans", "padding")
    return {
        "old": builds.old,
        "new": builds.new,
        "summary": summary(builds),
        "placed_alike": builds.placed_alike,
        "moves": [
            {
                "kind": move.kind,
                "old": taken(move.old),
                "new": taken(move.new),
                "inputs": move.count,
                "bytes": move.size,
                "named": list(move.named),
            }
            for move in builds.moves
        ],
        "order": list(builds.order),
        **{part: [*map(change, getattr(builds, part))] for part in parts},
        "slid": builds.slid,
        "untold": list(builds.untold),
    }
