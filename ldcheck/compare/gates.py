"""What two builds are held to: that nothing grows, and how much of a memory region, or of memory, may be used.

A budget is `REGION=SIZE`, `REGION=95%` (of the region), or `REGION=+SIZE` (how much more than before); instead of a
region it names an output section, or `memory` or `file` for all of them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ldcheck.compare.builds import Builds, Change
from ldcheck.findings import CheckError, InputError
from ldcheck.policy.sizes import plain_size, share_of
from ldcheck.record import dataclass
from ldcheck.source import Location
from ldcheck.words import counted, did_you_mean

if TYPE_CHECKING:
    from ldcheck.compare.sides import Side


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of something may be used: `most` bytes, a `share` of all of it, or `more` bytes than before."""

    name: str
    text: str
    most: int | None = None
    share: str = ""
    more: int | None = None


@dataclass(frozen=True, slots=True)
class Unmet:
    """Something that is not as it was asked for; `place` is where it comes from, if that is known."""

    message: str
    place: Location | None = None


def budget(text: str) -> Budget:
    """A budget as it is written. Raises CheckError for anything else."""
    name, equals, value = text.rpartition("=")
    name, value = name.strip(), value.strip()
    if equals and name:
        if value.endswith("%"):
            digits = value[:-1]
            if digits.replace(".", "", 1).isdecimal() and digits.isascii() and len(digits) < 10:
                return Budget(name, value, share=value)
        elif value.startswith("+"):
            size = plain_size(value[1:])
            if size is not None:
                return Budget(name, value, more=size)
        else:
            size = plain_size(value)
            if size is not None:
                return Budget(name, value, most=size)
    help_text = "write NAME=SIZE, NAME=PERCENT% or NAME=+SIZE: FLASH=120K, FLASH=95%, memory=+1K"
    raise CheckError(InputError(f"`{text}` is no budget", Location("--budget"), help=help_text))


def unmet(found: Builds, new: Side, budgets: Iterable[Budget], *, no_growth: bool) -> Iterator[Unmet]:
    """What is not as asked for. Raises CheckError for a budget of something that the builds do not have."""
    cause = next((move.new.place for move in found.moves if move.new.place is not None), None)
    if no_growth:
        for change in found.regions:
            _refuse_doubt(change, change.by > 0, change.by_at_least > 0)
        for change in found.grown:
            yield Unmet(f"{_called(change, found)} grew by {counted(change.by, 'byte')}, to {change.new or 0:,}", cause)
    for one in budgets:
        change = _named(one, found, new)
        used = change.new or 0
        if one.more is not None:
            _refuse_doubt(change, change.by > one.more, change.by_at_least > one.more)
            if change.by > one.more:
                over = counted(change.by, "byte")
                yield Unmet(f"{_called(change, found)} grew by {over}, of which the budget allows {one.more:,}", cause)
            continue
        if one.share and not change.of:
            message = f"{one.name} is no memory region of {found.new}: nothing tells what {one.text} of it is"
            raise CheckError(InputError(message, Location("--budget"), help="give a size"))
        most = one.most if one.most is not None else share_of(one.share, change.of)
        _refuse_doubt(change, used > most, used - change.doubt[1] > most)
        if used > most:
            share = f" ({100 * used / change.of:.1f}% of {change.of:,})" if change.of else ""
            yield Unmet(
                f"{_called(change, found)}: {counted(used, 'byte')} used{share}, "
                f"{used - most:,} more than the budget of {one.text}",
                cause,
            )


def _refuse_doubt(change: Change, most: bool, least: bool) -> None:
    """Raise CheckError where it turns on what a map does not tell whether something is unmet."""
    if least is not most:
        message = f"how much of {change.name} is used, a map does not tell: not which sections have content"
        help_text = "give the ELF files, or the scripts, if they have (NOLOAD)"
        raise CheckError(InputError(message, Location("--budget"), help=help_text))


def _called(change: Change, found: Builds) -> str:
    if change in found.totals:
        names = {"memory": "what is in memory", "file": "what is in the file", "segments": "what the segments take"}
        return names.get(change.name, change.name)
    return change.name


def _named(one: Budget, found: Builds, new: Side) -> Change:
    """What a budget is about: a region, a total, else an output section."""
    for change in (*found.regions, *found.totals, *found.sections):
        if change.name == one.name:
            return change
    size = sum(section.size for section in new.sections if section.name == one.name)
    if size:
        return Change(one.name, size, size)
    names = [change.name for change in (*found.regions, *found.totals)]
    names += [section.name for section in new.sections]
    message = f"{found.new} has no memory region and no output section {one.name}"
    raise CheckError(InputError(message, Location("--budget"), help=did_you_mean(one.name, names)))
