"""Where a script asks for the size of an output section in its own body: for lld that is the size so far."""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.script.syntax import Assertion, Assignment, Call, Data, InputSectionDescription, Node, OutputSection, Word
from ldcheck.script.uses import parts
from ldcheck.sections.rules import flat


def own_sizes(section: OutputSection) -> Iterator[tuple[Node, Node, bool]]:
    """The statements that ask ahead of what the section still takes, and which part of each does.

    The third is whether the value is another one whatever is linked.
    """
    behind = grows = False
    for node in reversed([*flat(section.statements)]):
        if isinstance(node, Assignment | Assertion):
            for part in parts(node):
                if behind and isinstance(part, Call) and _asks_for(section, part):
                    yield node, part, grows and _is_all(node, part)
        elif isinstance(node, Data | InputSectionDescription):
            behind, grows = True, grows or isinstance(node, Data)
        if isinstance(node, Assignment) and node.target.text == ".":
            behind = True


def _asks_for(section: OutputSection, part: Call) -> bool:
    (name, *_) = (*part.arguments, None)
    return part.function == "SIZEOF" and isinstance(name, Word) and name.text == section.name.text


def _is_all(node: Node, part: Node) -> bool:
    """Whether a symbol is set to just that value."""
    if not isinstance(node, Assignment) or node.keyword.startswith("PROVIDE") or node.target.text == ".":
        return False
    value = node.value
    return value is part or (isinstance(value, Call) and value.function == "ABSOLUTE" and part in value.arguments)
