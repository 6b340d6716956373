"""What the references of some objects have to be told of the link that these went into."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple, Protocol


class Elsewhere(NamedTuple):
    """Where a symbol is that no object at hand defines.

    `alias` is the symbol that it is another name of, if an object at hand defines that; else the input section and its
    file are told. Nothing of both is known where no evidence tells.
    """

    alias: str = ""
    section: str = ""
    file: str = ""
    member: str = ""

    @property
    def known(self) -> bool:
        """Whether anything is known of its place."""
        return bool(self.alias or self.section)


class Around(Protocol):
    """A link, as far as it has what the objects at hand do not tell."""

    def find(self, name: str, known: Collection[str]) -> Elsewhere | None:
        """Where a symbol is that is none of the `known` ones, which objects at hand define.

        None where it is no name of what an input section has: it marks a place, is a number, or is not in the link.
        """

    def is_replaced(self, name: str, file: str, member: str, section: str) -> bool:
        """Whether the link took another definition of a symbol than a weak or common one at hand."""

    def lacking(self, given: Iterable[str], source: Callable[[str], bool], at: Callable[[int | None], bool]) -> str:
        """The sentence on a file of the map that is not at hand, and has a section that is wanted; empty for none."""
