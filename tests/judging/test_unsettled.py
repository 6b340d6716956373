"""What hangs on a macro of which nobody knows what it stands for is not found, and not held either."""

from __future__ import annotations

from pathlib import Path

import pytest

import ldcheck
from ldcheck.findings import Finding, Verdict
from tests.support.tools import tool

MEMORY = "MEMORY { ROM : ORIGIN = 0, LENGTH = 64K RAM : ORIGIN = 0x20000000, LENGTH = 16K }\n"
DATA = ".data : { _sdata = .; *(.data*) } > RAM AT> ROM\n"
ALIGNED = "{ id: aligned, align: _sdata, to: 4 }"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tool("gcc")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def judged(text: str, rule: str, **given: str | None) -> tuple[Verdict, str, tuple[Finding, ...]]:
    """The verdict on one rule, a lint's name or a rule of a policy, with its reason and the findings."""
    Path("p.yaml").write_text(f"ldcheck: 1\nrules:\n  - {rule if rule[0] == '{' else f'{{ id: it, lint: {rule} }}'}\n")
    Path("a.ld").write_text(text)
    report = ldcheck.check(["a.ld"], policies=["p.yaml"], definitions=given)
    (result,) = report.rules
    return result.verdict, result.reason, report.findings


@pytest.mark.parametrize(
    "asking", ["#ifdef START", "#if defined(START)", "#if START", "#if START > 4", "#if START != 7"]
)
def test_no_number_that_was_made_up_fails_an_assert(asking: str) -> None:
    text = f'SECTIONS {{ .text : {{ *(.text) }}\n{asking}\nASSERT(START % 4 == 0, "odd")\n#endif\n}}\n'
    assert judged(text, "failed-assert")[0] is Verdict.NOT_CHECKED
    # What is given, or named by the condition itself, is no invention.
    verdict, _, (finding,) = judged(text, "failed-assert", START="5")
    assert (verdict, finding.location.line) == (Verdict.VIOLATED, 3)
    exact = text.replace(asking, "#if START == 5")
    verdict, _, (finding,) = judged(exact, "failed-assert")
    assert (verdict, finding.configurations) == (Verdict.VIOLATED, "only with START=5")


def test_a_region_that_a_condition_asks_about_may_be_any() -> None:
    text = MEMORY + "SECTIONS {\n#ifdef CORE\n.core : { *(.core) } > CORE\n#endif\n.bss : { *(.bss) } > RAM }\n"
    verdict, reason, findings = judged(text, "undeclared-region")
    assert (verdict, findings) == (Verdict.NOT_CHECKED, ())
    assert reason == "the script only asks about CORE: give what it stands for with -D (only with CORE)"
    assert judged(text, "undeclared-region", CORE="RAM")[0] is Verdict.HELD
    assert judged(text, "undeclared-region", CORE="ROM2")[0] is Verdict.VIOLATED
    # Another name that is used beside it is not declared whatever that is.
    assert judged(text.replace("> RAM", "> ram"), "undeclared-region")[0] is Verdict.VIOLATED


def test_a_region_may_be_a_macro_of_a_header_that_is_missing() -> None:
    text = '#include "board.h"\n' + MEMORY + "SECTIONS { .core : { *(.core) } > CORE }\n"
    verdict, reason, _ = judged(text, "undeclared-region")
    assert verdict is Verdict.NOT_CHECKED
    assert reason.startswith("CORE may be a macro of board.h, which is missing: ")
    Path("board.h").write_text("")
    assert judged(text, "undeclared-region")[0] is Verdict.VIOLATED


@pytest.mark.parametrize(
    "text",
    [
        MEMORY.replace("}", '\n#include "more.h"\n}') + "SECTIONS { .core : { *(.core) } > core }\n",
        '#include "more.ld"\n' + MEMORY + "SECTIONS { .core : { *(.core) } > core }\n",
    ],
)
def test_an_include_of_statements_that_is_missing_may_declare_regions(text: str) -> None:
    verdict, reason, _ = judged(text, "undeclared-region")
    assert verdict is Verdict.NOT_CHECKED
    assert reason.endswith("was not found, which may hold the MEMORY")
    assert judged(text, "{ id: it, limit: region core, to: 4K }")[0] is Verdict.NOT_CHECKED


