"""What `from` and `to` of a rule on references stand for in one link: sections by name, and ranges of addresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from ldcheck.findings import Judgement, Standing
from ldcheck.judging.evidence import ImageView
from ldcheck.judging.expressions import image_regions
from ldcheck.judging.subjects import missing
from ldcheck.policy.rule import Named, Side
from ldcheck.sections.globs import fnmatch_glob
from ldcheck.words import listed


class Stretch(NamedTuple):
    """A side with its values: sections whose names `named` takes, all within one of `inside` and none of `outside`.

    `inside` and `outside` are half-open ranges of addresses; None where the side speaks of none. `text` is for people.
    """

    named: Callable[[str], bool]
    inside: Sequence[tuple[int, int]] | None
    outside: Sequence[tuple[int, int]] | None
    text: str

    @property
    def by_address(self) -> bool:
        """Whether it takes addresses to tell what belongs to it."""
        return self.inside is not None or self.outside is not None

    def holds(self, address: int | None) -> bool:
        """Whether an address is in its ranges; without ranges, each is."""
        if address is None:
            return not self.by_address
        if self.inside is not None and not any(start <= address < end for start, end in self.inside):
            return False
        return self.outside is None or not any(start <= address < end for start, end in self.outside)


def stretch_of(side: Side, view: ImageView) -> Stretch | Judgement:
    """The values of a side, or why there are none."""
    said = [listed([one.text for one in side.sections], joint="or")] if side.sections else []
    inside: list[tuple[int, int]] | None = None
    for symbols in filter(None, (side.between, side.outside)):
        for named in symbols:
            if view.symbol(named.text) is None:
                return missing([named.text], view, f"nothing linked defines {named.text}")
    if side.between:
        inside = [_range(side.between, view)]
        said.append(f"between {side.between[0].text} and {side.between[1].text}")
    if side.regions:
        known = image_regions(view)
        if view.script is None and not known:
            reason = f"only the script, or a map of GNU ld, tells where the region {side.regions[0].text} is"
            return Judgement(Standing.UNKNOWN, reason=reason)
        wanted = any_of([named.text for named in side.regions])
        found = [place for name, place in known.items() if wanted(name)]
        if not found:
            whose = "script" if view.script is not None else "link"
            reason = f"the {whose} has no memory region {listed([one.text for one in side.regions], joint='or')}"
            return Judgement(Standing.ABSENT, reason=reason)
        areas = [(origin, origin + length) for origin, length in found]
        if inside is not None:
            areas = [(max(a, c), min(b, d)) for a, b in inside for c, d in areas]
        inside = areas
        said.append(f"in {listed([named.text for named in side.regions], joint='or')}")
    outside = [_range(side.outside, view)] if side.outside else None
    if side.outside:
        said.append(f"outside of {side.outside[0].text} to {side.outside[1].text}")
    return Stretch(any_of([one.text for one in side.sections] or ["*"]), inside, outside, " ".join(said))


def any_of(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether a name matches one of some patterns."""
    globs = [fnmatch_glob(pattern) for pattern in patterns]
    # Most patterns are names and beginnings of names, which are looked up together.
    names = {glob.literal for glob in globs}
    beginnings = tuple(glob.prefix for glob in globs if glob.open_end)
    others = [glob for glob in globs if glob.literal is None and not glob.open_end]
    return cache(
        lambda name: name in names or name.startswith(beginnings) or any(glob.matches(name) for glob in others)
    )


def _range(symbols: Sequence[Named], view: ImageView) -> tuple[int, int]:
    start, end = (view.symbol(named.text) or 0 for named in symbols)
    return start, end
