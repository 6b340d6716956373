"""What is said of overlays and of ONLY_IF_RO by the rules of each lld: as much as can be, and what the program does."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.image.elf import read_elf
from ldcheck.image.maps import read_map
from ldcheck.layout.facts import Known, Order, order
from ldcheck.layout.followed import not_followed
from ldcheck.layout.interpret import interpret
from ldcheck.layout.result import Layout
from ldcheck.linker import Linker as Meant
from ldcheck.script.dialect import LLD as DIALECT
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.layout.soundness import see
from tests.support.build import assemble, link
from tests.support.linkers import LLD, Linker, as_params, command

SOURCE = "".join(
    f'.section {name},"{flags}"\n.balign {align}\n.skip {size},1\n'
    for name, flags, align, size in (
        (".text", "ax", 1, 5),
        (".a", "aw", 4, 3),
        (".b", "aw", 16, 20),
        (".rodata", "a", 8, 7),
        (".tail", "aw", 1, 9),
    )
)
OVERLAY = (
    "SECTIONS {{ . = 0x1000; .text : {{ *(.text) }} OVERLAY {} {{ .one {{ *(.a) }} .two {{ *(.b) }} }} end = .; }}"
)


def said_by(text: str, version: int) -> Layout:
    parsed = parse(Source("t.lds", text), dialect=DIALECT)
    assert parsed.ok, parsed.problems
    return interpret(parsed.tree, linker=Meant("lld", (version,)))


def fact(layout: Layout, name: str) -> tuple[Known, Known]:
    """Where a section starts, and where it is loaded from."""
    (found,) = (section for section in layout.sections if section.name == name)
    return found.start, found.load


# The header of an overlay, the version, what is said of the start of both sections, and of their load addresses.
CASES = [
    ("0x4000 : AT(0x8000)", 14, ("0x4000", "0x4000"), ("0x8000", "unknown")),
    ("0x4000 : AT(0x8000)", 19, ("0x4000", "0x4000"), ("0x8000", "at least 0x8000")),
    ("ALIGN(64) : AT(0x8000)", 16, ("a multiple of 64, at least 0x1000",) * 2, ("0x8000", "unknown")),
    ("ALIGN(64) : AT(0x8000)", 22, ("a multiple of 64, at least 0x1000",) * 2, ("0x8000", "at least 0x8000")),
    ("0x4000 :", 19, ("0x4000", "0x4000"), ("0x4000", "at least 0x4000")),
    ("0x4000 :", 21, ("0x4000", "0x4000"), ("0x4000", "at least 0x4000")),
    (":", 22, ("at least 0x1000", "at least 0x1000"), ("at least 0x1000", "at least 0x1000")),
]


@pytest.mark.parametrize(("header", "version", "starts", "loads"), CASES)
def test_what_is_said_of_an_overlay(header: str, version: int, starts: tuple[str, str], loads: tuple[str, str]) -> None:
    layout = said_by(OVERLAY.format(header), version)
    one, two = fact(layout, ".one"), fact(layout, ".two")
    assert (str(one[0]), str(two[0])) == starts
    assert (str(one[1]), str(two[1])) == loads
    end = layout.symbol("end")
    assert end is not None
    assert order(two[0], end) in ((Order.LESS_OR_EQUAL, None) if version < 19 else (Order.LESS_OR_EQUAL,))


def test_an_address_that_is_not_constant_counts_anew_until_19() -> None:
    for version, wanted in ((16, Order.LESS_OR_EQUAL), (19, Order.EQUAL)):
        layout = said_by(OVERLAY.format(". : AT(0x8000)"), version)
        assert order(fact(layout, ".one")[0], fact(layout, ".two")[0]) in (wanted, None), version
    assert order(fact(layout, ".one")[0], fact(layout, ".two")[0]) is Order.EQUAL


@pytest.mark.parametrize("linker", as_params(LLD))
@pytest.mark.parametrize("header", dict.fromkeys(header for header, *_ in CASES))
def test_it_is_so_in_a_link(tmp_path: Path, header: str, linker: Linker) -> None:
    text = OVERLAY.format(header)
    done = link(tmp_path, text, [assemble(tmp_path, SOURCE)], options=["--no-check-sections"], linker=command(linker))
    if ("AT" not in header or header == ":") and linker.version in ("14", "16"):
        assert not done.ok
        return
    assert done.elf is not None, done.output
    assert done.map is not None
    layout = said_by(text, int(linker.version))
    linked = see(read_elf(str(done.elf)), read_map(str(done.map)))
    for name in (".one", ".two"):
        start, load = fact(layout, name)
        assert start.number.holds(linked.sections[name].start)
        assert load.number.holds(linked.sections[name].load)
    end = layout.symbol("end")
    assert end is not None
    assert end.number.holds(linked.symbols["end"])


PAIR = "SECTIONS { . = 0x1000; .x : ONLY_IF_RO { *(.x) } .x : ONLY_IF_RW { *(.x) } . = ALIGN(4K); end = .; %s }"


@pytest.mark.parametrize(
    ("text", "followed"),
    [
        (PAIR % "", True),
        # An expression keeps a section that is left out, and so do inputs of its name and symbols that it asks for.
        (PAIR % "at = ADDR(.x);", False),
        (PAIR.replace(".x : ONLY_IF_RW { *(.x) }", ".x : ONLY_IF_RW { *(.x.*) }") % "", False),
        ("SECTIONS { x = 1; .x : ONLY_IF_RO { *(.x) y = x; } .x : { *(.x) } }", False),
        ("SECTIONS { .y : ONLY_IF_RO { *(.x) } .x : { *(.x .y) } }", True),
    ],
)
def test_where_sections_with_a_condition_are_followed(text: str, followed: bool) -> None:
    parsed = parse(Source("t.lds", text), dialect=DIALECT)
    assert (not_followed(parsed.tree, Meant("lld", (19,))) is None) is followed
    if "end = ." in text:
        end = said_by(text, 19).symbol("end")
        assert end is not None
        assert end.aligned_to(4096) is followed
