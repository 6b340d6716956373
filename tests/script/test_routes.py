"""Routes: names where there are names, stable under edits elsewhere."""

from __future__ import annotations

from ldcheck.script.parser import parse
from ldcheck.script.routes import Routes
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    InputSectionDescription,
    Node,
    OutputSection,
    SectionPattern,
    walk,
)
from ldcheck.source import Source

SCRIPT = """
ENTRY(start)
MEMORY { rom : ORIGIN = 0, LENGTH = 4K }
first = 1;
SECTIONS
{
  _text = .;
  .text : { _stext = .; *(.text .text.* .text) KEEP(*(.init)) . = ALIGN(4); . = ALIGN(8); ASSERT(1, "x"); }
  .data : { *(.data) }
  .data : { *(.data2) }
  ASSERT(1, "one") ASSERT(2, "two")
  OVERLAY : { .o1 { *(.o1) } .o2 { *(.o2) } }
  _end = .;
}
SECTIONS { .more : { *(.more) } }
ASSERT(3, "three")
"""


def found(text: str, kind: type[Node]) -> list[str]:
    tree = parse(Source("script", text)).tree
    places = Routes(tree)
    return [places.of(node) for node in walk(tree) if isinstance(node, kind)]


def test_routes_of_statements() -> None:
    assert found(SCRIPT, OutputSection) == [
        "SECTIONS/.text",
        "SECTIONS/.data",
        "SECTIONS/.data#2",
        "SECTIONS/OVERLAY/.o1",
        "SECTIONS/OVERLAY/.o2",
        "SECTIONS#2/.more",
    ]
    assert found(SCRIPT, Assignment) == [
        "first",
        "SECTIONS/_text",
        "SECTIONS/.text/_stext",
        "SECTIONS/.text/.",
        "SECTIONS/.text/.#2",
        "SECTIONS/_end",
    ]
    assert found(SCRIPT, Assertion) == [
        "SECTIONS/.text/ASSERT/1",
        "SECTIONS/ASSERT/1",
        "SECTIONS/ASSERT/2",
        "ASSERT/1",
    ]
    assert found(SCRIPT, InputSectionDescription)[:2] == ["SECTIONS/.text/2", "SECTIONS/.text/3"]
    assert found(SCRIPT, SectionPattern)[:4] == [
        "SECTIONS/.text/2/.text",
        "SECTIONS/.text/2/.text.*",
        "SECTIONS/.text/2/.text#2",
        "SECTIONS/.text/3/.init",
    ]


def test_every_node_has_a_route() -> None:
    tree = parse(Source("script", SCRIPT)).tree
    places = Routes(tree)
    assert all(places.of(node) for node in walk(tree) if node is not tree)


def test_edits_elsewhere_do_not_matter() -> None:
    edited = SCRIPT.replace("first = 1;", "zeroth = 0; first = 1;").replace(
        "  .data", "  .new : { *(.new) }\n  .data", 1
    )
    before, after = set(found(SCRIPT, SectionPattern)), set(found(edited, SectionPattern))
    assert before < after


def test_included_statements_are_routed_as_if_they_stood_there() -> None:
    tree = parse(
        Source("a.ld", "SECTIONS { INCLUDE b.ld\n .z : { *(.z) INCLUDE c.ld *(.y) } }"),
        include=lambda path, _: Source(path, {"b.ld": ".b : { *(.b) }", "c.ld": "*(.c)"}[path]),
    ).tree
    places = Routes(tree)
    shown = [places.of(node) for node in walk(tree) if isinstance(node, SectionPattern)]
    assert shown == ["SECTIONS/.b/1/.b", "SECTIONS/.z/1/.z", "SECTIONS/.z/2/.c", "SECTIONS/.z/3/.y"]
