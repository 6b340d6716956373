"""An advice is an edit that was tried: all configurations judged again, the finding gone and nothing new.

The scripts here have the shape of Xen's, where advice that was not tried has been followed to the letter.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

import ldcheck
from ldcheck import checks
from ldcheck.findings import Edit, Finding, Fix, Safety, Severity
from ldcheck.judging import trial
from ldcheck.judging.edits import applied
from ldcheck.judging.gate import Asked, check_target
from ldcheck.project.target import Target
from ldcheck.record import replace
from ldcheck.report.model import Report
from ldcheck.source import Location, Source, decode
from tests.checks.test_cases import FOLDERS
from tests.support.tools import tool

POLICY = "ldcheck: 1\nrules:\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # The machine may be busy; what is tested here is not how fast it is.
    monkeypatch.setattr(trial, "MOST_SECONDS", 60.0)


def make(finding: Finding) -> None:
    """Make the edits of a finding's fix in its files."""
    assert finding.fix is not None
    for name in {edit.location.file for edit in finding.fix.edits}:
        source = Source(name, decode(Path(name).read_bytes()))
        text = applied(source, [edit for edit in finding.fix.edits if edit.location.file == name])
        assert text is not None
        Path(name).write_bytes(text.encode("utf-8", "surrogateescape"))


def said(report: Report) -> Counter[tuple[str, str]]:
    return Counter((finding.rule, finding.message) for finding in report.findings)


def only(report: Report) -> Finding:
    assert not report.errors
    assert len(report.findings) == 1, [finding.message for finding in report.findings]
    return report.findings[0]


def shadowed(report: Report) -> Finding:
    """The finding of that lint among all that the policy says."""
    assert not report.errors
    (finding,) = (one for one in report.findings if one.rule == "shadowed-pattern")
    return finding


# Advice of old, tried ---------------------------------------------------------------------------------------------

THUNKS = """SECTIONS {
  .text : {
       _stext = .;
       *(.text.cold)
       *(.text)
#ifdef CONFIG_CC_SPLIT_SECTIONS
       *(.text.*)
#endif
       *(.text.__x86_indirect_thunk_*)
       *(.fixup)
       _etext = .;
  }
  .data : { *(.data .data.*) }
}
"""


@pytest.mark.parametrize("preprocessor", ["pcpp", "compiler"])
def test_a_statement_moves_ahead_of_the_condition_and_not_into_it(preprocessor: str) -> None:
    Path("xen.lds.S").write_text(THUNKS)
    Path(".ldcheck.yaml").write_text(
        f"ldcheck: 1\ntargets:\n  t: {{script: xen.lds.S, preprocessor: {preprocessor}, policies: [generic]}}\n"
    )
    before = ldcheck.check()
    finding = shadowed(before)
    assert finding.configurations == "only with CONFIG_CC_SPLIT_SECTIONS"
    assert finding.help == "move line 9 ahead of line 6"
    assert finding.fix is not None
    assert finding.fix.safety is Safety.SAFE
    assert finding.fix.proved == "tried in 2 configurations: the finding is gone, and nothing is new"
    assert Path("xen.lds.S").read_text() == THUNKS
    make(finding)
    assert said(ldcheck.check()) == said(before) - Counter([(finding.rule, finding.message)])


def naive(report: Finding, behind: str, first: str) -> Fix:
    """What was advised before anybody tried: the line of the one ahead of the line of the other."""
    lines = THUNKS.splitlines(keepends=True)
    one, other = (next(at for at, line in enumerate(lines, 1) if name in line) for name in (behind, first))
    file = report.location.file
    put = Edit(Location(file, other, 1, other, 1), lines[one - 1])
    return Fix((put, Edit(Location(file, one, 1, one + 1, 1), "")), f"move line {one} ahead of line {other}")


def judged(script: str, *rules: str) -> tuple[Finding, trial.Bench]:
    """The finding of a script that has one, with its draft, and what that can be tried on."""
    Path("policy.yaml").write_text(POLICY + "".join(f"  - {rule}\n" for rule in rules))
    checked = check_target(Target("t", script, policies=("policy.yaml",)), Asked(), checks, lambda _: None)
    assert not checked.errors
    (finding,) = checked.findings
    assert checked.bench is not None
    return replace(finding, fix=finding.fix or Fix((), "")), checked.bench()


