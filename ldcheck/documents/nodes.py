"""Reading YAML that strangers wrote: plain data only, with the place of every value.

Policies and the configuration file are read here and nowhere else. What comes out are nodes that know where they stand
and keep scalars as they were written (`4K`, `0x1000`, `on` and `.data` stay text: YAML 1.1 would make numbers and flags
of some). What a value means is asked with the `as_...` functions, whose errors say what is allowed there.

Tags, merge keys, directives and further documents are refused: a policy is data, and reading it runs nothing. How a
text becomes nodes is `ldcheck.documents.parser`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NoReturn

from ldcheck.findings import CheckError, InputError
from ldcheck.source import Location, Related, Source
from ldcheck.words import did_you_mean, suggest

MAX_BYTES = 1 << 19


class Node:
    """A value in a document; `start` and `end` are offsets in `source`."""

    __slots__ = ("end", "size", "source", "start")

    kind = "a value"

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.size = 1

    @property
    def location(self) -> Location:
        """Where the value stands."""
        return self.source.locate(self.start, self.end)


class ScalarNode(Node):
    """A text as written, without its quotes and with escapes resolved. `plain`: neither quoted nor a block text."""

    __slots__ = ("plain", "text")

    kind = "a text"

    def __init__(self, source: Source, start: int, end: int, text: str, plain: bool) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.size = 1
        self.text = text
        self.plain = plain

    @property
    def is_null(self) -> bool:
        """Whether YAML reads it as nothing: an empty value, `~` or `null`."""
        return self.plain and self.text in _NULLS

    @property
    def is_flag(self) -> bool:
        """Whether it is `true` or `false` without quotes."""
        return self.plain and self.text in _FLAGS


class SequenceNode(Node):
    """A list."""

    __slots__ = ("items",)

    kind = "a list"

    def __init__(self, source: Source, start: int) -> None:
        super().__init__(source, start, start)
        self.items: list[Node] = []


class MappingNode(Node):
    """Keys with their values, in the order of the file. A key that stands twice keeps its first value."""

    __slots__ = ("keys", "values")

    kind = "a mapping (key: value)"

    def __init__(self, source: Source, start: int) -> None:
        super().__init__(source, start, start)
        self.keys: dict[str, ScalarNode] = {}
        self.values: dict[str, Node] = {}

    def get(self, key: str) -> Node | None:
        """The value of a key, or None."""
        return self.values.get(key)

    def items(self) -> Iterable[tuple[ScalarNode, Node]]:
        """Each key with its value."""
        return zip(self.keys.values(), self.values.values(), strict=True)


def shown(text: str) -> str:
    """A text for use within a message: not longer than a line bears."""
    line = text.split("\n", 1)[0]
    return line if len(line) <= 90 and line == text else line[:87] + "..."


def fail(node: Node, message: str, *, label: str = "", advice: str = "", related: tuple[Related, ...] = ()) -> NoReturn:
    """Raise the CheckError for one value."""
    raise CheckError(InputError(message, node.location, label, advice, related))


def as_mapping(node: Node, what: str) -> MappingNode:
    """The value as a mapping; `what` names it in the error."""
    if isinstance(node, MappingNode):
        return node
    fail(node, f"{what} is {describe(node)} and must be a mapping (key: value)")


def as_list(node: Node, what: str) -> list[Node]:
    """The value as a list."""
    if isinstance(node, SequenceNode):
        return node.items
    fail(node, f"{what} is {describe(node)} and must be a list", advice="write it as [a, b], or one `- ` a line")


def as_one_or_more(node: Node, what: str) -> list[Node]:
    """A list, or one value in place of a list of one. An empty list is an error."""
    if not isinstance(node, SequenceNode):
        return [node]
    if not node.items:
        fail(node, f"{what} is an empty list")
    return node.items


def as_scalar(node: Node, what: str, wanted: str = "a text") -> ScalarNode:
    """The value as one text, as written: neither nothing nor a flag nor several."""
    if isinstance(node, ScalarNode) and not (node.plain and node.text in _NULLS):
        if not node.is_flag:
            return node
        fail(node, f"{what} is the flag {node.text} and must be {wanted}", advice=f"a text is quoted: '{node.text}'")
    if isinstance(node, ScalarNode):
        fail(node, f"{what} has no value and must be {wanted}")
    braces = isinstance(node, MappingNode) and node.source.text[node.start : node.start + 1] == "{"
    advice = "a text that begins with { or [ must be quoted" if braces else ""
    fail(node, f"{what} is {describe(node)} and must be {wanted}", advice=advice)


def as_text(node: Node, what: str) -> str:
    """The value as a text that is not blank."""
    scalar = as_scalar(node, what)
    if not scalar.text.strip():
        fail(node, f"{what} is an empty text")
    return scalar.text


def as_texts(node: Node, what: str) -> tuple[ScalarNode, ...]:
    """One text or a list of them."""
    return tuple(as_scalar(item, what) for item in as_one_or_more(node, what))


def as_flag(node: Node, what: str) -> bool:
    """`true` or `false`."""
    if isinstance(node, ScalarNode) and node.is_flag:
        return _FLAGS[node.text]
    written = f"`{shown(node.text)}`" if isinstance(node, ScalarNode) and node.text else describe(node)
    fail(node, f"{what} is {written} and must be true or false")


def as_choice(node: Node, what: str, choices: Iterable[str]) -> str:
    """One of a few words."""
    allowed = tuple(choices)
    wanted = "one of " + ", ".join(allowed) if len(allowed) > 1 else allowed[0]
    scalar = as_scalar(node, what, wanted)
    if scalar.text in allowed:
        return scalar.text
    close = suggest(scalar.text, allowed)
    advice = f"did you mean `{close}`?" if close else ""
    fail(scalar, f"{what} is `{shown(scalar.text)}` and must be {wanted}", advice=advice)


def as_integer(node: Node, what: str) -> int:
    """A whole number, decimal or with 0x, as C writes them."""
    scalar = as_scalar(node, what, "a whole number")
    digits = scalar.text[1:] if scalar.text[:1] == "-" else scalar.text
    hexadecimal = digits[:2].lower() == "0x"
    body = digits[2:] if hexadecimal else digits
    if 0 < len(body) <= 20 and body.isascii() and body.isalnum():
        try:
            return int(scalar.text, 16 if hexadecimal else 10)
        except ValueError:
            pass
    fail(scalar, f"{what} is `{shown(scalar.text)}` and must be a whole number")


def unknown_keys(mapping: MappingNode, allowed: Collection[str], what: str) -> list[InputError]:
    """An error for each key of `mapping` that is not among `allowed` (for the first ones, if there are very many)."""
    if not mapping.keys.keys() - allowed:
        return []
    known = frozenset(allowed)
    unknown = [key for name, key in mapping.keys.items() if name not in known]
    return [
        InputError(f"unknown key `{shown(key.text)}` in {what}", key.location, help=did_you_mean(key.text, known))
        for key in unknown[:_MOST_UNKNOWN]
    ]


def describe(node: Node) -> str:
    """What kind of value a node is, for messages."""
    if isinstance(node, ScalarNode):
        if node.is_null:
            return "empty"
        return f"the text `{shown(node.text)}`"
    return node.kind


_MOST_UNKNOWN = 20
_FLAGS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
