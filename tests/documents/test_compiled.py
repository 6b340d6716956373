"""Compiled documents: the same nodes at the same places as the parser gives, and for no other text."""

from __future__ import annotations

import marshal
from pathlib import Path

import pytest

from ldcheck.documents.compiled import SUFFIX, compile_document, load_compiled
from ldcheck.documents.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ldcheck.documents.parser import parse_document
from ldcheck.source import Source
from tests.support.cache import ROOT
from tools.compiled import compile_policies

STOCK = sorted((ROOT / "policies").rglob("*.yaml"))


def plain(node: Node) -> object:
    place = (node.start, node.end, node.size)
    if isinstance(node, ScalarNode):
        return (*place, node.text, node.plain)
    if isinstance(node, SequenceNode):
        return (*place, [plain(item) for item in node.items])
    assert isinstance(node, MappingNode)
    return (*place, [(name, plain(key), plain(node.values[name])) for name, key in node.keys.items()])


@pytest.mark.parametrize("path", STOCK, ids=lambda path: path.stem)
def test_a_stock_policy_is_what_the_parser_reads(path):
    source = Source(str(path), path.read_text())
    parsed = parse_document(source)
    loaded = load_compiled(source, compile_document(parsed))
    assert loaded is not None
    assert plain(loaded.root) == plain(parsed.root)


def test_it_counts_for_its_own_text_alone():
    compiled = compile_document(parse_document(Source("a", "ldcheck: 1\n")))
    assert load_compiled(Source("a", "ldcheck: 1\n"), compiled) is not None
    assert load_compiled(Source("a", "ldcheck: 2\n"), compiled) is None
    assert load_compiled(Source("a", "ldcheck: 1 \n"), compiled) is None


@pytest.mark.parametrize("compiled", [b"", b"\0", b"junk", marshal.dumps((1, 2)), marshal.dumps((0, 11, 5, ()))])
def test_what_is_damaged_is_parsed(compiled):
    assert load_compiled(Source("a", "ldcheck: 1\n"), compiled) is None


def test_every_stock_policy_is_compiled_beside_it():
    made = compile_policies()
    assert [Path(str(path).removesuffix(SUFFIX)) for path in made] == STOCK
    assert all(path.stat().st_size for path in made)
