"""What expressions and statements name, found once for each: the configurations of a script share most of theirs.

What is kept is kept by the identity of the node, which never changes.
"""

from __future__ import annotations

from functools import lru_cache

from ldcheck.script.syntax import (
    Assignment,
    Binary,
    Call,
    Command,
    Conditional,
    Expression,
    MemoryRegion,
    Name,
    Node,
    ProgramHeader,
    Script,
    Unary,
    Word,
    children,
    statements,
    walk,
)

# More statements than people write in one script, with all of its configurations.
_KEPT = 1 << 14
_NONE: frozenset[str] = frozenset()


@lru_cache(maxsize=_KEPT)
def leaves(expression: Expression) -> tuple[Name | Call, ...]:
    """The names and the functions in an expression, of any depth, in no certain order."""
    found: list[Name | Call] = []
    pending: list[Expression] = [expression]
    while pending:
        node = pending.pop()
        if isinstance(node, Binary):
            pending.append(node.left)
            pending.append(node.right)
        elif isinstance(node, Name):
            found.append(node)
        elif isinstance(node, Call):
            found.append(node)
            pending.extend(item for item in node.arguments if not isinstance(item, Word))
        elif isinstance(node, Unary):
            pending.append(node.operand)
        elif isinstance(node, Conditional):
            pending.extend((node.test, node.yes, node.no))
    return tuple(found)


@lru_cache(maxsize=_KEPT)
def symbols_in(expression: Expression) -> frozenset[str]:
    """The symbols in an expression, the location counter among them."""
    return frozenset([part.name for part in leaves(expression) if isinstance(part, Name)])


@lru_cache(maxsize=_KEPT)
def parts(node: Node) -> tuple[Node, ...]:
    """An expression, or a statement that has no body, and all nodes below it, parents first."""
    return tuple(walk(node))


@lru_cache(maxsize=_KEPT)
def sections_addressed(expression: Expression) -> frozenset[str]:
    """The output sections whose addresses an expression asks for, which makes linkers keep them, be they empty."""
    return frozenset(
        part.arguments[0].text
        for part in leaves(expression)
        if isinstance(part, Call) and part.function in ("ADDR", "LOADADDR") and isinstance(part.arguments[0], Word)
    )


@lru_cache(maxsize=80)
def statements_of(tree: Script) -> tuple[Node, ...]:
    """Every statement of a script, at any level, in its order."""
    return tuple(statements(tree))


@lru_cache(maxsize=80)
def symbol_lines(tree: Script) -> str:
    """The symbols that a script assigns, and what it mentions, each behind a line end: a prefix is sought at once."""
    assigned = (node.target.text for node in statements_of(tree) if isinstance(node, Assignment))
    return "".join(f"\n{name}" for name in (*assigned, *mentioned(tree)))


def mentioned(tree: Script) -> frozenset[str]:
    """The symbols that a script uses and the names of its regions and segments; not the location counter.

    A symbol that only the objects define may stand in an expression, or in ENTRY().
    """
    found: set[str] = set()
    pending: list[Node] = [tree]
    while pending:
        node = pending.pop()
        for child in children(node):
            if getattr(child, "statements", None) or getattr(child, "sections", None):
                pending.append(child)
            else:
                found |= _mentioned(child)
    return frozenset(found - {"."})


@lru_cache(maxsize=_KEPT)
def _mentioned(statement: Node) -> frozenset[str]:
    found: set[str] = set()
    for node in parts(statement):
        if isinstance(node, Name):
            found.add(node.name)
        elif isinstance(node, MemoryRegion | ProgramHeader):
            found.add(node.name.text)
        elif isinstance(node, Command) and node.keyword in ("ENTRY", "EXTERN"):
            found.update(word.text for word in node.arguments)
    return frozenset(found) if found else _NONE
