"""The memory regions of a script: which there are, where they are, and by which other names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from ldcheck.script.syntax import Command, Node, Script

if TYPE_CHECKING:
    from ldcheck.layout.result import Layout

Regions = Mapping[str, tuple[int, int]]


def fixed_regions(tree: Script, declared: Collection[str], layout: Callable[[], Layout]) -> Regions:
    """Origin and length in bytes of the declared regions that are the same in every link.

    `layout` is asked where the script alone does not tell.
    """
    from ldcheck.layout.image_values import regions_of

    found = regions_of(tree)
    if len(found) < len(declared):
        # Some are made of symbols, or of other regions.
        for name, (origin, length) in layout().grounds.regions.items():
            if name in declared and origin.value is not None and length.value is not None:
                found.setdefault(name, (origin.value, length.value))
    return found


def region_aliases(statements: Iterable[Node]) -> dict[str, Command]:
    """What gives a memory region another name, by that name; its second argument is the region."""
    return {
        node.arguments[0].text: node
        for node in statements
        if isinstance(node, Command) and node.keyword == "REGION_ALIAS" and len(node.arguments) == 2
    }


def by_all_names(regions: Regions, aliases: Mapping[str, Command]) -> Regions:
    """The regions by their own names and by their aliases."""
    others = {alias: node.arguments[1].text for alias, node in aliases.items()}
    return {**{alias: regions[name] for alias, name in others.items() if name in regions}, **regions}