def test_a_segment_may_be_a_macro_as_well() -> None:
    text = "PHDRS { text PT_LOAD; }\nSECTIONS { .text : { *(.text) } :text\n"
    text += "#ifdef SEG\n.core : { *(.core) } :SEG\n#endif\n}\n"
    assert judged(text, "undeclared-segment")[0] is Verdict.NOT_CHECKED
    assert judged(text, "undeclared-segment", SEG="data")[0] is Verdict.VIOLATED


@pytest.mark.parametrize(
    "text",
    [
        MEMORY + "SECTIONS { " + DATA.replace(":", "(BASE + 0x100) :", 1) + "}",
        MEMORY + "SECTIONS { .data : { *(.data*) } . = BASE + 4; _sdata = .; }",
        MEMORY + "SECTIONS { .data ALIGN(BASE) : { _sdata = .; *(.data*) } }",
    ],
)
def test_what_hangs_on_a_macro_of_a_missing_header_is_not_checked(text: str) -> None:
    text = '#include "board.h"\n' + text
    verdict, reason, findings = judged(text, ALIGNED)
    assert (verdict, findings) == (Verdict.NOT_CHECKED, ())
    assert reason.startswith("it hangs on the value of a macro: BASE may be a macro of board.h, which is missing: ")
    Path("board.h").write_text("#define BASE 0x20000000\n")
    assert judged(text, ALIGNED)[0] is Verdict.HELD


def test_what_hangs_on_no_macro_is_found_all_the_same() -> None:
    text = '#include "board.h"\n' + MEMORY + "SECTIONS { .text BASE : { *(.text) }\n_sdata = 0x20000002;\n}\n"
    verdict, _, (finding,) = judged(text, ALIGNED)
    assert (verdict, finding.location.line) == (Verdict.VIOLATED, 4)


@pytest.mark.parametrize(
    ("asking", "condition"),
    [
        ("LEVEL != 1", "only with LEVEL other than 1"),
        ("LEVEL == 1", "only with LEVEL=1"),
        ("LEVEL < 3", "only with LEVEL below 3 (or not defined)"),
        ("LEVEL >= 3", "only with LEVEL of 3 or more"),
        ("LEVEL > 2 && LEVEL < 6", "only with LEVEL from 3 to 5"),
        ("LEVEL != 1 && LEVEL != 4", "only with LEVEL other than 1 and 4"),
        ("LEVEL == 0", "only with LEVEL=0 (or not defined)"),
        ("LEVEL + 1 > 3 && LEVEL != 7", "only with LEVEL such as 6"),
        ("defined(LEVEL)", "only with LEVEL"),
        ("defined(LEVEL) && LEVEL < 4", "only with LEVEL below 4"),
        ("!defined(LEVEL) || LEVEL == 2", "only with LEVEL=2, or without LEVEL"),
        ("5 == LEVEL", "only with LEVEL=5"),
        ("(LEVEL) > 07u", "only with LEVEL of 8 or more"),
    ],
)
def test_a_condition_speaks_for_every_number_for_which_one_was_tried(asking: str, condition: str) -> None:
    """Each number up to 9 is given, and none at all: the finding is there where the condition says so."""
    text = MEMORY + f"SECTIONS {{\n#if {asking}\n.a : {{ *(.a) }} > ram\n#endif\n.b : {{ *(.b) }} > RAM }}\n"
    (found,) = judged(text, "undeclared-region")[2]
    assert found.configurations == condition
    for number in (*map(str, range(10)), ""):
        there = bool(judged(text, "undeclared-region", LEVEL=number or None)[2])
        assert there is _says(condition, number), number


def _says(condition: str, number: str) -> bool:
    words = condition.removeprefix("only with LEVEL").strip()
    value = int(number or 0)
    match words.split():
        case ["other", "than", *others]:
            return str(value) not in others
        case ["below", bound, *also]:
            return value < int(bound) and (bool(number) or also == ["(or", "not", "defined)"])
        case ["of", bound, "or", "more"]:
            return value >= int(bound)
        case ["from", low, "to", high]:
            return int(low) <= value <= int(high)
        case [exact, *also] if exact[0] == "=":
            return number == exact[1:].rstrip(",") or (not number and bool(also))
        case ["such", "as", _]:
            return value > 2 and value != 7
    return bool(number)
