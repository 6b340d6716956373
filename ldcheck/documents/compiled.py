"""Documents compiled to data, as Python compiles modules: what is read without a YAML parser.

For the stock policies, which most runs begin with: importing a parser takes longer than all that a run does with them.
A compiled document names the text that it was made from by length and checksum, and counts for that text alone. It is
read from nowhere but beside the stock policies: what strangers wrote is always parsed.
"""

from __future__ import annotations

import marshal
from typing import TypeAlias
from zlib import crc32

from ldcheck.documents.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ldcheck.documents.parser import Document
from ldcheck.source import Source

SUFFIX = ".compiled"
_FORMAT = 1
# A scalar: start, end, text, plain. A list: start, end, size, items. A mapping: the same, with pairs for items.
_Scalar: TypeAlias = tuple[int, int, str, bool]
_Pairs: TypeAlias = list[tuple[_Scalar, "_Data"]]
_Data: TypeAlias = "_Scalar | tuple[int, int, int, list[_Data]] | tuple[int, int, int, _Pairs, None]"


def compile_document(document: Document) -> bytes:
    """A document without faults as bytes, for `load_compiled`."""
    assert not document.faults
    return marshal.dumps((_FORMAT, *_mark(document.source), _data(document.root)))


def load_compiled(source: Source, compiled: bytes, without: str = "") -> Document | None:
    """The document in a text, from what was compiled; None where it was compiled from another text or differently.

    A key called `without` is left out of every mapping: what nobody asks for need not be made.
    """
    try:
        version, length, checksum, data = marshal.loads(compiled)  # noqa: S302  # made by this package, installed with it
    except (EOFError, TypeError, ValueError):
        return None
    if version != _FORMAT or (length, checksum) != _mark(source):
        return None
    return Document(source, _node(source, data, without), ())


def _mark(source: Source) -> tuple[int, int]:
    return len(source.text), crc32(source.text.encode("utf-8", "surrogatepass"))


def _data(node: Node) -> _Data:
    if isinstance(node, MappingNode):
        pairs: _Pairs = [(_scalar(key), _data(value)) for key, value in node.items()]
        return node.start, node.end, node.size, pairs, None
    if isinstance(node, SequenceNode):
        return node.start, node.end, node.size, [_data(item) for item in node.items]
    assert isinstance(node, ScalarNode)
    return _scalar(node)


def _scalar(node: ScalarNode) -> _Scalar:
    return node.start, node.end, node.text, node.plain


def _node(source: Source, data: _Data, without: str) -> Node:
    if len(data) == 5:
        start, end, size, pairs, _ = data
        mapping = MappingNode(source, start)
        for key, value in pairs:
            if key[2] == without:
                continue
            mapping.keys[key[2]] = ScalarNode(source, *key)
            mapping.values[key[2]] = _node(source, value, without)
        mapping.end, mapping.size = end, size
        return mapping
    start, end, third, fourth = data
    if isinstance(third, str):
        assert isinstance(fourth, bool)
        return ScalarNode(source, start, end, third, fourth)
    sequence = SequenceNode(source, start)
    assert isinstance(fourth, list)
    sequence.items = [_node(source, item, without) for item in fourth]
    sequence.end, sequence.size = end, third
    return sequence
