"""linker-portability on the snippets: it speaks of what linkers do not do alike, and is silent where they do."""

from __future__ import annotations

from pathlib import Path

import pytest

import ldcheck
from ldcheck.findings import Finding, Severity
from ldcheck.judging.differing import occurrences
from ldcheck.judging.evidence import ScriptView
from ldcheck.script.dialect import LLD
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.linkers.snippets import SAME, SNIPPETS, Snippet

# What a script does not show; see the head of ldcheck.judging.differing.
NOT_LOOKED_FOR = {"undeclared-region"}


def found(snippet: Snippet) -> set[str]:
    parsed = parse(Source("t.lds", snippet.script))
    if not parsed.ok:
        parsed = parse(Source("t.lds", snippet.script), dialect=LLD)
    return {one.difference for one in occurrences(ScriptView(parsed.tree, parsed.sources))}


@pytest.mark.parametrize("snippet", [one for one in SNIPPETS if one.difference not in NOT_LOOKED_FOR])
def test_each_difference_is_found(snippet: Snippet) -> None:
    assert snippet.difference in found(snippet)


@pytest.mark.parametrize("snippet", SAME)
def test_nothing_is_said_where_linkers_do_the_same(snippet: Snippet) -> None:
    assert snippet.difference not in found(snippet)


def findings(tmp_path: Path, script: str, linker: str = "") -> list[Finding]:
    path = tmp_path / "t.lds"
    path.write_text(script)
    report = ldcheck.check([str(path)], select=["linker-portability"], linker=linker)
    assert report.errors == ()
    return [*report.findings, *report.unshown]


NUMBER = "SECTIONS { . = 0x10000; .text : { *(.text) x = 0x10; } .rodata : { *(.rodata .note.*) } }\n"
POWER = "x = 6 ^ 3;\nSECTIONS { .text : { *(.text) } .rodata : { *(.rodata .note.*) } }\n"
DEPENDS = "SECTIONS { .text : { *(SORT(.text.b*) .text.a*) } .rodata : { *(.rodata .note.*) } }\n"


@pytest.mark.parametrize(
    ("script", "linker", "severity"),
    [
        (NUMBER, "", Severity.NOTE),
        (NUMBER, "both", Severity.ERROR),
        (NUMBER, "gnu=2.40,lld=19", Severity.ERROR),
        (NUMBER, "gnu", None),
        (NUMBER, "gnu=2.35,gnu=2.47", None),
        (POWER, "", None),
        (POWER, "gnu=2.40", Severity.ERROR),
        (POWER, "gnu=2.42", None),
        (POWER, "gnu=2.44,lld=21", None),
        (POWER, "gnu=2.44,lld=14", Severity.ERROR),
        (DEPENDS, "both", Severity.NOTE),
    ],
)
def test_how_heavy_it_is(script: str, linker: str, severity: Severity | None, tmp_path: Path) -> None:
    heavy = [one.severity for one in findings(tmp_path, script, linker)]
    assert heavy == ([severity] if severity else [])


def test_what_a_version_lacks_is_told_with_the_one_that_has_it(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, POWER, "gnu=2.40")
    assert finding.message == "`^` in an expression needs GNU ld 2.42, and this is for GNU ld 2.40"
    assert (finding.location.line, finding.location.column) == (1, 5)


CLASS = "SECTIONS { CLASS(c) { *(.a) } .text : { *(.text) } .x : { CLASS(c) } .rodata : { *(.rodata .note.*) } }\n"


def test_what_a_version_of_lld_lacks_is_told(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, CLASS, "lld=19")
    assert finding.message == "CLASS() needs lld 21, and this is for lld 19"
    assert findings(tmp_path, CLASS, "lld=21") == []


def test_a_comment_that_older_gnu_ld_does_not_read(tmp_path: Path) -> None:
    script = "# first\n# second\nSECTIONS { .text : { *(.text) } .rodata : { *(.rodata .note.*) } }\n"
    (finding,) = findings(tmp_path, script, "gnu=2.35")
    assert finding.message == "a comment that begins with # needs GNU ld 2.40, and this is for GNU ld 2.35"
    assert (finding.location.line, finding.location.column) == (1, 1)
    assert findings(tmp_path, script, "gnu=2.44") == []
    assert findings(tmp_path, '# 1 "t.lds"\n' + script.partition("\n# second\n")[2], "gnu=2.35") == []


def test_both_meanings_are_told_at_the_place(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, NUMBER, "gnu=2.40,lld=19")
    assert "GNU ld 2.40 adds the address of the section, and lld 19 leaves the number as it is" in finding.message
    assert (finding.location.line, finding.location.column) == (1, 48)