def test_a_line_that_moves_into_a_condition_leaves_orphans_in_the_other() -> None:
    Path("xen.lds.S").write_text(THUNKS)
    finding, bench = judged("xen.lds.S", "lint: shadowed-pattern")
    # Into the condition: with CONFIG_CC_SPLIT_SECTIONS all is well, and without it nothing takes the thunks.
    draft = naive(finding, "indirect_thunk", "*(.text.*)")
    assert draft.does == "move line 9 ahead of line 7"
    (left,) = trial.tried([replace(finding, fix=draft)], [bench])
    assert left.fix is None
    assert left.help.startswith("look at ")
    (left,) = trial.tried([finding], [bench])
    assert left.fix is not None


IDENTITY = """SECTIONS {
    .text : {
        _stext = .;
        *(.text)
#ifdef CONFIG_CC_SPLIT_SECTIONS
        *(.text.*)
#endif
        . = ALIGN(4096);
        _ident_start = .;
        *(.text.ident)
        _ident_end = .;
        _etext = .;
    }
    .data : { *(.data .data.*) }
}
"""


def test_what_stands_between_two_symbols_does_not_leave_them() -> None:
    Path("xen.lds.S").write_text(IDENTITY)
    finding = shadowed(ldcheck.check(["xen.lds.S"], policies=["generic"]))
    assert finding.fix is None
    assert finding.help == (
        "look at what stands between lines 6 and 10, whose order matters, "
        "or narrow `*(.text.*)` so that it leaves these sections alone"
    )


def test_a_bracket_that_worked_is_not_emptied_for_the_sake_of_one_that_did_not() -> None:
    Path("xen.lds.S").write_text(IDENTITY)
    rules = ("lint: shadowed-pattern", "{id: b, bracket: .text.ident, with: [_ident_start, _ident_end], aligned-to: 1}")
    Path("policy.yaml").write_text(POLICY + "".join(f"  - {rule}\n" for rule in rules))
    target = Target("t", "xen.lds.S", policies=("policy.yaml",))
    checked = check_target(target, Asked(), checks, lambda _: None)
    finding = next(one for one in checked.findings if one.rule == "shadowed-pattern")
    file = finding.location.file
    line = "        *(.text.ident)\n"
    # Ahead of the #if: nothing is left between the symbols, in any configuration.
    moved = (Edit(Location(file, 5, 1, 5, 1), line), Edit(Location(file, 10, 1, 11, 1), ""))
    assert checked.bench is not None
    (left,) = trial.tried([replace(finding, fix=Fix(moved, "move line 10 ahead of line 5"))], [checked.bench()])
    assert left.fix is None


# What is proved, and what is not ---------------------------------------------------------------------------------


def test_a_fix_that_brings_something_new_is_none() -> None:
    Path("a.lds").write_text("SECTIONS {\n  .x : { *(.x.*)\n *(.x.a) }\n}\n")
    finding, bench = judged("a.lds", "{lint: shadowed-pattern, severity: error}")
    (left,) = trial.tried([finding], [bench])
    assert left.fix is not None
    assert left.help == left.fix.does
    for line, text in (
        # Another pattern is dead now; the script is none; the finding is still there; a pattern is gone.
        (" *(.x.a) *(.x.b)\n *(.x.*)\n *(.x.b.c)\n *(.x.b.c.d)\n", ""),
        ("", "} .y : {{\n"),
        ("", "*(.y)\n"),
    ):
        edits = [Edit(Location("a.lds", 3, 1, 3, 1), line or text)]
        (left,) = trial.tried([replace(finding, fix=Fix(tuple(edits), "do it"))], [bench])
        assert left.fix is None
        assert left.help == finding.help
    gone = Fix((Edit(Location("a.lds", 2, 10, 2, 17), ""),), "take it out")
    (left,) = trial.tried([replace(finding, fix=gone)], [bench])
    assert left.fix is None, "nothing takes .x.b any more"


@pytest.mark.parametrize(
    "edits",
    [
        (Edit(Location("other.lds", 1, 1, 1, 1), "x"),),
        (Edit(Location("a.lds", 99, 1, 99, 1), "x"),),
        (Edit(Location("a.lds", 3, 1, 3, 1), "\udcff"),),
    ],
)
def test_edits_that_cannot_be_made_are_not_handed_on(edits: tuple[Edit, ...]) -> None:
    Path("a.lds").write_text("SECTIONS {\n  .x : { *(.x.*)\n *(.x.a) }\n}\n")
    finding, bench = judged("a.lds", "lint: shadowed-pattern")
    (left,) = trial.tried([replace(finding, fix=Fix(edits, "do it"))], [bench])
    assert left.fix is None


