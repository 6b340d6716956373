"""The examples of the checks' documentation: what stands under Example fires, what stands under Use instead does not.

An example is an indented paragraph: statements of SECTIONS, or a script that has its own. A head key's first one is a
policy. Checks that judge only what was linked have no script to show; their policies still must load.
"""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent, indent

import pytest

from ldcheck import checks
from ldcheck.findings import EvidenceKind, Verdict
from ldcheck.judging.applicable import ScriptCase, Target
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.judge import Judged, judge
from ldcheck.policy.load import load_policies
from ldcheck.policy.rule import Rule
from ldcheck.script.parser import parse
from ldcheck.source import Source

ALL = [(name, False) for name in checks.names()] + [(name, True) for name in checks.lint_names()]
ON_SCRIPTS = [(name, lint) for name, lint in ALL if hasattr(checks.module(name, lint), "on_script")]
# A name that examples take from the policy that they would stand in.
PAGE_SIZE = 4096
HEADINGS = ["What it does", "Why is this bad", "Example", "Use instead", "Limits", "References"]


@pytest.mark.parametrize(("name", "lint"), ALL)
def test_the_headings_are_the_same_everywhere(name: str, lint: bool) -> None:
    assert re.findall(r"^## (.*)$", checks.module(name, lint).__doc__ or "", re.MULTILINE) == HEADINGS


@pytest.mark.parametrize(("name", "lint"), ON_SCRIPTS)
def test_the_example_fires_and_what_to_use_instead_does_not(name: str, lint: bool, tmp_path: Path) -> None:
    rules = documented_rules(name, lint, tmp_path)
    (example,), (instead,) = scripts(name, lint, "Example"), scripts(name, lint, "Use instead")
    fires = judged(rules, example)
    assert {result.verdict for result in fires.results} <= {Verdict.VIOLATED, Verdict.UNPROVEN}
    assert fires.findings
    holds = judged(rules, instead)
    assert [finding.message for finding in holds.findings] == []
    # What a script can only refute is for the image to hold.
    linked = set(checks.declaration(name, lint).evidence) - {EvidenceKind.SCRIPT}
    assert {result.verdict for result in holds.results} <= {Verdict.HELD} | ({Verdict.NOT_CHECKED} if linked else set())


@pytest.mark.parametrize("name", checks.names())
def test_the_policy_of_the_example_is_one(name: str, tmp_path: Path) -> None:
    assert [rule.check for rule in documented_rules(name, False, tmp_path)] == [name]


def documented_rules(name: str, lint: bool, folder: Path) -> tuple[Rule, ...]:
    policies = [text for text in paragraphs(name, lint, "Example") if text.startswith("rules:")]
    text = policies[0] if policies else f"rules:\n  - id: {name}\n    lint: {name}\n"
    path = folder / "policy.yaml"
    path.write_text(f"ldcheck: 1\nparams: {{ PAGE_SIZE: {PAGE_SIZE} }}\n{text}")
    loaded = load_policies([str(path)], declarations=checks)
    assert [error.message for error in loaded.errors] == []
    return loaded.rules


def scripts(name: str, lint: bool, heading: str) -> list[str]:
    return [
        text if re.search(r"\bSECTIONS\b", text) else f"SECTIONS\n{{\n{indent(text, '  ')}}}\n"
        for text in paragraphs(name, lint, heading)
        if not text.startswith("rules:")
    ]


def paragraphs(name: str, lint: bool, heading: str) -> list[str]:
    """The indented paragraphs below a heading of a check's documentation; blank lines do not end one."""
    documentation = checks.module(name, lint).__doc__ or ""
    section = documentation.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"(?:^ {4}.*\n(?:\n(?= {4}))*)+", section, re.MULTILINE)
    return [dedent(text) for text in found]


def judged(rules: tuple[Rule, ...], script: str) -> Judged:
    parsed = parse(Source("script", script))
    assert [problem.message for problem in parsed.problems] == []
    view = ScriptView(parsed.tree, parsed.sources, params={"PAGE_SIZE": PAGE_SIZE})
    outcome = judge(rules, Target("", "", (ScriptCase(view),)), checks)
    assert [error.message for error in outcome.errors] == []
    return outcome
