"""Loud where something was: faults that linker scripts really have had, ahead of the fix and behind it.

`<class>/<case>/` holds `before.lds`, a small script with the shape of the fault; `after.lds`, the same with the fix;
`refactored.lds`, that rearranged without a change of meaning; `policy.yaml`, the rule that is to catch it;
`wanted.txt`, a line `rule line` for each finding ahead of the fix.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from ldcheck import checks
from ldcheck.findings import Finding
from ldcheck.judging.applicable import ScriptCase, Target
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.judge import Judged, judge
from ldcheck.policy.load import load_policies
from ldcheck.script.parser import parse
from ldcheck.source import Source

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/*/wanted.txt"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.relative_to(HERE)))
def test_the_fault_is_found_and_its_fix_is_not(case: Path) -> None:
    policy = str(case / "policy.yaml")
    wanted = sorted((case / "wanted.txt").read_text().splitlines())
    before = checked(case / "before.lds", policy)
    assert sorted({f"{found.rule} {found.location.line}" for found in before.findings}) == wanted
    after = checked(case / "after.lds", policy)
    assert (told(after.findings), after.errors) == (Counter(), ())


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.relative_to(HERE)))
def test_a_refactoring_changes_nothing(case: Path) -> None:
    policies = ("generic", str(case / "policy.yaml"))
    after, refactored = (checked(case / f"{name}.lds", *policies) for name in ("after", "refactored"))
    assert told(refactored.findings) == told(after.findings)
    assert refactored.errors == ()


def test_every_class_has_three_cases() -> None:
    assert min(Counter(case.parent.name for case in CASES).values()) >= 3


def checked(path: Path, *policies: str) -> Judged:
    loaded = load_policies(list(policies), declarations=checks)
    assert loaded.errors == ()
    parsed = parse(Source(path.name, path.read_text()))
    assert parsed.problems == ()
    view = ScriptView(parsed.tree, parsed.sources)
    return judge(loaded.rules, Target("", "", (ScriptCase(view),)), checks)


def told(findings: Sequence[Finding]) -> Counter[tuple[str, str]]:
    """What the findings say, wherever it stands."""
    return Counter((found.rule, found.message) for found in findings)