def test_a_policy_has_its_own_word_on_what_helps() -> None:
    Path("a.lds").write_text("SECTIONS {\n  .x : {\n*(.x.*)\n *(.x.a)\n }\n}\n")
    Path("policy.yaml").write_text(POLICY + "  - lint: shadowed-pattern\n    help: ask the linker's people\n")
    finding = only(ldcheck.check(["a.lds"], policies=["policy.yaml"]))
    assert finding.help == "ask the linker's people"
    assert finding.fix is not None
    assert finding.fix.does == "move line 4 ahead of line 3"


def test_what_a_link_shows_does_not_keep_the_script_s_fix_from_being_tried() -> None:
    Path("a.s").write_text('.section .x.a, "aw"\n.long 1\n')
    Path("a.lds").write_text("SECTIONS {\n  .x : {\n*(.x.*)\n *(.x.a)\n }\n}\n")
    subprocess.run([tool("as"), "-o", "a.o", "a.s"], check=True)
    subprocess.run([tool("ld"), "-T", "a.lds", "-Map=a.map", "-o", "a.elf", "a.o"], check=True, capture_output=True)
    Path("policy.yaml").write_text(POLICY + "  - {id: a, no-wildcard-may-shadow: .x.a}\n")
    finding = only(ldcheck.check(["a.lds"], policies=["policy.yaml"], elf="a.elf", map="a.map"))
    assert any(fact.startswith("in the image") for fact in finding.facts)
    assert finding.fix is not None
    # Of the link alone nothing is known that could be edited.
    assert only(ldcheck.check(policies=["policy.yaml"], elf="a.elf", map="a.map")).fix is None


def test_a_budget_bounds_the_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = "".join(f"  .x{at} : {{\n    *(.x{at}.*)\n    *(.x{at}.a)\n  }}\n" for at in range(30))
    Path("a.lds").write_text(f"SECTIONS {{\n{sections}}}\n")
    Path("policy.yaml").write_text(POLICY + "  - lint: shadowed-pattern\n")

    def helped() -> list[bool]:
        report = ldcheck.check(["a.lds"], policies=["policy.yaml"])
        assert all(finding.help.startswith("move " if finding.fix else "look at ") for finding in report.findings)
        return [finding.fix is not None for finding in report.findings]

    assert helped() == [True] * trial.MOST_TRIALS + [False] * 10
    monkeypatch.setattr(trial, "MOST_SECONDS", 0.0)
    assert not any(helped())


def test_what_is_accepted_is_not_tried() -> None:
    Path("a.lds").write_text("SECTIONS { .x : {\n*(.x.*)\n *(.x.a) /* ldcheck: allow(shadowed-pattern) -- so */\n}}\n")
    Path("policy.yaml").write_text(POLICY + "  - lint: shadowed-pattern\n")
    report = ldcheck.check(["a.lds"], policies=["policy.yaml"])
    assert report.findings == ()
    ((finding, _),) = report.accepted
    assert finding.fix is None


# Several files, several targets ----------------------------------------------------------------------------------


def header_tree(preprocessor: str) -> None:
    """Two scripts that include one header along an include path, the first of them others beside it as well."""
    for folder in ("include/lds", "arch/one", "arch/two"):
        Path(folder).mkdir(parents=True)
    Path("include/lds/text.lds.h").write_text("*(.x.* .y.*)\n*(.x.special)\n")
    Path("arch/one/near.h").write_text('#include "../nearer.h"\n')
    Path("arch/nearer.h").write_text("#define NAME .x\n")
    for name, head in (("one", '#include "near.h"'), ("two", "#define NAME .x")):
        body = "SECTIONS {\n  NAME : {\n  . = ALIGN(4096);\n#include <lds/text.lds.h>\n  }\n}\n"
        Path(f"arch/{name}/a.lds.S").write_text(f"{head}\n{body}")
    targets = "".join(
        f"  {name}: {{script: arch/{name}/a.lds.S, includes: [include], preprocessor: {preprocessor}, "
        f"policies: [policy.yaml]}}\n"
        for name in ("one", "two")
    )
    Path(".ldcheck.yaml").write_text(f"ldcheck: 1\ntargets:\n{targets}")


@pytest.mark.parametrize("preprocessor", ["pcpp", "compiler"])
def test_a_header_is_edited_for_all_who_include_it(preprocessor: str) -> None:
    header_tree(preprocessor)
    Path("policy.yaml").write_text(POLICY + "  - lint: shadowed-pattern\n")
    report = ldcheck.check()
    assert [finding.location.file for finding in report.findings] == ["include/lds/text.lds.h"] * 2
    for finding in report.findings:
        assert finding.fix is not None
        assert finding.fix.safety is Safety.UNSAFE
        assert "in 2 configurations" in finding.fix.proved
        assert "other scripts" in finding.fix.proved
    make(report.findings[0])
    assert ldcheck.check().findings == ()


