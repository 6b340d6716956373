"""Random edits of a script: some change nothing, some look as if they did, most change something."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from ldcheck.record import replace
from ldcheck.script.syntax import (
    Assignment,
    Binary,
    InputSectionDescription,
    Name,
    Node,
    Number,
    OutputSection,
    Script,
    SectionPattern,
    Sections,
)

# Whatever stands in a script may be put anywhere by an edit: what is no script any more is left out later.
Statements = tuple[Any, ...]


def edited(tree: Script, random: Random) -> Script:
    """The script with one to three edits."""
    for _ in range(random.choice((1, 1, 2, 3))):
        tree = _edit(tree, random)
    return tree


def _edit(tree: Script, random: Random) -> Script:
    at = random.choice([at for at, node in enumerate(tree.statements) if isinstance(node, Sections)])
    group = tree.statements[at]
    assert isinstance(group, Sections)
    if random.random() < 0.1 and len(group.statements) > 1:
        cut = random.randrange(1, len(group.statements))
        halves = tuple(replace(group, statements=part) for part in (group.statements[:cut], group.statements[cut:]))
        return replace(tree, statements=(*tree.statements[:at], *halves, *tree.statements[at + 1 :]))
    changed = replace(group, statements=_list(group.statements, random, outside=True))
    return replace(tree, statements=(*tree.statements[:at], changed, *tree.statements[at + 1 :]))


def _list(statements: Statements, random: Random, *, outside: bool) -> Statements:
    if not statements:
        return statements
    at = random.randrange(len(statements))
    node = statements[at]
    if isinstance(node, OutputSection) and random.random() < 0.75:
        body = _list(node.statements, random, outside=False)
        return (*statements[:at], replace(node, statements=body), *statements[at + 1 :])
    if random.random() < 0.3:
        return _shuffled(statements, at, random, outside=outside)
    return (*statements[:at], *_changed(node, random), *statements[at + 1 :])


def _shuffled(statements: Statements, at: int, random: Random, *, outside: bool) -> Statements:
    """Two neighbours exchanged, one dropped, one twice, or one elsewhere."""
    items = list(statements)
    way = random.randrange(4)
    if way == 0 and at + 1 < len(items):
        items[at], items[at + 1] = items[at + 1], items[at]
    elif way == 1 and len(items) > 1:
        del items[at]
    elif way == 2 and not (outside and isinstance(items[at], OutputSection)):
        items.insert(random.randrange(at, len(items)) + 1, items[at])
    elif way == 3:
        items.insert(random.randrange(len(items)), items.pop(at))
    return tuple(items)


def _changed(node: Node, random: Random) -> Statements:
    if isinstance(node, InputSectionDescription) and node.patterns:
        return _patterns(node, random)
    if isinstance(node, Assignment):
        return (_assignment(node, random),)
    if isinstance(node, OutputSection) and isinstance(node.align, Number):
        return (replace(node, align=_written(node.align, random)),)
    if isinstance(node, OutputSection) and node.align is None:
        # All sections are aligned to 1.
        aligned = Number(random.choice((1, 1, 2)), "", start=node.start, end=node.end)
        return (replace(node, align=replace(aligned, text=str(aligned.value))),)
    return (node,)


def _patterns(node: InputSectionDescription, random: Random) -> Statements:
    assert node.patterns
    patterns = list(node.patterns)
    way = random.randrange(6)
    if way == 0:
        random.shuffle(patterns)
    elif way == 1:
        # Nothing is left for the second one.
        patterns.append(random.choice(patterns))
    elif way == 2 and len(patterns) > 1:
        return tuple(replace(node, patterns=(pattern,)) for pattern in patterns)
    elif way == 3:
        return node, replace(node, keep=random.random() < 0.3, patterns=(random.choice(patterns),))
    elif way == 4:
        return (replace(node, keep=not node.keep),)
    else:
        patterns.append(_pattern(random.choice((".text", ".data", ".t1", ".t2", ".rodata*", ".nothing", "*")), node))
    return (replace(node, patterns=tuple(patterns)),)


def _pattern(text: str, node: InputSectionDescription) -> SectionPattern:
    assert node.patterns
    first = node.patterns[0]
    return replace(first, pattern=replace(first.pattern, text=text), exclude=(), sorts=())


def _assignment(node: Assignment, random: Random) -> Assignment:
    """Another way to write the same, or something near to it."""
    value = node.value
    place = {"start": node.start, "end": node.end}
    eight = Number(8, "8", **place)
    ways: list[Callable[[], Assignment]] = [
        lambda: replace(node, value=Binary("+", value, Number(0, "0", **place), **place)),
        lambda: replace(node, value=Binary("-", Binary("+", value, eight, **place), eight, **place)),
    ]
    if node.operator == "=" and isinstance(value, Binary) and isinstance(value.left, Name):
        if value.left.name == node.target.text and value.operator in "+-*":
            ways.append(lambda: replace(node, operator=f"{value.operator}=", value=value.right))
        if value.operator == "+":
            ways.append(lambda: replace(node, value=replace(value, left=value.right, right=value.left)))
        if isinstance(value.right, Number):
            number = _written(value.right, random)
            ways.append(lambda: replace(node, value=replace(value, right=number)))
    return random.choice(ways)()


def _written(number: Number, random: Random) -> Number:
    """The number written in another way, or seldom another one."""
    value = number.value if random.random() < 0.8 else number.value + 1
    return replace(number, value=value, text=random.choice((str(value), hex(value), f"0x{value:08X}")))
