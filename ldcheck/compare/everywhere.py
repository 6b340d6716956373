"""A proof for all configurations of two scripts that have too many to look at each: by what differs in the sources.

Outside of the hunks both sources say the same in every configuration. If the statements of each hunk, taken alone, have
one form in every configuration that decides what they are, both scripts have one form in all. Each hunk is asked for
without what stands around it, so that nothing counts that hangs on other statements; those on which it hangs what it is
are few.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.compare.hunks import Hunk, alone, hunks
from ldcheck.compare.lines import Lines, alive
from ldcheck.compare.normal import taken_alone
from ldcheck.compare.unknown import Side, names_at_risk

if TYPE_CHECKING:
    from ldcheck.judging.scripts import Scripts

_MOST_HUNKS = 40
# Where a hunk may stand, the strictest reading first.
_WRAPPERS = (("SECTIONS { .hunk : {", "} }"), ("SECTIONS {", "}"), ("", ""))

Pairs = Callable[["Scripts", "Scripts"], "list[tuple[int, int]] | None"]


class Sources(NamedTuple):
    """The sources of one side: the name of the script, and what its scripts are with another text of it.

    `first` are the headers that are included ahead of the script, `defined` the macros that are defined anyway.
    """

    script: str
    edited: Callable[[str], Scripts]
    first: tuple[str, ...] = ()
    defined: frozenset[str] = frozenset()


def same_everywhere(old: Sources, new: Sources, scripts: tuple[Scripts, Scripts], pairs: Pairs) -> bool:
    """Whether it is proved that two scripts are the same in every configuration.

    `scripts` are those that were looked at; `pairs` pairs the scripts of two sides, None if they are not all.
    """
    names = tuple(os.path.basename(side.script) for side in (old, new))
    texts = tuple(_code(side, source) for side, source in zip(scripts, (old, new), strict=True))
    if names[0] not in texts[0] or names[1] not in texts[1]:
        return False
    first = _from_folder(old.script, old.first), _from_folder(new.script, new.first)
    before, after = Lines(texts[0][names[0]]), Lines(texts[1][names[1]])

    def same(hunk: Hunk) -> bool:
        return _same(
            lambda wrapper: (alone(before, *hunk.old, wrapper), alone(after, *hunk.new, wrapper)), old, new, pairs
        )

    for joined in (False, True):
        # Of what moved a little, the way is part.
        found = hunks(texts[0], texts[1], (names[0], names[1]), first=first, joined=joined)
        if found is None or len(found) > _MOST_HUNKS:
            return False
        if all(map(same, found)):
            return True
        if len(found) < 2:
            return False
    return False


def _code(scripts: Scripts, source: Sources) -> Mapping[str, str]:
    """The code of every file that some configuration may include, by their paths from the script's folder."""
    files = {file.name: file.code for file in scripts.preprocessed[0].origin.files.all() if not file.virtual}
    lines = {name: Lines(code) for name, code in files.items()}
    ahead = [os.path.normpath(name) for name in (source.script, *source.first)]
    chosen = sorted(alive(lines, ahead, source.defined) | (files.keys() & scripts.files()))
    return dict(zip(_from_folder(source.script, chosen), map(files.__getitem__, chosen), strict=True))


def _from_folder(script: str, names: Iterable[str]) -> tuple[str, ...]:
    folder = os.path.dirname(script) or "."
    return tuple(os.path.relpath(name, folder) for name in names)


def _same(texts: Callable[[tuple[str, str]], tuple[str, str]], old: Sources, new: Sources, pairs: Pairs) -> bool:
    """Whether the statements of a hunk are the same in all configurations, read where they may stand."""
    from ldcheck.findings import CheckError

    for wrapper in _WRAPPERS:
        one, other = texts(wrapper)
        try:
            before, after = old.edited(one), new.edited(other)
        except CheckError:
            return False
        if not all(parse.ok for side in (before, after) for parse in side.parses):
            continue
        chosen = pairs(before, after)
        return chosen is not None and all(_equal(before, after, *pair) for pair in chosen)
    return False


def _equal(before: Scripts, after: Scripts, one: int, other: int) -> bool:
    """Whether two scripts of one hunk have one form, whatever is not known stands for."""
    sides = (before.parses[one], after.parses[other])
    old, new = (Side(parse.sources, taken_alone(parse.tree)) for parse in sides)
    if [item.text for item in old.items] != [item.text for item in new.items]:
        return False
    return not (before.missing or after.missing) or not names_at_risk(old, new)
