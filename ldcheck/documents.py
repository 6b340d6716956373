"""Reading YAML that strangers wrote: plain data only, with the place of every value.

Policies and the configuration file are read here and nowhere else. What comes out are nodes that know where they stand
and keep scalars as they were written (`4K`, `0x1000`, `on` and `.data` stay text: YAML 1.1 would make numbers and flags
of some). What a value means is asked with the `as_...` functions, whose errors say what is allowed there.

PyYAML's parser is used up to its events, the C one where it is there; nodes are made here without recursion and within
bounds, so that neither deep nesting nor aliases of aliases cost anything. Tags, merge keys, directives and further
documents are refused: a policy is data, and reading it runs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from ldcheck.findings import CheckError, InputError
from ldcheck.source import Location, Related, Source, decode

if TYPE_CHECKING:
    from yaml import YAMLError

MAX_BYTES = 1 << 20
MAX_DEPTH = 40
MAX_NODES = 100_000

# What may be written out without changing what a value is, by the kind of node.
_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset(_TAG + name for name in ("str", "int", "float", "bool"))


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
        super().__init__(source, start, end)
        self.text = text
        self.plain = plain

    @property
    def is_null(self) -> bool:
        """Whether YAML reads it as nothing: an empty value, `~` or `null`."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")

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


class Document(NamedTuple):
    """A document that could be parsed, with what is wrong in it nevertheless: duplicate keys, tags, merge keys.

    A fault is the offset at which it stands and its error, so that a reader who can leave out the part that holds it
    may go on with the rest.
    """

    source: Source
    root: Node
    faults: tuple[tuple[int, InputError], ...]


def read_source(path: str, what: str = "file", limit: int = MAX_BYTES) -> Source:
    """The text of a file that a person named. Raises CheckError for what cannot be read or is over `limit` bytes."""
    where = Location(path)
    try:
        if os.path.isdir(path):
            raise CheckError(InputError(f"{path} is a folder, not a {what}", where))
        with open(path, "rb") as stream:
            data = stream.read(limit + 1)
    except FileNotFoundError:
        raise CheckError(InputError(f"there is no {what} {path}", where)) from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", "") or str(error)).lower()
        raise CheckError(InputError(f"the {what} {path} cannot be read: {reason}", where)) from None
    if len(data) > limit:
        raise CheckError(
            InputError(f"the {what} is larger than {limit // 1024} KiB", where, help=f"is this the right {what}?")
        )
    return Source(path, decode(data))


def load_document(source: Source) -> Node:
    """The root of a document in which nothing is wrong. Raises CheckError with every fault otherwise."""
    document = parse_document(source)
    if document.faults:
        raise CheckError(*(error for _, error in document.faults))
    return document.root


def parse_document(source: Source) -> Document:
    """Read a document. Raises CheckError where it is no YAML, is empty, or is over a bound."""
    if len(source.text) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 1024} KiB"
        raise CheckError(InputError(message, Location(source.name)))
    return _Composer(source).compose(_parser)


def suggest(word: str, allowed: Iterable[str]) -> str:
    """The name out of `allowed` that was probably meant, or an empty string."""
    names = list(allowed)
    plain = {_folded(name): name for name in names}
    if match := plain.get(_folded(word[:80])):
        return match
    from difflib import get_close_matches

    close = get_close_matches(_folded(word[:80]), plain, n=1, cutoff=0.6)
    return plain[close[0]] if close else ""


def did_you_mean(word: str, allowed: Iterable[str], otherwise: str = "") -> str:
    """A help text for an unknown `word`: the likely name, else the names that are allowed (or `otherwise`)."""
    names = sorted(allowed)
    if close := suggest(word, names):
        return f"did you mean `{close}`?"
    return otherwise or "allowed: " + ", ".join(names)


def shown(text: str) -> str:
    """A text for use within a message: not longer than a line bears."""
    line = text.split("\n", 1)[0]
    return line if len(line) <= 60 and line == text else line[:57] + "..."


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
    if isinstance(node, ScalarNode) and not node.is_null:
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
    scalar = as_scalar(node, what, "one of " + ", ".join(allowed))
    if scalar.text in allowed:
        return scalar.text
    close = suggest(scalar.text, allowed)
    advice = f"did you mean `{close}`?" if close else ""
    fail(scalar, f"{what} is `{shown(scalar.text)}` and must be one of {', '.join(allowed)}", advice=advice)


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


