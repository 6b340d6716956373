"""From YAML text to nodes, on PyYAML's events: the C parser's where it was built, the pure one's otherwise.

Nodes are made without recursion and within bounds, so that neither deep nesting nor aliases of aliases cost anything.
Of the parsers' marks only the offset is used; lines and columns are worked out from the text, the same for both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ldcheck.documents.nodes import MAX_BYTES, MappingNode, Node, ScalarNode, SequenceNode, describe, fail, shown
from ldcheck.findings import CheckError, InputError
from ldcheck.source import Location, Related, Source

MAX_DEPTH = 40
MAX_NODES = 100_000
MAX_FAULTS = 20

_TAG = "tag:yaml.org,2002:"
# Tags that may be written out: they say of a value what it is anyway.
_SCALAR_TAGS = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "null"))
_MAPPING_TAG = _TAG + "map"
_SEQUENCE_TAG = _TAG + "seq"


class Document(NamedTuple):
    """A document that could be parsed, with what is wrong in it nevertheless: duplicate keys, tags, merge keys.

    A fault is the offset at which it stands and its error, so that a reader who can leave out the part that holds it
    may go on with the rest.
    """

    source: Source
    root: Node
    faults: tuple[tuple[int, InputError], ...]


def load_document(source: Source, limit: int = MAX_BYTES) -> Node:
    """The root of a document in which nothing is wrong. Raises CheckError with every fault otherwise."""
    document = parse_document(source, limit)
    if document.faults:
        raise CheckError(*(error for _, error in document.faults))
    return document.root


def parse_document(source: Source, limit: int = MAX_BYTES) -> Document:
    """Read a document. Raises CheckError where it is no YAML, is empty, or is over a bound (`limit` in bytes)."""
    if len(source.text) > limit:
        raise CheckError(InputError(f"the file is larger than {limit // 1024} KiB", Location(source.name)))
    return compose(source)


def compose(source: Source) -> Document:
    """The document in a text. Raises CheckError where there is no document."""
    try:
        document = compose_with(fast_parser, source)
        if not document.faults:
            return document
    except CheckError:
        pass
    # Where something is wrong, the other parser has the last word, so that both lead to the same.
    return compose_with(pure_parser, source)


def compose_with(make: Callable[[str], Any], source: Source) -> Document:
    """The document in a text, read with the PyYAML parser that `make` makes of it."""
    from yaml import YAMLError

    text = source.text
    # The parsers do not count the byte order mark alike, so neither is shown it.
    shift = 1 if text.startswith("\ufeff") else 0
    if "\ufeff" in text[shift:]:
        raise CheckError(_unprintable(source, text.index("\ufeff", shift)))
    composer = _Composer(source, shift)
    try:
        root = composer.build(make(text[shift:]))
    except (UnicodeEncodeError, YAMLError) as error:
        raise CheckError(_explain(error, source, shift)) from None
    if root is None:
        start = Location(source.name, 1, 1, 1, 1, source.line(1))
        raise CheckError(InputError(f"{source.name} is empty", start))
    if "\t" in text:
        _check_tabs(source, root)
    return Document(source, root, tuple(composer.faults))


def fast_parser(text: str) -> Any:
    """PyYAML's C parser on a text, or the pure one where that was not built."""
    try:
        from yaml._yaml import CParser
    except ImportError:
        return pure_parser(text)
    return CParser(text)


def pure_parser(text: str) -> Any:
    """PyYAML's parser in Python on a text."""
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class PureParser(Reader, Scanner, Parser):
        def __init__(self) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)

    return PureParser()


