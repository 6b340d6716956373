"""Which linker's language a script is written in.

GNU ld's language is the default and the measure of everything here. The dialect of lld adds what lld reads and GNU ld
does not: OVERWRITE_SECTIONS and CLASS, several names in one SORT, an EXCLUDE_FILE for all names behind it, commas that
are never parts of names, ASSERT in an output section without a semicolon, PROVIDE(x=1). Where lld reads less than GNU
ld does, `linker-portability` says so, not the parser.
"""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.linker import Linker


class Dialect:
    """A linker's language. `name` is what people are shown; `commands` are the keywords beyond GNU ld's."""

    __slots__ = ("commands", "name")

    def __init__(self, name: str, commands: frozenset[str] = frozenset()) -> None:
        self.name = name
        self.commands = commands

    def __repr__(self) -> str:
        return f"Dialect({self.name!r})"


GNU = Dialect("gnu")
LLD = Dialect("lld", frozenset({"OVERWRITE_SECTIONS", "CLASS"}))


def dialect_of(linkers: Sequence[Linker]) -> Dialect:
    """The language of the linkers that are meant: GNU ld's where one of them is GNU ld, or none is given."""
    return LLD if linkers and all(linker.kind == "lld" for linker in linkers) else GNU
