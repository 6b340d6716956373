"""`no-reference` on objects that real compilers made, one of which defines what the other refers to."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ldcheck import check
from ldcheck.findings import Verdict
from ldcheck.report.model import Report
from tests.support.tools import tool

INIT = """
#define INIT __attribute__((noinline, section(".init.text")))
extern int counter;
INIT int early(int n) { return n * counter; }
__attribute__((weak, alias("early"))) int also_early(int n);
"""
STAYS = """
int early(int), also_early(int), other(int);
int counter = 1;
int idle(void) { return early(2) + early(3); }
int (*table[])(int) = { early };
int busy(void) { return other(4); }
"""
COMPILERS = ["x86_64-linux-gnu-", "aarch64-linux-gnu-", "arm-linux-gnueabihf-", "riscv64-linux-gnu-", "mips-linux-gnu-"]


def judged(folder: Path, prefix: str, rule: str, *options: str) -> Report:
    """The report on both objects."""
    paths = []
    for name, text in {"init": INIT, "stays": STAYS}.items():
        source = folder / f"{name}.c"
        source.write_text(text)
        paths.append(str(folder / f"{name}.o"))
        command = [tool(f"{prefix}gcc"), "-O1", "-c", *options, "-o", paths[-1], str(source)]
        subprocess.run(command, check=True, timeout=60)
    policy = folder / "policy.yaml"
    policy.write_text(f"ldcheck: 1\nrules:\n  - id: it\n    no-reference: {rule}\n")
    return check(objects=paths, policies=[str(policy)])


def said(report: Report) -> list[str]:
    """The messages, without what stands for the file."""
    assert not report.errors, report.errors
    return sorted(finding.message for finding in report.findings)


@pytest.mark.parametrize("prefix", COMPILERS)
@pytest.mark.parametrize("options", [(), ("-fPIC",), ("-ffunction-sections", "-fdata-sections"), ("-g",)])
def test_code_and_data_that_refer_to_another_object(tmp_path: Path, prefix: str, options: tuple[str, ...]) -> None:
    rule = "{ from: [.text, .text.*, .data, .data.*], to: .init.text }"
    messages = said(judged(tmp_path, prefix, rule, *options))
    assert len(messages) == 2, messages
    for message, start in zip(messages, ("`idle` (.text", "`table` (.data"), strict=True):
        assert message.startswith(start)
        assert "refers to `early` (.init.text, init.o)" in message


def test_one_finding_for_a_pair_with_the_line(tmp_path: Path) -> None:
    report = judged(tmp_path, "x86_64-linux-gnu-", "{ from: .text, to: .init.text }", "-g")
    (finding,) = report.findings
    assert finding.facts[:2] == ("at stays.c:4", "2 references")


def test_the_other_way_round(tmp_path: Path) -> None:
    report = judged(tmp_path, "x86_64-linux-gnu-", "{ from: .init.text, to: .data }")
    assert said(report) == ["`early` (.init.text, init.o) refers to `counter` (.data, stays.o)"]


def test_exceptions_and_what_needs_none(tmp_path: Path) -> None:
    rule = """{ from: [.text, ".data*"], to: .init.text }
    except:
      - { symbol: [idle, early], reason: it is the first to run }
      - { section: ".data*", reason: the table is freed as well }
      - { object: none.o, reason: there was one }"""
    report = judged(tmp_path, "x86_64-linux-gnu-", rule)
    assert [finding.severity.value for finding in report.findings] == ["note"]
    assert said(report) == ["nothing needs the exception in none.o"]
    assert report.status == 0


@pytest.mark.parametrize("rule", ["{ from: .txet, to: .init.text }", "{ from: .text, to: .int.text }"])
def test_a_name_that_no_object_has_is_not_held(tmp_path: Path, rule: str) -> None:
    report = judged(tmp_path, "x86_64-linux-gnu-", rule)
    assert [result.verdict for result in report.rules] == [Verdict.NOT_CHECKED]
    assert report.status == 2


def test_without_objects_it_is_not_checked(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("ldcheck: 1\nrules:\n  - id: it\n    no-reference: { from: .text, to: .init.text }\n")
    (result,) = check(["a.ld"], text="SECTIONS { .a : { *(.text) } }", policies=[str(policy)]).rules
    assert (result.verdict, result.reason) == (
        Verdict.NOT_CHECKED,
        "no objects, give --objects",
    )
