"""Running the tests that policies hold: what passes, what fails and how it is told, and what the command does of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ldcheck import checks
from ldcheck.cli.main import main
from ldcheck.findings import Verdict
from ldcheck.policy.load import load_policies
from ldcheck.policy.rule import Rule
from ldcheck.policy.testing.run import run_tests, uncovered
from tests.policy.mutation import unnoticed, without_one_key
from tests.support.cases import Wanted

RUNS = Path(__file__).parent / "runs"


@pytest.fixture(autouse=True)
def beside_the_policies(monkeypatch):
    monkeypatch.chdir(RUNS)


def rules(name: str) -> tuple[Rule, ...]:
    policies = load_policies([name], declarations=checks)
    assert policies.errors == ()
    return policies.rules


def test_every_way_to_write_a_test():
    runs = run_tests(rules("sound.yaml"))
    assert [failure.message for run in runs for failure in run.failures] == []
    verdicts = [run.verdict for run in runs]
    assert set(verdicts) == {Verdict.HELD, Verdict.VIOLATED, Verdict.UNPROVEN, Verdict.NOT_APPLICABLE}
    assert len(runs) == 13


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["sound.yaml", "--coverage"], 0),
        (["failing.yaml"], 1),
        (["failing.yaml", "--coverage"], 1),
        (["failing.yaml", "--rule", "only-one-kind"], 0),
        (["failing.yaml", "--rule", "only-one-kind", "--coverage"], 1),
        (["failing.yaml", "--rule", "only-one-knid"], 2),
        (["failing.yaml", "--rule", "no-tests"], 2),
        (["missing.yaml"], 2),
    ],
)
def test_command(arguments, status, capsys, wanted: Wanted):
    assert main(["test", *arguments]) == status
    name = " ".join(arguments).replace(".yaml", "").replace("--", "").replace(" ", "-")
    wanted(RUNS / f"{name}.out", own_words(capsys.readouterr().out))


def own_words(text: str) -> str:
    """The output without what checks and the parser say, which is theirs to word."""
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("  help: nothing in the script")]
    lines = [re.sub(r"(-|\^) nothing in the script.*", r"\1 ...", line) for line in lines]
    return re.sub(r"(no linker script): .*", r"\1: ...", "".join(lines))


def test_a_folder_stands_for_every_policy_in_it(capsys):
    assert main(["test", "."]) == 1
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "./failing.yaml: 7 rules, 10 tests, 9 failed",
        "./sentences.yaml: 7 rules, 17 tests, all passed",
        "./sound.yaml: 3 rules, 13 tests, all passed",
    ]


def test_a_folder_without_policies(tmp_path, capsys):
    assert main(["test", str(tmp_path)]) == 2
    assert "there is no policy in" in capsys.readouterr().out


def test_a_bad_policy_is_told_and_fails(tmp_path, capsys):
    path = tmp_path / "bad.yaml"
    path.write_text("ldcheck: 1\nrules:\n  - { id: x, emtpy: .got }\n")
    assert main(["test", str(path)]) == 2
    assert "did you mean `empty`?" in capsys.readouterr().out


# Removing a key -------------------------------------------------------------------------------------------------------


def test_sentences_that_are_policies():
    """What a maintainer would say aloud, as the design has it, each with its tests."""
    found = rules("sentences.yaml")
    assert [failure.message for run in run_tests(found) for failure in run.failures] == []
    assert uncovered(run_tests(found), found) == []


def test_keys_whose_removal_is_noticed():
    rule = next(rule for rule in rules("sound.yaml") if rule.id == "data-page-aligned")
    assert [name for name, _ in without_one_key(rule)] == ["when.arch"]
    assert unnoticed(rule) == []


def test_keys_whose_removal_is_not_noticed():
    """The tests of this rule give no configuration for which it is not meant."""
    rule = next(rule for rule in rules("sound.yaml") if rule.id == "got-empty")
    assert unnoticed(rule) == ["when.config"]
