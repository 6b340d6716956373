"""Which linker's language a script is written in.

GNU ld's language is the default and the measure of everything here. The dialect of lld is the same grammar with the
commands that lld adds; where lld reads less than GNU ld does, `linker-portability` says so, not the parser.
"""

from __future__ import annotations


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
