"""Old sins: `ldcheck baseline`, `check --baseline` and `check --diff`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ldcheck.accepted import baseline
from ldcheck.cli.main import main
from ldcheck.findings import Finding, RuleResult, Severity, Verdict
from ldcheck.source import Location
from tests.support.tools import tool

POLICY = """\
ldcheck: 1
rules:
  - id: read-mostly
    no-wildcard-may-shadow: .data.read_mostly
  - id: page-aligned
    no-wildcard-may-shadow: .text.page_aligned
"""
BAD = """\
SECTIONS {
  .text : { *(.text.page_aligned) *(.text .text.*) }
  .data : { *(.data .data.*) *(.data.read_mostly) }
}
"""
WORSE = BAD.replace("*(.text.page_aligned) *(.text .text.*)", "*(.text .text.*) *(.text.page_aligned)")
GOOD = BAD.replace("*(.data .data.*) *(.data.read_mostly)", "*(.data.read_mostly) *(.data .data.*)")
CHECK = ("check", "--policy", "policy.yaml", "x.lds")
FILE = ".ldcheck-baseline.yaml"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "x.lds").write_text(BAD)
    subprocess.run([tool("git"), "init", "-q", "-b", "main"], check=True)
    return tmp_path


def adopt() -> None:
    assert main(["baseline", "--policy", "policy.yaml", "--reason", "from before: see #12", "x.lds"]) == 0


def test_written_file(folder: Path) -> None:
    adopt()
    (entry,) = baseline.read(FILE)
    assert entry.key.route.startswith("SECTIONS/.data/")
    assert (folder / FILE).read_text().partition("\nldcheck-baseline: 1\n")[2] == (
        "findings:\n"
        "  - rule: read-mostly\n"
        "    file: x.lds\n"
        f'    route: "{entry.key.route}"\n'
        "    count: 1\n"
        '    reason: "from before: see #12"\n'
    )


def test_accepted_findings_pass_and_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    adopt()
    assert main([*CHECK, "--baseline", FILE]) == 0
    assert "1 finding is accepted and not shown" in capsys.readouterr().out
    main([*CHECK, "--baseline", FILE, "--format", "json"])
    accepted = json.loads(capsys.readouterr().out)["accepted"]
    assert [(one["rule"], one["reason"]) for one in accepted] == [("read-mostly", "from before: see #12")]


def test_a_baseline_may_be_long(folder: Path) -> None:
    """Thousands of old findings: more than a policy is ever long."""
    adopt()
    head, row, entry = (folder / FILE).read_text().partition("  - rule")
    others = (row + entry.replace("x.lds", f"drivers/vendor/board{number}.lds") for number in range(6000))
    (folder / FILE).write_text(head + row + entry + "".join(others))
    assert (folder / FILE).stat().st_size > 1 << 19
    assert main([*CHECK, "--baseline", FILE]) == 0


def test_edits_above_do_not_disturb_it(folder: Path) -> None:
    adopt()
    (folder / "x.lds").write_text("/* a\n   comment */\n" + BAD.replace(".data :", "\n\n.data :"))
    assert main([*CHECK, "--baseline", FILE]) == 0


def test_new_findings_fail(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adopt()
    (folder / "x.lds").write_text(WORSE)
    assert main([*CHECK, "--baseline", FILE]) == 1
    out = capsys.readouterr().out
    assert "[page-aligned]" in out
    assert "[read-mostly]" not in out


def test_fixed_ones_fail_until_they_are_pruned(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adopt()
    (folder / "x.lds").write_text(GOOD)
    assert main([*CHECK, "--baseline", FILE]) == 1
    out = capsys.readouterr().out
    assert f"{FILE}:5:5: error: 1 finding of read-mostly in x.lds at SECTIONS/.data/" in out
    assert f"ldcheck baseline --prune {FILE}" in out
    assert main(["baseline", "--policy", "policy.yaml", "--prune", FILE, "x.lds"]) == 0
    assert (folder / FILE).read_text().endswith("findings: []\n")
    assert main([*CHECK, "--baseline", FILE]) == 0


def test_pruning_adds_nothing(folder: Path) -> None:
    adopt()
    before = (folder / FILE).read_text()
    (folder / "x.lds").write_text(WORSE)
    assert main(["baseline", "--policy", "policy.yaml", "--prune", FILE, "x.lds"]) == 0
    assert (folder / FILE).read_text() == before


def test_entries_keep_their_reason_and_new_ones_need_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adopt()
    (folder / "x.lds").write_text(WORSE)
    assert main(["baseline", "--policy", "policy.yaml", "x.lds"]) == 2
    assert "--reason" in capsys.readouterr().err
    assert main(["baseline", "--policy", "policy.yaml", "--reason", "later", "x.lds"]) == 0
    assert [entry.reason for entry in baseline.read(FILE)] == ["later", "from before: see #12"]


def test_another_script_does_not_make_entries_stale(folder: Path) -> None:
    adopt()
    (folder / "y.lds").write_text(GOOD)
    assert main(["check", "--policy", "policy.yaml", "--baseline", FILE, "y.lds"]) == 0


def test_what_could_not_be_checked_writes_nothing(folder: Path) -> None:
    assert main(["baseline", "--policy", "policy.yaml", "--reason", "x", "absent.lds"]) == 2
    assert not (folder / FILE).exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", f"{FILE}"),
        ("findings: []\n", "is this a baseline?"),
        ("ldcheck-baseline: 1\nfindings:\n  - rule: a\n", "needs `file`"),
        ("ldcheck-baseline: 1\nfindings:\n  - {rule: a, file: b, reason: c, cuont: 1}\n", "did you mean `count`?"),
        ("ldcheck-baseline: 1\nfindings:\n  - {rule: a, file: b, reason: c, count: 0}\n", "1 or more"),
        ("ldcheck-baseline: 1\nfindings:\n" + "  - {rule: a, file: b, reason: c}\n" * 2, "stands twice"),
    ],
)
def test_bad_baseline(folder: Path, text: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / FILE).write_text(text)
    assert main([*CHECK, "--baseline", FILE]) == 2
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["a: b", "# x", "'q'", '"q"', "é", "\udc80", "- x", "true", "1", "a\nb", "*x", "~", "{"]
)
def test_any_name_comes_back(folder: Path, name: str) -> None:
    key = baseline.Key(name, name, name)
    (folder / FILE).write_text(baseline.text_of([baseline.Entry(key, 2, "why", Location(""))]))
    (entry,) = baseline.read(FILE)
    assert (entry.key.rule, entry.count) == (name.replace("\udc80", "\\x80"), 2)


def test_targets_that_share_a_fault_count_once_and_more_of_them_are_shown() -> None:
    def finding(target: str) -> Finding:
        return Finding("r", "c", Severity.ERROR, "m", Location("x.lds", 1), route="SECTIONS/a", target=target)

    entry = baseline.Entry(baseline.Key("r", "x.lds", "SECTIONS/a"), 1, "why", Location(FILE, 1))
    results = (RuleResult("r", "c", Verdict.VIOLATED),)
    shared = baseline.apply((finding("a"), finding("b")), (entry,), FILE, results)
    assert (shared.findings, len(shared.accepted)) == ((), 2)
    twice = baseline.apply((finding("a"), finding("a")), (entry,), FILE, results)
    assert [one.facts for one in twice.findings] == [("the baseline accepts 1 of these 2",)] * 2


def test_a_rule_that_was_not_checked_makes_no_entry_stale() -> None:
    entry = baseline.Entry(baseline.Key("r", "x.lds", ""), 1, "why", Location(FILE, 1))
    for verdict, stale in ((Verdict.NOT_CHECKED, 0), (Verdict.HELD, 1)):
        assert len(baseline.apply((), (entry,), FILE, (RuleResult("r", "c", verdict),)).findings) == stale


# --diff


def commit(folder: Path) -> None:
    git = [tool("git"), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run([*git, "add", "-A"], check=True, cwd=folder)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True, cwd=folder)


def test_diff_shows_what_a_change_brings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(folder)
    assert main([*CHECK, "--diff", "HEAD"]) == 0
    assert "1 finding outside of what changed since HEAD" in capsys.readouterr().out
    (folder / "x.lds").write_text(WORSE)
    assert main([*CHECK, "--diff", "HEAD"]) == 1
    out = capsys.readouterr().out
    assert "[page-aligned]" in out
    assert "[read-mostly]" not in out


def test_diff_takes_a_new_file_as_changed(folder: Path) -> None:
    (folder / "x.lds").write_text(GOOD)
    commit(folder)
    (folder / "new file.lds").write_text(BAD)
    assert main(["check", "--policy", "policy.yaml", "--diff", "main", "new file.lds"]) == 1


def test_diff_ignores_what_changed_on_the_other_side(folder: Path) -> None:
    git = tool("git")
    commit(folder)
    subprocess.run([git, "checkout", "-q", "-b", "topic"], check=True)
    (folder / "other").write_text("x")
    commit(folder)
    subprocess.run([git, "checkout", "-q", "main"], check=True)
    (folder / "x.lds").write_text(GOOD)
    commit(folder)
    subprocess.run([git, "checkout", "-q", "topic"], check=True)
    assert main([*CHECK, "--diff", "main"]) == 0


@pytest.mark.parametrize("revision", ["absent", "--output=owned", "-h", "a b", "HEAD;touch owned"])
def test_diff_of_no_revision(folder: Path, revision: str, capsys: pytest.CaptureFixture[str]) -> None:
    commit(folder)
    assert main([*CHECK, f"--diff={revision}"]) == 2
    assert "git knows no revision" in capsys.readouterr().out
    assert not (folder / "owned").exists()


def test_diff_runs_no_program_of_the_repository(folder: Path) -> None:
    commit(folder)
    (folder / ".gitattributes").write_text("*.lds diff=evil\n")
    for name in ("diff.evil.command", "diff.evil.textconv", "diff.external", "core.fsmonitor"):
        subprocess.run([tool("git"), "config", name, "touch owned"], check=True)
    (folder / "x.lds").write_text(WORSE)
    assert main([*CHECK, "--diff", "HEAD"]) == 1
    assert not (folder / "owned").exists()
