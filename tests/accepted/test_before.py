"""`check --diff`: what a change brings in lines that stayed, and what was there before."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ldcheck import api
from ldcheck.findings import Finding
from ldcheck.project import revisions
from ldcheck.report.model import Report
from tests.support.tools import tool

REGIONS = """\
MEMORY {
  A (rx) : ORIGIN = 0, LENGTH = 64K

  B (rw) : ORIGIN = 1M, LENGTH = 64K
}
SECTIONS {
  .text : { *(.text .text.*) } > A

  .data : { *(.data .data.*) } > B AT> A
}
"""
WITHOUT_B = REGIONS.replace("  B (rw) : ORIGIN = 1M, LENGTH = 64K\n", "")
# A fault in lines that no change here touches.
SHADOWED = """\
SECTIONS {
  .text : { *(.text .text.*) }

  .data : { *(.data .data.*) *(.data.read_mostly) }
}
"""
POLICY = """\
ldcheck: 1
rules:
  - id: read-mostly
    no-wildcard-may-shadow: .data.read_mostly
"""
BY_HEADER = """\
#include "page.h"
SECTIONS {
  .text : { *(.text .text.*) }
  . = ALIGN(PG);
  rodata_begin = .;
  .rodata : { *(.rodata .rodata.*) }
}
"""
ALIGNED = """\
ldcheck: 1
rules:
  - id: pages
    align: rodata_begin
    to: 4096
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    subprocess.run([tool("git"), "init", "-q", "-b", "main"], check=True)
    return tmp_path


def commit(**files: str) -> None:
    git = [tool("git"), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    write(**files)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)


def write(**files: str) -> None:
    for name, text in files.items():
        Path(name.replace("_", ".")).write_text(text)


def checked(*policies: str, script: str = "m.ld") -> Report:
    return api.check([script], policies=policies, since="HEAD")


def rules(report: Report) -> list[str]:
    assert not report.errors
    return [finding.rule for finding in report.findings]


def test_a_line_that_was_taken_out_somewhere_else() -> None:
    commit(m_ld=REGIONS)
    write(m_ld=WITHOUT_B)
    report = checked()
    assert "undeclared-region" in rules(report)
    assert report.status == 1
    (finding,) = (one for one in report.findings if one.rule == "undeclared-region")
    assert finding.facts[-1] == "nothing said so at HEAD, though these lines are the same"


def test_a_number_in_a_header() -> None:
    commit(page_h="#define PG 4096\n", m_lds_S=BY_HEADER, p_yaml=ALIGNED)
    assert rules(checked("p.yaml", script="m.lds.S")) == []
    write(page_h="#define PG 16\n")
    report = checked("p.yaml", script="m.lds.S")
    assert rules(report) == ["pages"]
    assert report.status == 1


def test_what_was_said_before_is_not_said_again() -> None:
    commit(m_ld=SHADOWED, p_yaml=POLICY)
    write(m_ld=SHADOWED.replace("*(.text .text.*)", "*(.text .text.*) . = ALIGN(8);"))
    report = checked("p.yaml")
    assert rules(report) == []
    assert report.notes[-1] == "1 finding outside of what changed since HEAD"


def test_nothing_is_judged_twice_where_no_file_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    commit(m_ld=SHADOWED, p_yaml=POLICY, other="x\n")
    write(other="y\n")
    monkeypatch.setattr("ldcheck.accepted.before.check_target", None)
    assert rules(checked("p.yaml")) == []


def test_another_rule_in_the_policy() -> None:
    commit(m_ld=SHADOWED, p_yaml=ALIGNED.replace("rodata_begin", ".text"))
    write(p_yaml=POLICY)
    assert rules(checked("p.yaml")) == ["read-mostly"]


def test_another_severity_in_the_policy() -> None:
    commit(m_ld=SHADOWED, p_yaml=POLICY + "    severity: note\n")
    write(p_yaml=POLICY)
    assert rules(checked("p.yaml")) == ["read-mostly"]
    commit()
    write(p_yaml=POLICY + "    severity: note\n")
    assert rules(checked("p.yaml")) == []


def test_a_comment_that_allowed_it() -> None:
    allowed = "\n/* ldcheck: allow(read-mostly) -- it is never read */\n  .data "
    commit(m_ld=SHADOWED.replace("\n  .data ", allowed), p_yaml=POLICY)
    assert rules(checked("p.yaml")) == []
    write(m_ld=SHADOWED)
    assert rules(checked("p.yaml")) == ["read-mostly"]


def test_a_script_that_could_not_be_read_before() -> None:
    commit(m_ld=SHADOWED.replace("SECTIONS {", "SECTIONS {{"), p_yaml=POLICY)
    write(m_ld=SHADOWED)
    assert rules(checked("p.yaml")) == ["read-mostly"]


def test_a_target_that_says_something_else() -> None:
    config = "ldcheck: 1\ntargets:\n  t:\n    script: m.ld\n    policies: p.yaml\n"
    Path(".ldcheck.yaml").write_text(config)
    commit(m_ld=SHADOWED, p_yaml=POLICY)
    Path(".ldcheck.yaml").write_text(config + "# A word more.\n")
    assert rules(checked()) == []
    Path(".ldcheck.yaml").write_text(config + "    arch: arm\n")
    assert rules(checked()) == ["read-mostly"]


def test_texts_are_found_from_a_folder_below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(m_ld=REGIONS)
    write(m_ld=WITHOUT_B)
    (folder / "sub").mkdir()
    monkeypatch.chdir(folder / "sub")
    absolute = str(folder / "m.ld")
    for name in ("../m.ld", absolute):
        assert revisions.texts_at("HEAD", [name]) == {name: REGIONS}
        assert not revisions.is_new("HEAD", name)
        assert "undeclared-region" in rules(checked(script=name))


def test_findings_of_the_report_stay_in_their_order() -> None:
    commit(m_ld=REGIONS)
    write(m_ld=WITHOUT_B)
    every = [_place(finding) for finding in api.check(["m.ld"]).findings]
    shown = [_place(finding) for finding in checked().findings]
    assert shown == [place for place in every if place in shown]


def _place(finding: Finding) -> tuple[str, int, str]:
    return finding.rule, finding.location.line, finding.message
