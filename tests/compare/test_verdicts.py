"""What a change does to the verdicts of policies."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ldcheck.api import diff, diff_since
from ldcheck.cli.main import main
from ldcheck.findings import CheckError, Verdict
from tests.support.build import assemble, link
from tests.support.tools import tool

POLICY = """\
ldcheck: 1
rules:
  - id: data-aligned
    align: .data
    to: 64
    why: a cache line has 64 bytes
  - id: text-first
    order: [.text, .data]
    why: code is mapped first
"""
OLD = """\
SECTIONS {
  .text : { *(.text) }
  .data : ALIGN(64) { *(.data) }
}
"""
BAD = OLD.replace("ALIGN(64) ", "")


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"old.ld": OLD, "bad.ld": BAD, "ours.yaml": POLICY}.items():
        Path(name).write_text(text)


def changes(old: str, new: str) -> list[tuple[str, str]]:
    return [(one.kind, one.rule) for one in diff(old, new, policies=["ours.yaml"]).verdicts]


def test_a_rule_is_violated_or_mended() -> None:
    assert changes("old.ld", "old.ld") == []
    assert changes("old.ld", "bad.ld") == [("violated", "data-aligned")]
    assert changes("bad.ld", "old.ld") == [("mended", "data-aligned")]
    (change,) = diff("old.ld", "bad.ld", policies=["ours.yaml"]).verdicts
    assert change.old is Verdict.HELD
    assert change.new is Verdict.VIOLATED
    assert change.place is not None
    assert (change.place.file, change.place.line) == ("bad.ld", 3)


def test_a_finding_on_another_line_is_not_new() -> None:
    Path("later.ld").write_text(f"\n\n/* two lines more */\n{BAD}")
    assert changes("bad.ld", "later.ld") == []


def test_a_further_finding_of_a_rule_is_new() -> None:
    text = "SECTIONS {\n .text : { *(.text .text.*) }\n .hot : { *(.text.hot)%s }\n .data : { *(.data) }\n}\n"
    Path("one.ld").write_text(text % "")
    Path("two.ld").write_text(text % " *(.text.warm)")
    found = diff("one.ld", "two.ld", verdicts=True).verdicts
    assert [(one.kind, one.rule) for one in found] == [("violated", "shadowed-pattern")]
    assert "has another finding" in found[0].message
    assert ".text.warm" in found[0].message


def test_a_rule_that_is_no_longer_checked_is_told(tmp_path: Path) -> None:
    made = assemble(tmp_path, ".text\n.skip 64\n.data\n.skip 8\n")
    done = link(tmp_path, OLD, [made], options=["-e0"])
    assert done.elf is not None
    gone = "SECTIONS { .text : { *(.text) } }"
    Path("gone.ld").write_text(gone)
    Path("ours.yaml").write_text(POLICY.replace("align: .data", "align: .data\n    optional: true"))
    assert ("unchecked", "data-aligned") in changes("old.ld", "gone.ld")


def test_builds_are_judged_too(tmp_path: Path) -> None:
    made = assemble(tmp_path, ".text\n.skip 65\n.data\n.skip 8\n")
    images = []
    for name, script in (("old", OLD), ("new", BAD)):
        done = link(tmp_path, script, [made], options=["-e0"], name=f"{name}.elf")
        images.append(str(done.elf))
    found = diff(old_elf=images[0], new_elf=images[1], policies=["ours.yaml"]).verdicts
    assert [(one.kind, one.rule) for one in found] == [("violated", "data-aligned")]


def test_since_a_revision(tmp_path: Path) -> None:
    git = [tool("git"), "-c", "user.name=n", "-c", "user.email=e@x"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], check=True)
    Path("old.ld").write_text(BAD)
    (found,) = diff_since("HEAD", ["old.ld"], policies=["ours.yaml"]).values()
    assert [(one.kind, one.rule) for one in found.verdicts] == [("violated", "data-aligned")]


def test_they_are_in_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("text", "markdown", "github", "gitlab", "html"):
        assert main(["diff", "old.ld", "bad.ld", "--policy", "ours.yaml", "--format", form]) == 0
        assert "data-aligned is violated now" in capsys.readouterr().out, form
    main(["diff", "old.ld", "bad.ld", "--policy", "ours.yaml", "--format", "json"])
    (comparison,) = json.loads(capsys.readouterr().out)["comparisons"]
    (change,) = comparison["verdicts"]
    assert (change["kind"], change["rule"], change["old"], change["new"]) == (
        "violated", "data-aligned", "held", "violated",
    )  # fmt: skip
    assert "1 new violation" in comparison["summary"]


def test_a_policy_that_cannot_be_read_is_told() -> None:
    with pytest.raises(CheckError, match="there is no policy nonsense"):
        diff("old.ld", "bad.ld", policies=["nonsense"])
