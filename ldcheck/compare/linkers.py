"""A comparison for the linker that is meant: what it cannot say where that is not GNU ld, whose rules it goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldcheck.compare import run
from ldcheck.findings import CheckError, InputError
from ldcheck.judging.meant import meant_by
from ldcheck.linker import GNU, Linker
from ldcheck.record import replace
from ldcheck.source import Location

if TYPE_CHECKING:
    from ldcheck.compare.configurations import Comparison
    from ldcheck.project.target import Target


def compare(target: Target, old: run.Read, new: run.Read, asked: run.Asked) -> Comparison:
    """What two sides of a target do differently; see `ldcheck.compare.run`.

    Raises CheckError, also for inputs that are to be played through for another linker than GNU ld.
    """
    linkers = meant_by(target).linkers
    other = next((linker for linker in linkers if linker.kind != GNU.kind), None)
    if other is not None and asked.inputs.named:
        message = f"not predicted: inputs are played through by the rules of {GNU.name}, and {other} is meant"
        raise CheckError(InputError(message, Location(new.name), help="link with both scripts, and compare the builds"))
    found = run.compare(old, new, asked)
    return found if other is None or not found.compared else _told_for(other, found, old, new)


def _told_for(other: Linker, found: Comparison, old: run.Read, new: run.Read) -> Comparison:
    """A comparison without what does not hold for another linker: scripts that read the same are the same to it."""
    note = f"what follows from the statements is told by the rules of {GNU.name}, and {other} is meant"
    proved = found.proved and _texts(old) == _texts(new)
    reason = f"it is proved for {GNU.name} alone, and {other} is meant" if found.proved and not proved else found.reason
    return replace(found, proved=proved, reason=reason, notes=(*found.notes, note))


def _texts(side: run.Read) -> list[tuple[str, ...]]:
    return [tuple(source.text for source in parse.sources.sources) for parse in side.scripts.parses]
