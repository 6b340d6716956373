"""Suppression in the source: what a comment is about, and what is wrong with it."""

from __future__ import annotations

import pytest

from ldcheck.accepted.allowances import FORM, Allowance, apply_allowances, read_allowances
from ldcheck.findings import Finding, Severity
from ldcheck.record import replace
from ldcheck.source import Location, Related, Source

NAME = "xen/xen.lds.S"


def read(text: str, name: str = NAME) -> list[Allowance]:
    found = read_allowances([Source(name, text)])
    assert not found.malformed, found.malformed[0].message
    return list(found.found)


def finding(line: int, rule: str = "r1", file: str = NAME, use: int = 0) -> Finding:
    related = (Related(Location(file="a.S", line=use), "DWARF is used here"),) if use else ()
    return Finding(rule, "shadowed-pattern", Severity.ERROR, "m", Location(file, line, 3), related=related)


def test_what_several_rules_found_is_allowed_by_the_name_of_any() -> None:
    (allowance,) = read("*(.a) /* ldcheck: allow(r2) -- x */\n")
    assert not allowance.covers(finding(1))
    assert allowance.covers(replace(finding(1), also=("r0", "r2")))


def malformed(text: str) -> Finding:
    found = read_allowances([Source(NAME, text)])
    assert not found.found
    (problem,) = found.malformed
    return problem


def test_an_allowance() -> None:
    (found,) = read("a\n  /* ldcheck: allow(r1, no-wildcard) -- kept for\n      old compilers */\nb\n")
    assert found.rules == ("r1", "no-wildcard")
    assert found.reason == "kept for old compilers"
    assert (found.location.file, found.location.line, found.location.column) == (NAME, 2, 6)
    assert (found.first, found.last) == (2, 4)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("*(.a) /* ldcheck: allow(r1) -- x */\n*(.b)\n", 1, 1),
        ("/* ldcheck: allow(r1) -- x */ *(.a)\n*(.b)\n", 1, 1),
        ("/* ldcheck: allow(r1) -- x */\n*(.a)\n*(.b)\n", 1, 2),
        ("/* ldcheck: allow(r1) -- x */\n\n/* other */\n// more\n  *(.a)\n*(.b)\n", 1, 5),
        ("#define A \\\n  /* ldcheck: allow(r1) -- x */ \\\n  *(.a) \\\n  *(.b)\n", 2, 3),
        ("#define A \\\n  *(.a) /* ldcheck: allow(r1) -- x */ \\\n  *(.b)\n", 2, 2),
        ("*(.a) // ldcheck: allow(r1) -- x\n*(.b)\n", 1, 1),
        ("# ldcheck: allow(r1) -- x\n*(.a)\n", 1, 2),
        ("/* ldcheck: allow(r1) -- x */", 1, 1),
        ("/*\n * ldcheck: allow(r1) -- x\n */\n*(.a)\n", 1, 4),
    ],
    ids=range(10),
)
def test_the_lines_that_it_is_about(text: str, first: int, last: int) -> None:
    (found,) = read(text)
    assert (found.first, found.last) == (first, last)


@pytest.mark.parametrize("form", ["-- why", "— why", ": why", "- why", "--why"])
def test_reasons(form: str) -> None:
    assert read(f"/* ldcheck: allow(r1) {form} */")[0].reason == "why"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/* ldcheck: allow(r1) */", "the allowance of r1 gives no reason"),
        ("/* ldcheck: allow(r1) -- */", "the allowance of r1 gives no reason"),
        ("/* ldcheck: allow(r1) because */", "the allowance of r1 gives no reason"),
        ("/* ldcheck: allow() -- x */", "this allowance names no rule"),
        ("/* ldcheck: allow(a b) -- x */", "`a b` is no id of a rule"),
        ("/* ldcheck: allow(a,) -- x */", "this allowance names no rule"),
        ("/* ldcheck: ignore(a) -- x */", "this comment speaks to ldcheck and says nothing that it understands"),
        ("/* ldcheck: allow r1 */", "this comment speaks to ldcheck and says nothing that it understands"),
        ("/* ldcheck: */", "this comment speaks to ldcheck and says nothing that it understands"),
    ],
)
def test_what_is_wrong_with_it(text: str, message: str) -> None:
    problem = malformed("x\n" + text)
    assert (problem.message, problem.rule, problem.severity) == (message, "malformed-allowance", Severity.ERROR)
    assert (problem.location.file, problem.location.line) == (NAME, 2)
    assert FORM in problem.help


@pytest.mark.parametrize(
    "text",
    [
        "/* see ldcheck for this */",
        'ASSERT(1, "/* ldcheck: allow(x) */")',
        "ldcheck: allow(r1)",
        "",
        "/* ldcheck",
        "/*/",
    ],
)
def test_other_texts_are_no_allowances(text: str) -> None:
    assert read(text) == []


def test_findings_are_sorted() -> None:
    allowances = read("/* ldcheck: allow(r1) -- x */\n*(.a)\n*(.b) /* ldcheck: allow(shadowed-pattern) -- y */\n")
    there, by_check, elsewhere, other = finding(2), finding(3, "r2"), finding(4), finding(2, "r2")
    applied = apply_allowances([there, by_check, elsewhere, other], allowances)
    assert applied.kept == (elsewhere, other)
    assert [(one, allowance.reason) for one, allowance in applied.allowed] == [(there, "x"), (by_check, "y")]
    assert applied.unused == ()


def test_another_file_is_not_meant() -> None:
    allowances = read("/* ldcheck: allow(r1) -- x */\n*(.a)\n", "xen/./xen.lds.S")
    assert apply_allowances([finding(2)], allowances).kept == ()
    assert len(apply_allowances([finding(2, file="other.lds.S")], allowances).kept) == 1


def test_the_use_of_a_macro_may_carry_the_allowance() -> None:
    allowances = read("/* ldcheck: allow(r1) -- x */\nDWARF\n", "a.S")
    assert apply_allowances([finding(90, use=2)], allowances).kept == ()


def test_an_allowance_that_allows_nothing_is_reported() -> None:
    allowances = read("*(.a) /* ldcheck: allow(r1, r2) -- x */\n")
    (unused,) = apply_allowances([], allowances).unused
    assert (unused.rule, unused.check, unused.severity) == ("unused-allowance", "allowance", Severity.WARNING)
    assert unused.message == "nothing is found here that r1, r2 would have to allow"
    assert unused.location == allowances[0].location
    # Of rules that were not judged in this run nothing can be said.
    assert apply_allowances([], allowances, judged={"r3"}).unused == ()
    assert len(apply_allowances([], allowances, judged={"r2"}).unused) == 1


def test_a_file_counts_once() -> None:
    source = Source(NAME, "*(.a) /* ldcheck: allow(r1) -- x */\n")
    assert len(read_allowances([source, source]).found) == 1


def test_many_comments_are_read_in_time() -> None:
    text = "/* ldcheck: allow(r1) -- x */\n" * 3000 + "/*" * 20_000
    assert len(read_allowances([Source(NAME, text)]).found) == 3000
