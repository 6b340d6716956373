"""`ignore` and `paths`: which findings they mean, and what is said of those that mean nothing any more."""

from __future__ import annotations

from datetime import date

import pytest

from ldcheck import checks
from ldcheck.accepted.ignores import waive
from ldcheck.findings import Finding, Severity
from ldcheck.policy.load import Policies, load_policies
from ldcheck.policy.paths import path_matches
from ldcheck.source import Location

TODAY = date(2027, 1, 15)


def finding(rule: str = "got-empty", file: str = "xen/arch/arm/xen.lds.S", line: int = 7, route: str = "") -> Finding:
    return Finding(rule, "empty", Severity.ERROR, "not empty", Location(file, line, 1), route=route)


@pytest.fixture
def policies(tmp_path):
    def load(text: str) -> Policies:
        path = tmp_path / "p.yaml"
        rules = "rules:\n  - { id: got-empty, empty: .got }\n  - { id: plt-empty, empty: .plt }\n"
        path.write_text(f"ldcheck: 1\n{rules}{text}")
        loaded = load_policies([str(path)], declarations=checks)
        assert loaded.errors == ()
        return loaded

    return load


@pytest.mark.parametrize(
    ("path", "pattern", "does"),
    [
        ("xen.lds", "*.lds", True),
        ("a/b/xen.lds", "*.lds", True),
        ("a/b/xen.lds", "b/*.lds", True),
        ("a/b/xen.lds", "a/*.lds", False),
        ("a/b/xen.lds", "a/**/*.lds", True),
        ("a/xen.lds", "a/**/*.lds", True),
        ("a/b/c/xen.lds", "a/**", True),
        ("x/a/b/xen.lds", "a/**", True),
        ("x/a/b/xen.lds", "/a/**", False),
        ("./a/xen.lds", "a/xen.lds", True),
        ("a/xen.lds.S", "*.lds", False),
        ("ba/xen.lds", "a/*", False),
        ("a", "**", True),
    ],
)
def test_path_patterns(path, pattern, does):
    assert path_matches(path, pattern) is does


@pytest.mark.parametrize(
    ("where", "covered"),
    [
        ("", True),
        ("xen/arch/arm/**", True),
        ("xen.lds.S:7", True),
        ("xen.lds.S:8", False),
        ("SECTIONS/.got", True),
        ("SECTIONS/.got/3", True),
        ("SECTIONS/.go", False),
        ("SECTIONS/*", True),
        ("xen/arch/x86/**", False),
        ("[xen/arch/x86/**, SECTIONS/.got]", True),
    ],
)
def test_where(policies, where, covered):
    text = (
        f"ignore:\n  - {{ rule: got-empty, reason: known{', where: ' if where else ''}{where and repr_yaml(where)} }}\n"
    )
    loaded = policies(text)
    one = finding(route="SECTIONS/.got/3")
    waived = waive([one], loaded.ignores, loaded.overrides, TODAY)
    assert (waived.findings == ()) is covered
    assert [(accepted, entry.reason) for accepted, entry in waived.ignored] == ([(one, "known")] if covered else [])


def repr_yaml(where: str) -> str:
    return where if where.startswith("[") else f"'{where}'"


def test_other_rules_are_not_meant(policies):
    loaded = policies("ignore: [{ rule: got-*, reason: known }]\n")
    waived = waive([finding(), finding("plt-empty")], loaded.ignores, (), TODAY)
    assert [one.rule for one in waived.findings] == ["plt-empty"]


@pytest.mark.parametrize(("until", "covered"), [("2027-01-15", True), ("2027-01-14", False)])
def test_the_last_day_counts(policies, until, covered):
    loaded = policies(f"ignore: [{{ rule: got-empty, reason: until the port is done, until: {until} }}]\n")
    waived = waive([finding()], loaded.ignores, (), TODAY)
    assert (waived.findings == ()) is covered
    assert (len(waived.notes) == 1) is not covered
    if not covered:
        assert "p.yaml:5: accepted until 2027-01-14 only: got-empty (until the port is done)" in waived.notes[0]


def test_what_ignores_nothing_is_told(policies):
    loaded = policies("ignore: [{ rule: got-empty, where: other.lds, reason: known }]\n")
    waived = waive([finding()], loaded.ignores, (), TODAY)
    assert len(waived.findings) == 1
    assert "nothing to ignore there any more: got-empty (known)" in waived.notes[0]


def test_other_severities_in_some_files(policies):
    loaded = policies("paths:\n  '*.lds.S': { '*': note, plt-empty: off }\n  'arch/arm/**': { got-empty: warning }\n")
    found = [finding(), finding("plt-empty"), finding(file="a.lds")]
    waived = waive(found, (), loaded.overrides)
    assert [(one.rule, one.severity.value) for one in waived.findings] == [
        ("got-empty", "warning"),
        ("got-empty", "error"),
    ]