class _Open:
    """A list or mapping that is being read.

    `key` is the key whose value comes next; None with `has_key` set if that value is to be dropped.
    """

    __slots__ = ("anchor", "has_key", "key", "node")

    def __init__(self, node: MappingNode | SequenceNode, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.has_key = False
        self.key: ScalarNode | None = None


class _Composer:
    """Makes the nodes of one document out of a parser's events. `shift` is what the parser's offsets lack."""

    def __init__(self, source: Source, shift: int) -> None:
        self.faults: list[tuple[int, InputError]] = []
        self._source = source
        self._shift = shift
        # An anchor whose node is not complete yet has None.
        self._anchors: dict[str, Node | None] = {}

    def build(self, parser: Any) -> Node | None:
        """The root node, or None for a stream without a document."""
        from yaml import events

        source, shift, next_event = self._source, self._shift, parser.get_event
        scalar, mapping, sequence = events.ScalarEvent, events.MappingStartEvent, events.SequenceStartEvent
        ends = (events.MappingEndEvent, events.SequenceEndEvent)
        root: Node | None = None
        stack: list[_Open] = []
        parent: _Open | None = None
        nodes = 0
        while (event := next_event()) is not None:
            kind = type(event)
            node: Node
            if kind is scalar:
                start, end = event.start_mark.index + shift, event.end_mark.index + shift
                plain = not event.style
                if event.tag is not None:
                    plain = self._scalar_tag(event) and plain
                node = ScalarNode(source, start, end, event.value, plain)
                if event.anchor is not None:
                    self._anchors[event.anchor] = node
                nodes += 1
            elif kind is mapping or kind is sequence:
                parent = self._open(event, kind is mapping)
                stack.append(parent)
                if len(stack) > MAX_DEPTH:
                    fail(parent.node, f"nested deeper than {MAX_DEPTH} levels")
                continue
            elif kind in ends:
                node = self._close(stack.pop(), event)
                nodes += 1
                parent = stack[-1] if stack else None
            elif kind is events.AliasEvent:
                node = self._resolve(event)
                nodes += node.size
            else:
                if kind is events.DocumentStartEvent:
                    self._check_document(event, root)
                continue
            if nodes > MAX_NODES:
                fail(node, f"more than {MAX_NODES:,} values, each alias counted with all that it stands for")
            if parent is None:
                root = node
            else:
                self._add(parent, node)
        return root

    def _add(self, parent: _Open, node: Node) -> None:
        container = parent.node
        container.size += node.size
        if node.end > container.end:
            container.end = node.end
        if type(container) is SequenceNode:
            container.items.append(node)
        elif not parent.has_key:
            parent.has_key = True
            parent.key = self._key(container, node)
        else:
            assert type(container) is MappingNode
            parent.has_key = False
            if parent.key is not None:
                container.values[parent.key.text] = node

    def _key(self, container: Node, node: Node) -> ScalarNode | None:
        """The node as the next key of the mapping, or None where it cannot be one; the fault is noted."""
        assert isinstance(container, MappingNode)
        if type(node) is ScalarNode and node.text not in container.keys and node.text != "<<":
            container.keys[node.text] = node
            return node
        if not isinstance(node, ScalarNode):
            self._fault(node, f"{describe(node)} cannot be a key", "a text that begins with { or [ must be quoted")
            return None
        if node.text == "<<" and node.plain:
            self._fault(node, "merge keys (`<<`) are not supported", "write the keys out, or use `extends`")
            return None
        first = container.keys.get(node.text)
        if first is not None:
            related = (Related(first.location, "first given here"),)
            self._fault(node, f"the key `{shown(node.text)}` is given twice", related=related)
            return None
        container.keys[node.text] = node
        return node

    def _open(self, event: Any, is_mapping: bool) -> _Open:
        start = event.start_mark.index + self._shift
        node = MappingNode(self._source, start) if is_mapping else SequenceNode(self._source, start)
        if event.tag is not None and event.tag != (_MAPPING_TAG if is_mapping else _SEQUENCE_TAG):
            self._bad_tag(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        return _Open(node, event.anchor)

    def _close(self, opened: _Open, event: Any) -> Node:
        node = opened.node
        if event.start_mark.index != event.end_mark.index:
            # A closing bracket. A block, in contrast, ends for a reader with its last value, and for the parser only
            # where the next token begins.
            node.end = event.end_mark.index + self._shift
        if opened.anchor is not None:
            self._anchors[opened.anchor] = node
        return node

    def _resolve(self, event: Any) -> Node:  # noqa: RET503  # `fail` never returns, which ruff does not see
        target = self._anchors.get(event.anchor)
        if target is not None:
            return target
        here = self._span(event)
        if event.anchor in self._anchors:
            fail(here, f"the alias `*{shown(event.anchor)}` stands inside the value that it names")
        name = shown(event.anchor)
        advice = f"a text that begins with * must be quoted: '*{name}'"
        fail(here, f"`*{name}` is an alias in YAML, and nothing is called `&{name}`", advice=advice)

    def _scalar_tag(self, event: Any) -> bool:
        """Note a tag that is not allowed. Returns whether the value may be other than a text."""
        if event.tag in _SCALAR_TAGS:
            return bool(event.tag != _TAG + "str")
        self._bad_tag(event)
        return False

    def _bad_tag(self, event: Any) -> None:
        text = self._source.text
        begin = event.start_mark.index + self._shift
        # An anchor may stand in front of the tag.
        start = text.find("!", begin)
        stop = start
        while stop < len(text) and text[stop] not in " \t\r\n,[]{}":
            stop += 1
        here = ScalarNode(self._source, start, stop, "", True)
        message = f"the tag `{shown(text[start:stop])}` is not allowed: only plain data is read"
        self._fault(here, message, "a text that begins with ! must be quoted: '!...'")

    def _check_document(self, event: Any, root: Node | None) -> None:
        here = self._span(event)
        if root is not None:
            fail(here, "a second document begins here; only one is read")
        if event.version is not None or event.tags:
            fail(here, "YAML directives (%) are not supported", advice="remove the line that begins with %")

    def _span(self, event: Any) -> Node:
        return Node(self._source, event.start_mark.index + self._shift, event.end_mark.index + self._shift)

    def _fault(self, node: Node, message: str, advice: str = "", related: tuple[Related, ...] = ()) -> None:
        self.faults.append((node.start, InputError(message, node.location, "", advice, related)))
        if len(self.faults) > MAX_FAULTS:
            raise CheckError(*(error for _, error in self.faults))


def _unprintable(source: Source, offset: int) -> InputError:
    location = source.locate(offset, offset + 1)
    code = ord(source.text[offset])
    if 0xDC80 <= code <= 0xDCFF:
        return InputError(f"byte 0x{code & 0xFF:02x} is not UTF-8", location, help="save the file as UTF-8")
    return InputError(f"the character U+{code:04X} is not allowed", location)


def _explain(error: Exception, source: Source, shift: int) -> InputError:
    from ldcheck.documents.errors import explain, find_unprintable

    bad = find_unprintable(source.text, shift)
    return _unprintable(source, bad) if bad >= 0 else explain(error, source, shift)


def _check_tabs(source: Source, root: Node) -> None:
    """Refuse tabs outside quoted texts, block texts and remarks, where PyYAML's parsers differ on them."""
    from ldcheck.documents.errors import stray_tab

    scalars: list[ScalarNode] = []
    pending = [root]
    # Each node once, however many aliases lead to it.
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, ScalarNode):
            if not source.text.startswith(("!", "&"), node.start):
                scalars.append(node)
            else:
                # Its tag and its anchor are not part of the text.
                start = next((at for at in range(node.start, node.end) if source.text[at] in "'\"|>"), node.end)
                scalars.append(ScalarNode(source, start, node.end, node.text, node.plain))
        elif isinstance(node, SequenceNode):
            pending += node.items
        elif isinstance(node, MappingNode):
            pending += node.keys.values()
            pending += node.values.values()
    at = stray_tab(source, [(node.start, node.end, node.plain) for node in scalars])
    if at >= 0:
        message = "a tab is not allowed here"
        raise CheckError(InputError(message, source.locate(at, at + 1), help="use blanks, or quote the text"))
