"""From a plan to the configurations that there are: every way through the conditions, or a choice that covers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ldcheck.findings import CheckError
from ldcheck.preprocess.configurations import Assignment, Value
from ldcheck.preprocess.explore import Explorer, Walk
from ldcheck.preprocess.not_varied import unknown_choices
from ldcheck.preprocess.plan import Plan
from ldcheck.preprocess.rendering import Renderer
from ldcheck.preprocess.varied import used_in_text
from ldcheck.words import counted

# How often combinations are made anew that avoid what an #error was found to refuse.
MAX_ROUNDS = 6


class Walks(NamedTuple):
    """The configurations that the sources do not refuse, at least one, and what people should know of the others.

    `complete` says that there are no others than those that the notes tell of as refused. `assumed` is the one of the
    notes that says which symbols were taken as not defined because nothing is known of them; empty if none was.
    """

    possible: tuple[Walk, ...]
    notes: tuple[str, ...]
    complete: bool
    assumed: str


def possible_walks(plan: Plan, renderer: Renderer | None = None) -> Walks:
    """Walk through the conditions of a plan's sources. Raises CheckError where they refuse every combination.

    `renderer` keeps what was read before.
    """
    notes: list[str] = []
    # The text of a single configuration comes from the preprocessor anyway.
    explorer = Explorer(plan.inputs, plan.symbols, renderer, rendering=plan.renders and bool(plan.symbols))
    walks = explorer.walk(plan.limit, used_in_text(plan.survey, plan.symbols))
    complete = walks is not None
    if walks is None:
        walks = _cover(plan, explorer)
        notes.append(
            f"{len(plan.symbols)} symbols decide in more than {plan.limit} ways what the script is: {len(walks)} "
            f"configurations were checked, which cover every pair of their values; combinations of three and more "
            f"were left out ({', '.join(plan.symbols)})"
        )
    possible = tuple(walk for walk in walks if walk.stopped is None)
    stops = list(dict.fromkeys(walk.stopped for walk in walks if walk.stopped is not None))
    if not possible:
        raise CheckError(*stops[:3])
    for stop in stops:
        count = sum(walk.stopped == stop for walk in walks)
        place = f"{stop.location.file}:{stop.location.line}"
        notes.append(f"{counted(count, 'combination')} left out, refused by {stop.message} ({place})")
    assumed = unknown_choices(plan.survey, possible[0].missing) if plan.unconfigured else ""
    if assumed:
        notes.append(assumed)
    return Walks(possible, tuple(notes), complete, assumed)


def repeated_walks(
    plan: Plan, renderer: Renderer, assignments: Sequence[Assignment], *, complete: bool, assumed: str
) -> Walks | None:
    """The ways of configurations that there were before; None where they are not all that there are."""
    explorer = Explorer(plan.inputs, plan.symbols, renderer, rendering=plan.renders and bool(plan.symbols))
    found = [explorer.repeat(assignment) for assignment in assignments]
    walks = tuple(walk for walk in found if walk is not None and walk.stopped is None)
    return Walks(walks, (), complete, assumed) if len(walks) == len(found) else None


def _cover(plan: Plan, explorer: Explorer) -> list[Walk]:
    from ldcheck.preprocess.covering import covering_rows

    refused: list[Assignment] = []
    walks: dict[tuple[tuple[str, Value], ...], Walk] = {}
    for _ in range(MAX_ROUNDS):
        walks.clear()
        causes: list[Assignment] = []
        for row in covering_rows(plan.symbols, refused):
            walk = explorer.follow(row)
            walks.setdefault(tuple(sorted(walk.assignment.items(), key=lambda item: item[0])), walk)
            if walk.cause and walk.cause not in causes:
                causes.append(walk.cause)
        # What an #error refuses covers nothing: other rows must.
        refused += causes
        if not causes:
            break
    return list(walks.values())
