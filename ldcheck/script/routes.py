"""The symbolic place of every node: `SECTIONS/.text/3/.text.*`. Baselines and fingerprints are made of it.

A route is to survive edits elsewhere in the script, so names are preferred to counts: an output section, a symbol, a
region goes by its name, and `#2` tells the second one of a name in the same place. Only what has no name is counted: a
statement of an output section is given its number there, from 1. Files that INCLUDE pulled in leave no trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Command,
    Include,
    InputFiles,
    InputSectionDescription,
    Insert,
    Memory,
    MemoryRegion,
    Node,
    OutputSection,
    Overlay,
    ProgramHeader,
    ProgramHeaders,
    Script,
    SectionClass,
    SectionGroup,
    Sections,
    Version,
    VersionNode,
    children,
)


class Routes:
    """The routes of a tree. What has none of its own, such as an expression, has that of the statement it is in."""

    __slots__ = ("_below", "_found")

    def __init__(self, tree: Script) -> None:
        self._found: dict[int, str] = {id(tree): ""}
        # What is below statements is entered when somebody asks for the first of it: most ask for statements only.
        self._below: list[Node] = []
        self._place(tree.statements, "")

    def of(self, node: Node) -> str:
        """The route of a node; empty for the tree itself, and for what is not in it."""
        route = self._found.get(id(node))
        if route is None and self._below:
            self._descend()
            route = self._found.get(id(node))
        return route or ""

    def _place(self, statements: Iterable[Node], parent: str) -> None:
        """Enter the routes of statements that stand side by side, and of the statements in them."""
        seen: dict[str, int] = {}
        number = 0
        for statement in _flat(statements):
            if not isinstance(statement, Include):
                number += 1
            name = _name(statement)
            if isinstance(statement, Assertion):
                seen[name] = seen.get(name, 0) + 1
                name = f"{name}/{seen[name]}"
            elif name:
                seen[name] = seen.get(name, 0) + 1
                if seen[name] > 1:
                    name = f"{name}#{seen[name]}"
            route = f"{parent}/{name or number}" if parent else name or str(number)
            self._found[id(statement)] = route
            self._below.append(statement)
            if isinstance(statement, InputSectionDescription):
                self._patterns(statement, route)
            elif inner := _inner(statement):
                self._place(inner, route)

    def _patterns(self, statement: InputSectionDescription, parent: str) -> None:
        seen: dict[str, int] = {}
        for pattern in statement.patterns or ():
            text = pattern.pattern.text
            seen[text] = seen.get(text, 0) + 1
            self._found[id(pattern)] = f"{parent}/{text}" if seen[text] == 1 else f"{parent}/{text}#{seen[text]}"
            self._below.append(pattern)

    def _descend(self) -> None:
        """Enter what is below statements and patterns, each with the route of the innermost one."""
        pending, self._below = self._below, []
        while pending:
            node = pending.pop()
            for child in children(node):
                if id(child) not in self._found:
                    self._found[id(child)] = self._found[id(node)]
                    pending.append(child)


def _flat(statements: Iterable[Node]) -> Iterator[Node]:
    """Statements with those of included files in their place; the INCLUDE itself comes first."""
    for statement in statements:
        yield statement
        if isinstance(statement, Include) and statement.statements is not None:
            yield from _flat(statement.statements)


def _inner(statement: Node) -> tuple[Node, ...]:
    """The statements inside a statement."""
    kind = type(statement)
    inner: tuple[Node, ...] = getattr(statement, _INNER[kind]) if kind in _INNER else ()
    return inner


_INNER: dict[type[Node], str] = {
    Sections: "statements",
    OutputSection: "statements",
    SectionGroup: "statements",
    SectionClass: "statements",
    Memory: "statements",
    Overlay: "sections",
    ProgramHeaders: "headers",
    Version: "nodes",
}


def _name(statement: Node) -> str:
    """What a statement goes by; empty if it has to be counted."""
    if isinstance(statement, Assignment):
        return statement.target.text
    if isinstance(statement, OutputSection | MemoryRegion | ProgramHeader | SectionClass):
        return statement.name.text
    if isinstance(statement, Sections | Command | InputFiles):
        return statement.keyword
    if isinstance(statement, VersionNode):
        return "" if statement.name is None else statement.name.text
    return _KEYWORDS.get(type(statement), "")


_KEYWORDS: dict[type[Node], str] = {
    Assertion: "ASSERT",
    Include: "INCLUDE",
    Insert: "INSERT",
    Memory: "MEMORY",
    Overlay: "OVERLAY",
    ProgramHeaders: "PHDRS",
    SectionGroup: "GROUP",
    Version: "VERSION",
}
