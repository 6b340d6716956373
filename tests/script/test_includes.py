"""INCLUDE at every place where it may stand, against GNU ld, and what its spans point to."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ldcheck.script.includes import searched
from ldcheck.script.parser import parse
from ldcheck.script.syntax import Include, Word, walk
from ldcheck.source import Source
from tests.support.tools import tool

PLACES = {
    "top level": ("INCLUDE b.ld\nx = 1;", "y = 2; SECTIONS { }"),
    "sections": ("SECTIONS { INCLUDE b.ld .z : { } }", ".b : { *(.b) } y = 2;"),
    "body": ("SECTIONS { .z : { *(.z) INCLUDE b.ld *(.y) } }", "*(.b) b = .; INCLUDE c.ld"),
    "memory": ("MEMORY { INCLUDE b.ld R : ORIGIN = 0, LENGTH = 1 }", "A : ORIGIN = 0, LENGTH = 1 B : org = 0, l = 1"),
    "unfinished": ("INCLUDE b.ld\nx = 1;", "y = "),
    "unbalanced": ("SECTIONS { INCLUDE b.ld", ".b : { *(.b) } }"),
    "wrong": ("SECTIONS { INCLUDE b.ld }", "*(.b)"),
    "quoted": ('INCLUDE "b.ld" x = 1;', "y = 1;"),
    "fill at the end": ("SECTIONS { INCLUDE b.ld .z : { } }", ".b : { } =0x90"),
    "itself": ("INCLUDE a.ld", ""),
}


@pytest.mark.parametrize(("outer", "inner"), PLACES.values(), ids=PLACES)
def test_include_has_the_verdict_of_ld(outer: str, inner: str, tmp_path: Path) -> None:
    for name, text in {"a.ld": outer, "b.ld": inner, "c.ld": "*(.c)", "sentinel": "SECTIONS { ;"}.items():
        (tmp_path / name).write_text(text)
    run = subprocess.run([tool("ld"), "-T", "a.ld", "-T", "sentinel"], cwd=tmp_path, capture_output=True, text=True)
    parsed = parse(Source(str(tmp_path / "a.ld"), outer), include=searched())
    assert parsed.ok == ("sentinel:" in run.stderr), (run.stderr, parsed.problems)


def test_spans_lie_in_the_file_that_was_included(tmp_path: Path) -> None:
    (tmp_path / "b.ld").write_text("\n  here = 1;")
    parsed = parse(Source(str(tmp_path / "a.ld"), "INCLUDE b.ld"), include=searched())
    word = next(node for node in walk(parsed.tree) if isinstance(node, Word) and node.text == "here")
    place = parsed.sources.locate(word.start, word.end)
    assert (place.file, place.line, place.column) == (str(tmp_path / "b.ld"), 2, 3)
    assert parsed.sources.text(word.start, word.end) == "here"


def test_a_missing_file_is_told_and_is_no_syntax_error() -> None:
    parsed = parse(Source("a.ld", "INCLUDE nowhere.ld x = 1;"), include=searched(["/nowhere"]))
    assert parsed.ok
    assert [problem.message for problem in parsed.problems] == ["cannot find the file `nowhere.ld`"]
    assert next(node for node in walk(parsed.tree) if isinstance(node, Include)).statements is None


def test_devices_are_not_read() -> None:
    assert searched()("/dev/zero", "a.ld") is None
