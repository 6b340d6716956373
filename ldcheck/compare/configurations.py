"""Two targets in all their configurations: each pair of scripts that belong together is compared once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ldcheck.compare.scripts import Entry, compare_scripts
from ldcheck.record import dataclass
from ldcheck.words import counted, listed

if TYPE_CHECKING:
    from ldcheck.compare.builds import Builds
    from ldcheck.compare.everywhere import Sources
    from ldcheck.compare.gates import Unmet
    from ldcheck.compare.items import Item
    from ldcheck.compare.verdicts import VerdictChange
    from ldcheck.findings import InputError
    from ldcheck.judging.scripts import Scripts
    from ldcheck.layout.picture import Picture

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, and whether it is `proved` that nothing does, in every configuration.

    `conditions` tell for each entry in which configurations it is so; empty is all of them. `reason` says why nothing
    is proved although nothing differs. `compared` is the number of pairs of scripts, 0 where no scripts were given.
    `builds` is what two builds do differently, and `unmet` what of them is not as it was asked for. `verdicts` are
    those of policies that are others than before. `errors` are why nothing was compared.
    """

    entries: tuple[Entry, ...]
    conditions: tuple[str, ...]
    proved: bool
    reason: str
    compared: int
    reordered: bool = False
    notes: tuple[str, ...] = ()
    builds: Builds | None = None
    unmet: tuple[Unmet, ...] = ()
    errors: tuple[InputError, ...] = ()
    pictures: tuple[Picture, ...] = ()
    verdicts: tuple[VerdictChange, ...] = ()


def compare_targets(old: Scripts, new: Scripts, sources: tuple[Sources, Sources] | None = None) -> Comparison:
    """The scripts of one target compared with those of another, configuration by configuration.

    With `sources`, it is also tried to prove of more configurations than were looked at that they are the same.
    """
    pairs = belonging(old, new)
    reordered = False
    notes = tuple(dict.fromkeys((*old.notes, *new.notes)))
    missing = old.missing or new.missing
    at_risk: dict[str, None] = {}
    known: dict[int, Item] = {}
    found: dict[tuple[str, str, object, object, tuple[str, ...]], tuple[Entry, set[int]]] = {}
    for one, other in pairs:
        if _is_one_text(old, new, one, other):
            continue
        difference = compare_scripts(old.parses[one], new.parses[other], known, missing=missing)
        reordered = reordered or difference.reordered
        at_risk.update(dict.fromkeys(difference.at_risk))
        for entry in difference.entries:
            key = (entry.kind, entry.message, entry.old, entry.new, entry.facts)
            found.setdefault(key, (entry, set()))[1].add(other)
    entries = [entry for entry, _ in found.values()]
    conditions = [
        new.condition(chosen, [entry.new] if entry.new is not None else []) for entry, chosen in found.values()
    ]
    reason = _open_question(old, new, len(pairs))
    if reason and not entries and sources is not None and old.preprocessed and new.preprocessed:
        from ldcheck.compare.everywhere import same_everywhere

        if pairs and same_everywhere(*sources, (old, new), _all_pairs):
            reason = ""
    if at_risk:
        some = listed([*at_risk], _MOST_NAMED)
        reason = f"what {some} stand for is not known, as headers are missing: in parentheses it may be another value"
    return Comparison(
        tuple(entries), tuple(conditions), not entries and not reason, reason, len(pairs), reordered, notes
    )


def belonging(old: Scripts, new: Scripts) -> list[tuple[int, int]]:
    """The pairs of scripts of two sides that belong together, by their places among the parses of each."""
    return sorted(set(_pairs(old, new)))


def _all_pairs(old: Scripts, new: Scripts) -> list[tuple[int, int]] | None:
    """The pairs of scripts of two sides; None where there may be others, or something is only assumed."""
    pairs = belonging(old, new)
    return None if _open_question(old, new, len(pairs)) else pairs


def _is_one_text(old: Scripts, new: Scripts, one: int, other: int) -> bool:
    """Whether two scripts are equal to the letter, as most configurations are that a change does not touch."""
    if old.preprocessed and new.preprocessed:
        return old.preprocessed[one].source.text == new.preprocessed[other].source.text
    before, after = old.parses[one].sources.sources, new.parses[other].sources.sources
    return [source.text for source in before] == [source.text for source in after]


def _pairs(old: Scripts, new: Scripts) -> Iterator[tuple[int, int]]:
    """The scripts that the same configurations give: what one side does not ask for, it does not depend on."""
    before, after = _definitions(old), _definitions(new)
    for one, known in before:
        for other, wanted in after:
            if all(known[name] == wanted[name] for name in known.keys() & wanted.keys()):
                yield one, other


def _definitions(scripts: Scripts) -> list[tuple[int, Mapping[str, str | None]]]:
    if not scripts.preprocessed:
        return [(at, {}) for at in range(len(scripts.parses))]
    return [
        (at, configuration.definitions)
        for at, one in enumerate(scripts.preprocessed)
        for configuration in one.configurations
    ]


def _open_question(old: Scripts, new: Scripts, pairs: int) -> str:
    """Why nothing is proved of all configurations; empty if they were all looked at."""
    if not pairs:
        return "no configuration of the one script is one of the other"
    sides = [one for side in (old, new) for one in side.preprocessed]
    if not all(one.complete for one in sides):
        return f"there are more configurations than those of the {counted(pairs, 'pair')} that were compared"
    return next((one.assumed for one in sides if one.assumed), "")
