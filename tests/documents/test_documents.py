"""The YAML reader: places, what is refused, and that both of PyYAML's parsers lead to the same nodes and errors."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ldcheck.documents import nodes
from ldcheck.documents.files import read_source
from ldcheck.documents.nodes import (
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    as_choice,
    as_flag,
    as_integer,
    as_list,
    as_mapping,
    as_one_or_more,
    as_text,
)
from ldcheck.documents.parser import compose, compose_with, fast_parser, load_document, parse_document, pure_parser
from ldcheck.findings import CheckError, InputError
from ldcheck.source import Source, decode
from ldcheck.words import did_you_mean, suggest

# More cases: LDCHECK_EXAMPLES=100000.
EXAMPLES = int(os.environ.get("LDCHECK_EXAMPLES", "400"))
THOROUGH = settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def load(text: str) -> Node:
    return load_document(Source("policy.yaml", text))


def error(text: str | bytes) -> InputError:
    """The one error of a text."""
    with pytest.raises(CheckError) as raised:
        load(decode(text) if isinstance(text, bytes) else text)
    assert len(raised.value.errors) == 1
    return raised.value.errors[0]


def place(found: InputError) -> tuple[int, int]:
    return found.location.line, found.location.column


def told(text: str, *, pure: bool = False) -> object:
    """All that there is to know of a text: nodes with places, faults, or the errors."""
    source = Source("p", text)
    try:
        document = compose_with(pure_parser, source) if pure else compose(source)
    except CheckError as caught:
        return caught.errors
    return shape(document.root), document.faults


def shape(node: Node) -> object:
    span = (node.start, node.end)
    if isinstance(node, ScalarNode):
        return ("scalar", *span, node.text, node.plain)
    if isinstance(node, SequenceNode):
        return ("list", *span, [shape(item) for item in node.items])
    assert isinstance(node, MappingNode)
    return ("mapping", *span, [(shape(key), shape(value)) for key, value in node.items()])


# Values ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["4K", "0x1000", "0o17", "010", "1e3", "1_000", "on", "yes", "No", "off", ".data", "2027-06-30", "12:30:45", "="],
)
def test_scalars_stay_as_they_were_written(text):
    node = load(text)
    assert isinstance(node, ScalarNode)
    assert node.text == text
    assert as_text(node, "it") == text


def test_quoted_and_block_texts_are_not_plain():
    root = load("a: 'on'\nb: \"4\\x4b\"\nc: |\n  two\n  lines\nd: plain\n")
    assert isinstance(root, MappingNode)
    assert {key: (value.text, value.plain) for key, value in root.values.items() if isinstance(value, ScalarNode)} == {
        "a": ("on", False),
        "b": ("4K", False),
        "c": ("two\nlines\n", False),
        "d": ("plain", True),
    }


def test_places_are_those_of_the_text():
    source = Source("p", "a: [x, 'y y']\nblock:\n  - k: v\n    l: w   # remark\n\nlast: z\n")
    root = load_document(source)
    assert isinstance(root, MappingNode)

    def text(node: Node) -> str:
        return source.text[node.start : node.end]

    assert text(root.values["a"]) == "[x, 'y y']"
    assert text(root.keys["block"]) == "block"
    # A block ends with its last value, not where the next one begins.
    assert text(root.values["block"]) == "- k: v\n    l: w"
    assert root.values["last"].location == source.locate(source.text.index("z"), source.text.index("z") + 1)
    assert text(root) == source.text.rstrip()


@pytest.mark.parametrize("text", ["true", "True", "false"])
def test_flags(text):
    assert as_flag(load(text), "it") is (text.lower() == "true")


@pytest.mark.parametrize("text", ["'true'", "yes", "1", "[]", ""])
def test_no_flags(text):
    node = load(f"- {text}")
    assert isinstance(node, SequenceNode)
    with pytest.raises(CheckError, match="must be true or false"):
        as_flag(node.items[0], "it")


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("12", 12), ("-3", -3), ("0x1F", 31), ("'7'", 7)])
def test_integers(text, number):
    assert as_integer(load(text), "it") == number


@pytest.mark.parametrize("text", ["1.5", "0xg", "12K", "1_0", "9" * 30, "--1", "²"])
def test_no_integers(text):
    with pytest.raises(CheckError, match="must be a whole number"):
        as_integer(load(text), "it")


def test_kinds_of_values_are_told():
    mapping = as_mapping(load("a: {b: c}\nd: [e]\nf: ~\ng: true\n"), "it")
    for key, kind in (("a", "a mapping"), ("d", "a list"), ("f", "has no value"), ("g", "the flag true")):
        with pytest.raises(CheckError, match=kind):
            as_text(mapping.values[key], "it")
    with pytest.raises(CheckError, match="must be a list"):
        as_list(mapping.values["a"], "it")
    with pytest.raises(CheckError, match="empty list"):
        as_one_or_more(load("[]"), "it")
    with pytest.raises(CheckError, match="must be one of error, warning"):
        as_choice(load("fatal"), "it", ("error", "warning"))


def test_an_alias_is_the_value_that_it_names():
    root = as_mapping(load("a: &x [1, 2]\nb: *x\n"), "it")
    assert root.values["a"] is root.values["b"]


def test_tabs_are_welcome_within_texts_and_remarks():
    root = as_mapping(load("a: 'b\tc' #\tx\n# d\te\nf: |\n  g\n  \th\n  i\tj\n"), "it")
    assert [value.text for value in root.values.values() if isinstance(value, ScalarNode)] == ["b\tc", "g\n\th\ni\tj\n"]


# What is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("a: 1\nb: 2\na: 3\n", "the key `a` is given twice", (3, 1)),
        ("a:\n  b: !!python/object/apply:os.system [id]\n", "the tag `!!python/object/apply:os.system`", (2, 6)),
        ("a: !CONFIG_X\n", "the tag `!CONFIG_X`", (1, 4)),
        ("a: !!set {x}\n", "the tag `!!set`", (1, 4)),
        ("a: *(.text)\n", "a text cannot begin with `*`", (1, 4)),
        ("a: *data\n", "`*data` is an alias in YAML", (1, 4)),
        ("a: &x [*x]\n", "stands inside the value that it names", (1, 8)),
        ("a: &x {k: v}\nb:\n  <<: *x\n", "merge keys", (3, 3)),
        ("? [a, b]\n: c\n", "a list cannot be a key", (1, 3)),
        ("%YAML 1.1\n---\na: b\n", "directives", (1, 1)),
        ("a: b\n---\nc: d\n", "a second document", (2, 1)),
        ("", "is empty", (1, 1)),
        ("# only a remark\n", "is empty", (1, 1)),
        ("a:\n\tb: c\n", "a tab cannot indent", (2, 1)),
        ("a: b\t# remark\n", "a tab", (1, 5)),
        ("a:\tb\n", "a tab", (1, 3)),
        ("a: b: c\n", "`: ` is not expected here", (1, 5)),
        ("a: 'b\n", "the quoted text is not closed", (2, 1)),
        ("a: [b, c\nd: e\n", "expected `,` or `]`", (2, 2)),
        ("a: {b: c\n", "expected `,` or `}`", (2, 1)),
        ("a:\n  b: 1\n c: 2\n", "this does not continue the mapping", (3, 2)),
        ("a:\n  - b\n c\n", "this does not continue the mapping", (3, 2)),
        ("a: b\nc\n", "expected `key: value`", (3, 1)),
        ("a: b\n\ufeffc: d", "U+FEFF", (2, 1)),
        ("a: %d\n", "a text cannot begin with `%`", (1, 4)),
        ("a: @x\n", "a text cannot begin with `@`", (1, 4)),
        ('a: "\\q"\n', "this `\\` escape", (1, 6)),
        ("a: b\x00c\n", "the character U+0000", (1, 5)),
        ("a: \x1b[31m\n", "the character U+001B", (1, 4)),
        ("[" * 100, "nested deeper than 40 levels", (1, 41)),
        ("- " * 100 + "x", "nested deeper than 40 levels", (1, 81)),
    ],
)
def test_refused(text, message, at):
    found = error(text)
    assert message in found.message
    assert place(found) == at
    assert found.location.excerpt == text.split("\n")[at[0] - 1]
    assert told(text) == told(text, pure=True)


def test_the_first_of_two_keys_is_shown():
    found = error("a: 1\nb: 2\na: 3\n")
    assert [(related.location.line, related.label) for related in found.related] == [(1, "first given here")]


def test_every_fault_is_told():
    with pytest.raises(CheckError) as raised:
        load("a: !x 1\nb: 2\nb: 3\nc: {<<: 4}\n")
    assert [(fault.location.line, fault.location.column) for fault in raised.value.errors] == [(1, 4), (3, 1), (4, 5)]


def test_a_flood_of_faults_ends_early():
    with pytest.raises(CheckError) as raised:
        load("a: 1\n" * 50_000)
    assert len(raised.value.errors) == 21


@pytest.mark.parametrize(("data", "at", "byte"), [(b"a: b\n\xff\n", (2, 1), "0xff"), (b"a: \xc3\n", (1, 4), "0xc3")])
def test_what_is_not_utf_8(data, at, byte):
    found = error(data)
    assert found.message == f"byte {byte} is not UTF-8"
    assert place(found) == at


def test_utf_16_is_refused():
    assert "not UTF-8" in error("a: b".encode("utf-16")).message


def test_a_byte_order_mark_shifts_nothing():
    root = as_mapping(load("\ufeffa: ä\nb: c\n"), "it")
    assert root.source.text[root.values["a"].start : root.values["a"].end] == "ä"
    assert place(error("\ufeffa: b\na: c\n")) == (2, 1)


def test_an_alias_bomb_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 30)]
    found = error("\n".join(lines))
    assert "more than 100,000 values" in found.message
    # Reading stops in the line that goes too far, long before the last.
    assert found.location.line < 8


def test_50_megabytes_are_refused_unread(tmp_path):
    path = tmp_path / "policy.yaml"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)
    with pytest.raises(CheckError, match="larger than 512 KiB"):
        read_source(str(path), "policy")


def test_a_text_that_is_too_large_is_not_parsed():
    with pytest.raises(CheckError, match="larger than 512 KiB"):
        load("x" * (nodes.MAX_BYTES + 1))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(CheckError, match="is a folder, not a policy"):
        read_source(str(tmp_path), "policy")
    with pytest.raises(CheckError, match="there is no policy"):
        read_source(str(tmp_path / "none.yaml"), "policy")
    with pytest.raises(CheckError, match="cannot be read"):
        read_source("a\0b", "policy")


# Help -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("aling", "align"),
        ("Align", "align"),
        ("no_wildcard_may_shadow", "no-wildcard-may-shadow"),
        ("severty", "severity"),
        ("zzz", ""),
        ("x" * 1_000_000, ""),
    ],
)
def test_suggestions(word, meant):
    assert suggest(word, ("align", "severity", "no-wildcard-may-shadow")) == meant


def test_without_a_likely_name_all_are_told():
    assert did_you_mean("zzz", ("b", "a")) == "allowed: a, b"
    assert did_you_mean("zzz", ("b", "a"), "see the manual") == "see the manual"


def test_without_the_c_parser_the_other_one_reads(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml._yaml", None)
    assert type(fast_parser("a: b")).__name__ == "PureParser"
    assert as_mapping(load("a: [b, c]\n"), "it").keys["a"].text == "a"


# Both parsers ---------------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *(
            "a",
            "b: ",
            "c: d",
            "- ",
            "-",
            "\n",
            "\n  ",
            "\n    ",
            " ",
            ": ",
            ",",
            "[",
            "]",
            "{",
            "}",
            "'",
            '"',
            "|\n",
            ">\n",
        ),
        *(
            "#",
            " # x",
            "&x ",
            "*x",
            "!",
            "!!str ",
            "!y ",
            "? ",
            "\t",
            "\\",
            "%",
            "@",
            "`",
            "---\n",
            "...\n",
            "<<: ",
            "~",
        ),
        *(
            "\r\n",
            "\r",
            "\x85",
            "\u2028",
            "ä",
            "\U0001f600",
            "\ufeff",
            "\x00",
            "\x7f",
            "'it''s'",
            '"\\x41"',
            "|2-\n",
            "on",
        ),
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join))
@THOROUGH
def test_both_parsers_agree_on_odd_texts(text):
    assert told(text) == told(text, pure=True)


def nested() -> st.SearchStrategy[object]:
    leaf = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
    return st.recursive(leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(leaf, inner, max_size=3))


@given(nested(), st.booleans())
@THOROUGH
def test_both_parsers_read_what_was_written(data, flow):
    import yaml

    text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True, width=40)
    document = told(text)
    assert document == told(text, pure=True)
    if not isinstance(data, str):
        assert plain(parse_document(Source("p", text)).root) == data


def plain(node: Node) -> object:
    if isinstance(node, ScalarNode):
        return node.text
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.items]
    assert isinstance(node, MappingNode)
    return {key.text: plain(value) for key, value in node.items()}


@given(st.binary(max_size=200))
@THOROUGH
def test_no_bytes_are_too_odd(data):
    text = decode(data)
    assert told(text) == told(text, pure=True)


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parents[2].glob("policies/**/*.yaml")), ids=lambda path: path.stem
)
def test_both_parsers_agree_on_stock_policies(path):
    text = path.read_text()
    assert told(text) == told(text, pure=True)
