"""Padding as linked, and the command that shows it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ldcheck.image.maps import read_map
from ldcheck.image.padding import section_paddings, spread
from tests.image import corpus
from tests.support.build import assemble, link
from tests.support.cache import ROOT
from tests.support.images import mini_image

_SOURCE = """
.section .text.a, "ax"
.skip 10
.section .text.b, "ax"
.balign 16
.skip 6
.section .text.c, "ax"
.skip 4
.section .data.d, "aw"
.balign 64
.skip 8
.section .table, "aw"
.balign 8
.skip 24
"""
_SCRIPT = """
SECTIONS {
  . = 0x10000;
  .text : { *(.text .text.*) . = ALIGN(32); }
  . = ALIGN(4096);
  .data : { *(.data .data.*) . = . + 3; }
  .table : { *(.table) }
  . = 0x40000;
  .far : { *(.far) BYTE(1) }
}
"""
_CAUSES = [
    # name, input alignment, assignment, section start
    (".text", 6, 6, 0),
    (".data", 0, 4096 - 32 + 3, 0),
    (".table", 0, 0, 5),
    # The script chose its address: what lies before it is not lost.
    (".far", 0, 0, 0),
]


@pytest.mark.parametrize("linker", ["ld", "ld.lld-14", "ld.lld-19"])
def test_causes(tmp_path, linker):
    done = link(tmp_path, _SCRIPT, [assemble(tmp_path, _SOURCE)], linker=linker)
    rows = section_paddings(read_map(str(done.map)))
    shown = [(row.name, row.input_alignment, row.assignment, row.section_start) for row in rows]
    assert [row for row in shown if row[0] in {name for name, *_ in _CAUSES}] == _CAUSES
    assert [row.inside for row in rows if row.name == ".data"] == [3]


REGIONS = """
MEMORY { FLASH : ORIGIN = 0x08000000, LENGTH = 64K  RAM : ORIGIN = 0x20000000, LENGTH = 64K }
SECTIONS {
  .text : { *(.text .text.*) } > FLASH
  .data : { *(.data .data.*) } > RAM AT> FLASH
  .table : { *(.table) } > RAM
}
"""
ADDRESSES = "SECTIONS { .text 0x08000000 : { *(.text .text.*) } .data 0x20000000 : { *(.data .data.*) } }"


@pytest.mark.parametrize("script", [REGIONS, ADDRESSES])
def test_what_lies_between_two_memories_is_no_padding(tmp_path, script):
    """The second one begins at a multiple of half a gigabyte, which no section asks for."""
    result = link(tmp_path, script, [assemble(tmp_path, _SOURCE)])
    assert result.map is not None
    found = {row.name: row for row in section_paddings(read_map(str(result.map)))}
    assert found[".data"].ahead == 0
    assert found[".table"].total == 0
    assert found[".text"].total == 6


def test_spread():
    """Pages are counted once for each object, however many of its sections lie there."""
    places = [("a", 0, 10), ("a", 100, 10), ("a", 8000, 200), ("b", 4096, 4096), ("b", 1 << 62, 1), ("c", 5, 0)]
    assert [tuple(found) for found in spread(places, 4096)] == [("a", 220, 3, 1), ("b", 4097, 2, 2)]
    assert [(found.object, found.pages) for found in spread([("x", 0, 1 << 60)], 4096)] == [("x", 1 << 48)]


def run(*arguments):
    command = [sys.executable, "-m", "ldcheck", "padding", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_the_command(tmp_path):
    objects = [assemble(tmp_path, _SOURCE, name="a.o"), assemble(tmp_path, _SOURCE, name="b.o")]
    done = link(tmp_path, _SCRIPT, objects)
    status, output, errors = run("--map", done.map, "--objects", *objects)
    assert (status, errors) == (0, "")
    lines = [line.split() for line in output.splitlines()]
    # 10 6* 6 4 | 10 2* 6 4 ...: as linked; 6 bytes at the end for `. = ALIGN(32)`.
    assert [".text", "64", "18", "6", "-", "24", "37.5", "%"] in lines
    assert [
        "output",
        "section",
        "as",
        "linked",
        "every",
        "wildcard",
        "sorted",
        "catch-alls",
        "sorted",
        "each",
        "object",
        "sorted",
    ] in lines
    assert "note:" not in output


def test_the_command_as_json():
    mini = mini_image("x86_64")
    status, output, errors = run("--map", mini.map, "--elf", mini.elf, "--objects", *mini.objects, "--json")
    assert (status, errors) == (0, "")
    document = json.loads(output)
    orders = {order["order"]: order for order in document["orders"]}
    assert list(orders) == ["as linked", "every wildcard sorted", "catch-alls sorted", "each object sorted"]
    for order in orders.values():
        parts = ("input-alignment", "assignment", "section-start")
        assert order["padding"] == sum(section[part] for section in order["sections"] for part in parts)
        assert all(found["pages"] >= found["least"] > 0 for found in order["objects"])
    assert {s["name"] for s in orders["as linked"]["sections"]} >= {".text", ".rodata", ".data"}


def test_without_objects_the_command_says_so():
    status, output, _ = run("--map", corpus.image("ld", "x86_64").map)
    assert status == 0
    assert "note: the other orders are computed from the objects: give --objects\n" in output
    status, output, _ = run("--map", corpus.image("ld.lld-16", "x86_64").map)
    assert "note: the other orders need a map of GNU ld" in output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--map", "LICENSE"], "expected a link map of GNU ld or lld, this looks like a text file"),
        (["--map", "nothing.map"], "cannot read a link map: No such file or directory"),
        (["--map", "{map}", "--elf", "{other}"], "the map does not belong to"),
        (["--map", "{map}", "--objects", "LICENSE"], "expected an object file or archive"),
        (["--map", "{map}", "--page", "3000"], "is no page size"),
        ([], "the following arguments are required: --map"),
    ],
)
def test_errors_of_the_command(arguments, says):
    built = corpus.image("ld", "x86_64")
    names = {"map": built.map, "other": corpus.image("ld", "arm64").elf}
    status, output, errors = run(*(argument.format(**names) for argument in arguments))
    assert (status, output) == (2, "")
    assert says in errors
