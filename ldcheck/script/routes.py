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
    walk,
)


def routes(tree: Script) -> dict[int, str]:
    """The route of every node of the tree, by the node's `id`. What has none of its own has its parent's."""
    found: dict[int, str] = {id(tree): ""}
    _place(tree.statements, "", found)
    return found


def _flat(statements: Iterable[Node]) -> Iterator[Node]:
    """Statements with those of included files in their place; the INCLUDE itself comes first."""
    for statement in statements:
        yield statement
        if isinstance(statement, Include) and statement.statements is not None:
            yield from _flat(statement.statements)


def _place(statements: Iterable[Node], parent: str, found: dict[int, str]) -> None:
    """Enter the routes of statements that stand side by side, and of all that is in them."""
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
        _enter(statement, route, found)


def _enter(statement: Node, route: str, found: dict[int, str]) -> None:
    found[id(statement)] = route
    inner = _inner(statement)
    if isinstance(statement, Include):
        found[id(statement.path)] = route
        return
    inside = {id(node) for node in inner}
    pending = [statement]
    while pending:
        node = pending.pop()
        for child in children(node):
            if id(child) not in inside:
                found[id(child)] = route
                pending.append(child)
    _place(inner, route, found)
    if isinstance(statement, InputSectionDescription):
        _patterns(statement, route, found)


def _patterns(statement: InputSectionDescription, route: str, found: dict[int, str]) -> None:
    seen: dict[str, int] = {}
    for pattern in statement.patterns or ():
        text = pattern.pattern.text
        seen[text] = seen.get(text, 0) + 1
        own = f"{route}/{text}" if seen[text] == 1 else f"{route}/{text}#{seen[text]}"
        for node in walk(pattern):
            found[id(node)] = own


def _inner(statement: Node) -> tuple[Node, ...]:
    """The statements inside a statement."""
    if isinstance(statement, Sections | OutputSection | SectionGroup | SectionClass | Memory):
        return statement.statements
    if isinstance(statement, Overlay):
        return statement.sections
    if isinstance(statement, ProgramHeaders):
        return statement.headers
    if isinstance(statement, Version):
        return statement.nodes
    return ()


def _name(statement: Node) -> str:
    """What a statement goes by; empty if it has to be counted."""
    if isinstance(statement, OutputSection | MemoryRegion | ProgramHeader | SectionClass):
        return statement.name.text
    if isinstance(statement, Assignment):
        return statement.target.text
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
