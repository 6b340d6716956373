"""Scripts that stand in a policy: each character is led back to its place in the file."""

from __future__ import annotations

import pytest

from ldcheck.documents.inline_text import inline_text
from ldcheck.documents.nodes import ScalarNode, as_mapping
from ldcheck.documents.parser import load_document
from ldcheck.source import Source


def scalar(text: str) -> ScalarNode:
    node = as_mapping(load_document(Source("policy.yaml", text)), "it").values["script"]
    assert isinstance(node, ScalarNode)
    return node


@pytest.mark.parametrize(
    "text",
    [
        "script: a b c\n",
        "script: 'a b: c'\n",
        'script: "a b # c"\n',
        "script: |\n  one\n    two\n  three\n",
        "script: |\n\n  one\n\n\n    two\n\n",
        "script: |-\n    one\n    two",
        "script: |+\n  one\n\n\nnext: x\n",
        "script: |2\n    one\n  two\n",
        "script: &a |  # remark\n  one | two\n",
        "script: !!str |\n  one\n",
        "first: x\nscript: |\n  one\r\n  two\r\n",
        "script: |\n  \tone\n",
        "{ script: 'one' }\n",
        "script: |\n  ä é\n  '|'\n",
    ],
)
def test_every_character_is_found(text):
    node = scalar(text)
    origin = inline_text(node)
    assert origin is not None
    source = Source("script", node.text)
    for offset, character in enumerate(node.text):
        place = origin.locate(source, offset, offset + 1)
        if character != "\n":
            assert place.file == "policy.yaml"
            assert place.excerpt[place.column - 1] == character


@pytest.mark.parametrize(
    "text", ["script: 'it''s'\n", 'script: "a\\tb"\n', "script: >\n  one\n  two\n", "script: a\n  b\n"]
)
def test_what_does_not_stand_there_as_it_is(text):
    assert inline_text(scalar(text)) is None


def test_the_end_of_a_text():
    node = scalar("script: |\n  one\n")
    origin = inline_text(node)
    assert origin is not None
    place = origin.locate(Source("script", node.text), len(node.text), len(node.text))
    assert place.line in (2, 3)