def unknown_keys(mapping: MappingNode, allowed: Iterable[str], what: str) -> list[InputError]:
    """An error for each key of `mapping` that is not among `allowed`."""
    known = frozenset(allowed)
    return [
        InputError(f"unknown key `{shown(name)}` in {what}", key.location, help=did_you_mean(name, known))
        for name, key in mapping.keys.items()
        if name not in known
    ]


def describe(node: Node) -> str:
    """What kind of value a node is, for messages."""
    if isinstance(node, ScalarNode):
        if node.is_null:
            return "empty"
        return f"the text `{shown(node.text)}`"
    return node.kind


_FLAGS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")


# From events to nodes -------------------------------------------------------------------------------------------------


def _parser(text: str) -> Any:
    """PyYAML's C parser, or the pure one where that was not built."""
    try:
        from yaml._yaml import CParser
    except ImportError:
        return _pure_parser(text)
    return CParser(text)


def _pure_parser(text: str) -> Any:
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class PureParser(Reader, Scanner, Parser):
        def __init__(self) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)

    return PureParser()


class _Composer:
    """Makes the nodes of one document out of the parser's events."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        # Neither parser counts the byte order mark alike, so neither is shown it.
        self.shift = 0
        if self.text[:1] == "\ufeff":
            self.text = self.text[1:]
            self.shift = 1
        self.faults: list[tuple[int, InputError]] = []
        self.anchors: dict[str, Node | None] = {}
        self.nodes = 0

    def compose(self, make: Callable[[str], Any]) -> Document:
        """The document, its events coming from the parser that `make` makes."""
        from yaml import YAMLError

        try:
            root = self._build(make(self.text))
        except UnicodeEncodeError as error:
            raise CheckError(self._undecodable(error.start + self.shift)) from None
        except YAMLError as error:
            raise CheckError(self._explain(error)) from None
        if root is None:
            start = Location(self.source.name, 1, 1, 1, 1, self.source.line(1))
            raise CheckError(InputError("the file is empty", start))
        return Document(self.source, root, tuple(self.faults))

    def _build(self, parser: Any) -> Node | None:
        from yaml import events

        source, shift, next_event = self.source, self.shift, parser.get_event
        scalar, mapping, sequence = events.ScalarEvent, events.MappingStartEvent, events.SequenceStartEvent
        root: Node | None = None
        stack: list[_Open] = []
        while (event := next_event()) is not None:
            kind = type(event)
            node: Node
            if kind is scalar:
                start, end = event.start_mark.index + shift, event.end_mark.index + shift
                plain = not event.style
                if event.tag is not None:
                    plain = self._check_tag(event, _SCALAR_TAGS) and plain
                node = ScalarNode(source, start, end, event.value, plain)
            elif kind is mapping or kind is sequence:
                start = event.start_mark.index + shift
                container = MappingNode(source, start) if kind is mapping else SequenceNode(source, start)
                if event.tag is not None:
                    self._check_tag(event, (_TAG + ("map" if kind is mapping else "seq"),))
                if event.anchor is not None:
                    self.anchors[event.anchor] = None
                stack.append(_Open(container, event.anchor))
                if len(stack) > MAX_DEPTH:
                    fail(container, f"nested deeper than {MAX_DEPTH} levels", label="here")
                continue
            elif kind is events.MappingEndEvent or kind is events.SequenceEndEvent:
                node = self._close(stack.pop(), event)
                if not stack:
                    root = node
                    continue
                self._add(stack[-1], node)
                continue
            elif kind is events.AliasEvent:
                node = self._resolve(event)
            else:
                if kind is events.DocumentStartEvent:
                    self._check_document(event, root)
                continue
            if event.anchor is not None and kind is scalar:
                self.anchors[event.anchor] = node
            self._count(node)
            if stack:
                self._add(stack[-1], node)
            else:
                root = node
        return root

    def _count(self, node: Node) -> None:
        self.nodes += node.size
        if self.nodes > MAX_NODES:
            fail(node, f"more than {MAX_NODES:,} values, counting each alias with all that it stands for")

    def _add(self, parent: _Open, node: Node) -> None:
        container = parent.node
        container.size += node.size
        container.end = max(container.end, node.end)
        if isinstance(container, SequenceNode):
            container.items.append(node)
        elif isinstance(container, MappingNode):
            if parent.has_key:
                if parent.key is not None:
                    container.values[parent.key.text] = node
                parent.has_key, parent.key = False, None
            else:
                parent.has_key, parent.key = True, self._key(container, node)

    def _key(self, container: MappingNode, node: Node) -> ScalarNode | None:
        """The node as the next key of the mapping, or None where it cannot be one; the fault is noted."""
        if not isinstance(node, ScalarNode):
            self._fault(node, f"{describe(node)} cannot be a key", advice="a text with { or [ in front must be quoted")
            return None
        if node.text == "<<" and node.plain:
            self._fault(node, "merge keys (`<<`) are not supported", advice="write the keys out, or use `extends`")
            return None
        first = container.keys.get(node.text)
        if first is not None:
            related = (Related(first.location, "first given here"),)
            self._fault(node, f"the key `{shown(node.text)}` is given twice", related=related)
            return None
        container.keys[node.text] = node
        return node

    def _close(self, opened: _Open, event: Any) -> Node:
        node = opened.node
        if self.source.text[node.start : node.start + 1] in ("{", "["):
            node.end = event.end_mark.index + self.shift
        else:
            # A block ends for the parser where the next token begins; for a reader it ends with its last value.
            node.end = max(node.end, node.start)
        if opened.anchor is not None:
            self.anchors[opened.anchor] = node
        self._count(_ONE)
        return node

    def _resolve(self, event: Any) -> Node:
        start, end = event.start_mark.index + self.shift, event.end_mark.index + self.shift
        here = ScalarNode(self.source, start, end, "", True)
        target = self.anchors.get(event.anchor)
        if target is not None:
            return target
        if event.anchor in self.anchors:
            fail(here, f"the alias `*{shown(event.anchor)}` stands inside the value that it names")
        advice = "a text that begins with * must be quoted: '*...'"
        fail(here, f"there is no anchor `&{shown(event.anchor)}`", advice=advice)

    def _check_tag(self, event: Any, allowed: Iterable[str]) -> bool:
        """Note a tag that is not allowed. Returns whether the value may still be other than a text."""
        if event.tag in allowed:
            return bool(event.tag != _TAG + "str")
        if event.tag == "!":
            return False
        start, end = event.start_mark.index + self.shift, event.end_mark.index + self.shift
        at = self.source.text.find("!", start, end + 1)
        at = start if at < 0 else at
        stop = at
        while stop < len(self.source.text) and self.source.text[stop] not in " \t\r\n,[]{}":
            stop += 1
        tag = self.source.text[at:stop]
        here = ScalarNode(self.source, at, stop, tag, True)
        self._fault(
            here,
            f"the tag `{shown(tag)}` is not allowed: only plain data is read",
            advice="a text that begins with ! must be quoted: '!...'",
        )
        return False

    def _check_document(self, event: Any, root: Node | None) -> None:
        start = event.start_mark.index + self.shift
        here = ScalarNode(self.source, start, event.end_mark.index + self.shift, "", True)
        if root is not None:
            fail(here, "a second document begins here; only one is read")
        if event.version is not None or event.tags:
            fail(here, "YAML directives (%) are not supported", advice="remove the line that begins with %")

    def _fault(self, node: Node, message: str, advice: str = "", related: tuple[Related, ...] = ()) -> None:
        self.faults.append((node.start, InputError(message, node.location, "", advice, related)))

    # Errors of the parser ---------------------------------------------------------------------------------------------

    def _undecodable(self, offset: int) -> InputError:
        code = ord(self.source.text[offset])
        location = self.source.locate(offset, offset + 1)
        return InputError(f"byte 0x{code & 0xFF:02x} is not UTF-8", location, help="save the file as UTF-8")

    def _explain(self, error: YAMLError) -> InputError:
        from yaml import YAMLError

        from ldcheck.document_errors import explain, find_unprintable

        bad = find_unprintable(self.source.text, self.shift)
        if bad >= 0:
            code = ord(self.source.text[bad])
            if 0xDC80 <= code <= 0xDCFF:
                return self._undecodable(bad)
            location = self.source.locate(bad, bad + 1)
            return InputError(f"the control character U+{code:04X} is not allowed", location)
        # Both parsers shall say the same; the pure one knows more of what went wrong.
        try:
            parser = _pure_parser(self.text)
            while parser.get_event() is not None:
                pass
        except YAMLError as other:
            error = other
        return explain(error, self.source, self.shift)


class _Open:
    """A list or mapping that is being read; `key` is the key whose value comes next, None if that is to be dropped."""

    __slots__ = ("anchor", "has_key", "key", "node")

    def __init__(self, node: MappingNode | SequenceNode, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.has_key = False
        self.key: ScalarNode | None = None


_ONE = Node(Source("", ""), 0, 0)
