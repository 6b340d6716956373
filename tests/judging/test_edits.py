"""Edits of files: made, and drafted from what a check knows of a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck import checks
from ldcheck.findings import Edit, Fix
from ldcheck.judging.edits import applied, keep, move_ahead, put_ahead, put_first, put_last, take_also
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.gate import Asked, check_target
from ldcheck.project.target import Target
from ldcheck.script.parser import parse
from ldcheck.source import Location, Source


def edit(text: str, line: int, column: int, end_line: int = 0, end_column: int = 0) -> Edit:
    return Edit(Location("a.lds", line, column, end_line or line, end_column or column), text)


SOURCE = Source("a.lds", "one\ntwo\r\nthr\u00e9e\n")


@pytest.mark.parametrize(
    ("edits", "wanted"),
    [
        ([edit("x", 2, 1)], "one\nxtwo\r\nthr\u00e9e\n"),
        ([edit("", 2, 1, 3, 1)], "one\nthr\u00e9e\n"),
        ([edit("e", 3, 4, 3, 5)], "one\ntwo\r\nthree\n"),
        ([edit("", 3, 1, 4, 1), edit("thr\u00e9e\n", 1, 1)], "thr\u00e9e\none\ntwo\r\n"),
        ([edit("b", 1, 2), edit("a", 1, 1)], "abone\n".replace("bo", "ob") + "two\r\nthr\u00e9e\n"),
        ([edit("end", 4, 1)], "one\ntwo\r\nthr\u00e9e\nend"),
        ([], SOURCE.text),
    ],
)
def test_edits_are_made_together(edits: list[Edit], wanted: str) -> None:
    assert applied(SOURCE, edits) == wanted


@pytest.mark.parametrize(
    "edits",
    [
        [edit("", 1, 1, 2, 1), edit("", 1, 2, 1, 3)],
        [edit("x", 9, 1)],
        [edit("x", 0, 0)],
        [edit("x", 4, 7)],
        [edit("x", 2, 3, 2, 1)],
    ],
)
def test_edits_that_do_not_fit_are_not_made(edits: list[Edit]) -> None:
    assert applied(SOURCE, edits) is None


def view_of(text: str) -> ScriptView:
    parsed = parse(Source("a.lds", text))
    assert parsed.ok
    return ScriptView(parsed.tree, parsed.sources)


def made(text: str, fix: Fix | None) -> str | None:
    return None if fix is None else applied(Source("a.lds", text), fix.edits)


def moved(text: str, behind: str = ".x.special", first: str = ".x.*") -> str | None:
    """The script in which the statement of one pattern was put ahead of that of another."""
    view = view_of(text)
    by_name = {rule.pattern.pattern.text: rule for rule in view.rules if rule.pattern is not None}
    return made(text, move_ahead(by_name[behind], by_name[first], view))


def body(text: str) -> str:
    return f"SECTIONS {{\n  .x : {{\n{text}  }}\n}}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Lines of their own, with what belongs to them.
        ("    *(.x.*)\n    *(.x.special)\n", "    *(.x.special)\n    *(.x.*)\n"),
        ("    *(.x.*)\n    *(.x.special) /* hot */\n", "    *(.x.special) /* hot */\n    *(.x.*)\n"),
        ("    *(.x.*)\n    *(.x.special);\n", "    *(.x.special);\n    *(.x.*)\n"),
        ("    *(.x.*)\n\t*(.y)\n    *(.x.special)\n", "    *(.x.special)\n    *(.x.*)\n\t*(.y)\n"),
        ("    *(.x.*)\r\n    *(.x.special)\r\n", "    *(.x.special)\r\n    *(.x.*)\r\n"),
        ("    *(.x.*)\n    KEEP(*(.y\n      .x.special))\n", "    KEEP(*(.y\n      .x.special))\n    *(.x.*)\n"),
        # Other statements on the line.
        ("    *(.x.*) *(.x.special)\n", "    *(.x.special)\n    *(.x.*)\n"),
        ("    *(.a) *(.x.*)\n    *(.x.special)\n", "    *(.a) *(.x.special) *(.x.*)\n"),
        ("    *(.x.*)\n    *(.a) *(.x.special)\n", "    *(.x.special)\n    *(.x.*)\n    *(.a)\n"),
        ("    *(.x.*)\n    *(.x.special) *(.a)\n", "    *(.x.special)\n    *(.x.*)\n     *(.a)\n"),
        ("    *(.a) *(.x.*)\n    *(.x.special) /* a */\n", "    *(.a) *(.x.special) *(.x.*)\n    /* a */\n"),
        # A comment that goes on belongs to more than the line.
        (
            "    *(.x.*)\n    *(.x.special) /* a\n    b */ *(.a)\n",
            "    *(.x.special)\n    *(.x.*)\n    /* a\n    b */ *(.a)\n",
        ),
    ],
)  # fmt: skip
def test_a_statement_moves_with_its_line(before: str, after: str) -> None:
    text = moved(body(before))
    assert text is not None
    assert [line.split() for line in text.splitlines()] == [line.split() for line in body(after).splitlines()]
    assert text.count("\r") == before.count("\r")
    assert parse(Source("", text)).ok


@pytest.mark.parametrize(
    "text",
    [
        # A bracket, an alignment, data: what stands between two statements may be there for their order.
        "    *(.x.*)\n    x_start = .;\n    *(.x.special)\n",
        "    *(.x.*)\n    . = ALIGN(8);\n    *(.x.special)\n",
        "    *(.x.*)\n    LONG(0)\n    *(.x.special)\n",
        '    *(.x.*)\n    ASSERT(. < 4096, "a");\n    *(.x.special)\n',
        "    *(.x.*)\n    CONSTRUCTORS\n    *(.x.special)\n",
        # A bare name may be a macro.
        "    *(.x.*)\n    MORE\n    *(.x.special)\n",
        # Part of one line, and of the next.
        "    *(.x.*)\n    *(.a) *(.b\n .x.special)\n",
    ],
)  # fmt: skip
def test_a_statement_does_not_move_past_what_it_may_stand_behind_on_purpose(text: str) -> None:
    assert moved(body(text)) is None


def test_output_sections_move_past_output_sections() -> None:
    text = "SECTIONS {\n  .a : { *(.x.*) }\n  .b : { *(.b) }\n  .c : {\n    *(.x.special)\n  } = 0\n}\n"
    wanted = "SECTIONS {\n  .c : {\n    *(.x.special)\n  } = 0\n  .a : { *(.x.*) }\n  .b : { *(.b) }\n}\n"
    assert moved(text) == wanted
    assert moved(text.replace("  .b : {", "  b = .;\n  .b : {")) is None
    assert moved(text.replace(".c :", "/DISCARD/ :")) is None


def test_other_edits() -> None:
    text = "SECTIONS {\n  .x : { *(.a) *(SORT(.b)) *(.c .d) }\n  .y (NOLOAD) : AT(0) {\n  }\n}\n"
    view = view_of(text)
    a, b, c, _ = view.rules
    first, second = view.output_sections[".x"][0], view.output_sections[".y"][0]
    aligned = ". = ALIGN(4);"
    assert made(text, keep([a], view)) == text.replace("*(.a)", "KEEP(*(.a))")
    assert made(text, keep([b], view)) == text.replace("*(SORT(.b))", "KEEP(*(SORT(.b)))")
    assert keep([c], view) is None
    assert made(text, take_also(".a.*", a, view, "")) == text.replace("*(.a)", "*(.a .a.*)")
    assert made(text, take_also(".b.*", b, view, "")) == text.replace("*(SORT(.b))", "*(SORT(.b) .b.*)")
    assert made(text, put_ahead(aligned, first, view, "")) == text.replace("  .x", "  . = ALIGN(4);\n  .x")
    assert made(text, put_ahead(aligned, c.statement, view, "")) == text.replace("*(.c", ". = ALIGN(4); *(.c")
    # In the middle of a statement there is no place for another.
    assert c.pattern is not None
    assert put_ahead(aligned, c.pattern, view, "") is None
    assert made(text, put_first("*(.z)", second, view, "")) == text.replace("AT(0) {", "AT(0) { *(.z)")
    assert made(text, put_last(".z : {}", view, "")) == text.replace("  }\n}", "  }\n  .z : {}\n}")


HEADER = "#define REST *(.rest)\n#define SPECIAL *(.x.special)\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # The finding's condition is another one than the place's: the statement passes the condition as a whole.
        (
            "*(.y)\n#ifdef CONFIG_A\n*(.x.*)\n#endif\n*(.x.special)\n",
            "*(.y)\n*(.x.special)\n#ifdef CONFIG_A\n*(.x.*)\n#endif\n",
        ),
        (
            "#ifdef CONFIG_B\n*(.y)\n#ifdef CONFIG_A\n*(.x.*)\n#else\n*(.z)\n#endif\n*(.x.special)\n#endif\n",
            "#ifdef CONFIG_B\n*(.y)\n*(.x.special)\n#ifdef CONFIG_A\n*(.x.*)\n#else\n*(.z)\n#endif\n#endif\n",
        ),
        # Under one condition.
        (
            "#ifdef CONFIG_A\n*(.x.*)\n*(.x.special)\n#endif\n",
            "#ifdef CONFIG_A\n*(.x.special)\n*(.x.*)\n#endif\n",
        ),
        # Out of its own condition it must not go, nor past the other way of it, nor past what a macro may be.
        ("*(.x.*)\n#ifdef CONFIG_A\n*(.x.special)\n#endif\n", None),
        ("*(.x.*)\n#ifdef CONFIG_A\n*(.z)\n#else\n*(.x.special)\n#endif\n", None),
        ("*(.x.*)\n#ifdef CONFIG_A\na = .;\n#endif\n*(.x.special)\n", None),
        ("*(.x.*)\nREST\n*(.x.special)\n", None),
        ("*(.x.*)\n#undef REST\n*(.x.special)\n", None),
        ('*(.x.*)\n#include "more.lds.h"\n*(.x.special)\n', None),
        # What comes out of a macro is edited nowhere.
        ("*(.x.*)\nSPECIAL\n", None),
        ("*(.x.*) *(.x.special)\n", "*(.x.special)\n*(.x.*)\n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("preprocessor", ["pcpp", "compiler"])
def test_conditions_are_kept(
    text: str, wanted: str | None, preprocessor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("more.lds.h").write_text("*(.y)\n")
    script = HEADER + body(text)
    Path("a.lds.S").write_text(script)
    Path("policy.yaml").write_text("ldcheck: 1\nrules:\n  - lint: shadowed-pattern\n")
    target = Target("t", "a.lds.S", policies=("policy.yaml",), preprocessor=preprocessor)
    checked = check_target(target, Asked(), checks, lambda _: None)
    assert not checked.errors
    assert checked.findings
    for finding in checked.findings:
        if wanted is None:
            assert finding.fix is None
        else:
            assert finding.fix is not None
            assert applied(Source("a.lds.S", script), finding.fix.edits) == HEADER + body(wanted)