@pytest.mark.parametrize("preprocessor", ["pcpp", "compiler"])
def test_a_header_is_not_edited_to_the_harm_of_another_target(preprocessor: str) -> None:
    header_tree(preprocessor)
    one = "  - {id: one, lint: shadowed-pattern, when: {paths: ['arch/one/*']}}\n"
    # For the second target alone it matters that the catch-all comes first.
    two = "  - {id: two, align: .y.*, to: 4096, when: {paths: ['arch/two/*']}}\n"
    Path("policy.yaml").write_text(POLICY + one + "  - lint: duplicate-symbol\n")
    assert only(ldcheck.check()).fix is not None
    Path("policy.yaml").write_text(POLICY + one + two)
    assert only(ldcheck.check()).fix is None


@pytest.mark.parametrize("preprocessor", ["pcpp", "compiler"])
def test_nothing_is_written_where_the_sources_are(preprocessor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    header_tree(preprocessor)
    Path("policy.yaml").write_text(POLICY + "  - lint: shadowed-pattern\n")
    Path("tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(Path("tmp").absolute()))

    def files() -> dict[Path, tuple[bytes, int]]:
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in Path().rglob("*") if path.is_file()}

    before = files()
    assert any(finding.fix for finding in ldcheck.check().findings)
    assert files() == before
    assert list(Path("tmp").iterdir()) == []


def test_an_included_file_of_the_linker_is_edited_too() -> None:
    Path("sub").mkdir()
    Path("sub/text.ld").write_text("*(.x.*)\n*(.x.special)\n")
    Path("a.ld").write_text("SECTIONS { .x : { INCLUDE sub/text.ld } }\n")
    Path("policy.yaml").write_text(POLICY + "  - lint: shadowed-pattern\n")
    finding = only(ldcheck.check(["a.ld"], policies=["policy.yaml"]))
    assert finding.fix is not None
    assert finding.fix.safety is Safety.UNSAFE
    make(finding)
    assert ldcheck.check(["a.ld"], policies=["policy.yaml"]).findings == ()


def test_a_text_that_was_preprocessed_already_is_not_edited() -> None:
    Path("a.lds.S").write_text("SECTIONS {\n  .x : {\n*(.x.*)\n*(.x.special)\n }\n}\n")
    Path("a.pp").write_text('# 1 "a.lds.S"\n' + Path("a.lds.S").read_text())
    Path("policy.yaml").write_text(POLICY + "  - lint: shadowed-pattern\n")
    finding = only(ldcheck.check(["a.pp"], policies=["policy.yaml"]))
    assert finding.location.file == "a.lds.S"
    assert finding.fix is None
    assert finding.help.startswith("look at ")


# Every case of every check ----------------------------------------------------------------------------------------


def links(script: str) -> bool:
    Path("empty.s").write_text("")
    subprocess.run([tool("as"), "-o", "empty.o", "empty.s"], check=True)
    done = subprocess.run([tool("ld"), "-T", script, "-o", "a.out", "empty.o"], capture_output=True)
    return done.returncode == 0


def options(words: Sequence[str]) -> dict[str, object]:
    """The options of a case that the Python interface is given; others have no part in a trial."""
    given: dict[str, object] = {}
    if "--arch" in words:
        given["arch"] = words[words.index("--arch") + 1]
    return given


@pytest.mark.parametrize(
    "folder", [one for one in FOLDERS if list(one.glob("script.lds*"))], ids=lambda one: f"{one.parent.name}-{one.name}"
)
def test_every_fix_does_what_it_says(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.copy(path, path.name)
    script = next(Path().glob("script.lds*")).name
    given = options(shlex.split(Path("options").read_text()) if os.path.exists("options") else [])

    def check() -> Report:
        return ldcheck.check([script], policies=["policy.yaml"], **given)  # type: ignore[arg-type] # by its name

    before = check()
    text = Path(script).read_text()
    linked = links(script)
    for finding in before.findings:
        if finding.fix is None:
            continue
        assert finding.fix.safety is not Safety.FOR_SHOW
        make(finding)
        after = check()
        key = finding.rule, finding.message
        assert said(after)[key] < said(before)[key]
        heavy = Counter((one.rule, one.message) for one in after.findings if one.severity is not Severity.NOTE)
        assert heavy <= said(before)
        # A rule may have nothing left to say.
        assert [one for one in after.errors if not one.message.startswith("nothing was checked")] == list(before.errors)
        assert links(script) or not linked
        Path(script).write_text(text)
