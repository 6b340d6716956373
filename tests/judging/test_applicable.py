"""`when` on symbols and sections, and numbers that the sources give."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.api import check
from ldcheck.findings import Verdict
from ldcheck.report.model import Report

POLICY = """\
ldcheck: 1
params: { PAGE_SIZE: 4K, HALF: PAGE_SIZE / 2 }
from-script: [PAGE_SIZE, WINDOW]
rules:
  - { id: old-name, when: { symbol: t_start }, order: [t_start, t_end] }
  - { id: new-name, when: { symbol: "!t_start" }, order: [__t_start, t_end] }
  - { id: with-table, when: { section: .table* }, align: __t_start, to: PAGE_SIZE }
  - { id: without, when: { section: "!.table" }, align: .data, to: HALF }
  - { id: placed, assert: t_end == WINDOW }
"""


def judged(tmp_path: Path, text: str, name: str = "s.lds.S", **given: object) -> tuple[Report, dict[str, Verdict]]:
    script, policy = tmp_path / name, tmp_path / "policy.yaml"
    script.write_text(text)
    policy.write_text(POLICY)
    report = check([str(script)], policies=[str(policy)], **given)  # type: ignore[arg-type] # any option
    return report, {result.rule: result.verdict for result in report.rules}


def test_a_renamed_symbol_is_a_choice(tmp_path: Path) -> None:
    for name, rule, other in (("t_start", "old-name", "new-name"), ("__t_start", "new-name", "old-name")):
        text = f"SECTIONS {{ {name} = .; .table : {{ *(.table) }} t_end = .; }}\n"
        report, verdicts = judged(tmp_path, text, "s.lds")
        assert verdicts[rule] is Verdict.HELD
        assert verdicts[other] is Verdict.NOT_APPLICABLE
        reason = next(result.reason for result in report.rules if result.rule == other)
        assert reason == f"only where there is {'no' if other == 'new-name' else 'a'} symbol t_start"


def test_a_vanished_symbol_is_a_finding(tmp_path: Path) -> None:
    report, verdicts = judged(tmp_path, "SECTIONS { .table : { *(.table) } t_end = .; }\n", "s.lds")
    assert report.status == 1
    assert verdicts["old-name"] is Verdict.NOT_APPLICABLE
    assert verdicts["new-name"] is Verdict.VIOLATED
    assert not report.errors
    assert "nothing in the script defines __t_start" in [finding.message for finding in report.findings]


def test_each_configuration_is_asked(tmp_path: Path) -> None:
    text = """\
SECTIONS {
  .first : { *(.first) }
#ifdef CONFIG_TABLE
  t_end = .;
  . = ALIGN(PAGE);
  __t_start = .;
  .table.x : { *(.table) }
#else
  . = ALIGN(2048);
  .data : { *(.data) }
#endif
}
"""
    report, verdicts = judged(tmp_path, text, definitions={"PAGE": "64"})
    assert verdicts["without"] is Verdict.HELD
    assert verdicts["with-table"] is Verdict.VIOLATED
    [finding] = [finding for finding in report.findings if finding.rule == "with-table"]
    assert finding.configurations == "only with CONFIG_TABLE"


@pytest.mark.parametrize("value", ["0x10000", "(1 << 16)", "KB(64)", "(64 * 1024)"])
def test_a_number_comes_from_the_sources(tmp_path: Path, value: str) -> None:
    text = f"""\
#define KB(x) ((x) << 10)
#define PAGE_SIZE {value}
#define WINDOW (4 * PAGE_SIZE)
SECTIONS {{ .first : {{ *(.first) }} . = ALIGN(4096); __t_start = .; .table : {{ *(.table) }} . = WINDOW; t_end = .; }}
"""
    _, verdicts = judged(tmp_path, text)
    assert verdicts["with-table"] is Verdict.VIOLATED
    assert verdicts["placed"] is Verdict.HELD
    _, verdicts = judged(tmp_path, text.replace("ALIGN(4096)", "ALIGN(PAGE_SIZE)"))
    assert verdicts["with-table"] is Verdict.HELD


def test_without_the_sources_such_a_number_is_not_known(tmp_path: Path) -> None:
    text = "SECTIONS { . = ALIGN(4096); __t_start = .; .table : { *(.table) } t_end = .; }\n"
    report, verdicts = judged(tmp_path, text, "s.lds")
    assert verdicts["with-table"] is Verdict.HELD
    assert verdicts["placed"] is Verdict.NOT_CHECKED
    [reason] = [result.reason for result in report.rules if result.rule == "placed"]
    assert reason == "WINDOW is a constant of the sources, and nothing here tells its value"
