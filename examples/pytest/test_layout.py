"""Gate a firmware build from its own tests: one test for each rule, and what ldcheck says where one fails."""

from __future__ import annotations

import pytest

import ldcheck

REPORT = ldcheck.check(["firmware.ld"], policies=["policy.yaml"], elf="firmware.elf", map="firmware.map")


@pytest.mark.parametrize("rule", REPORT.rules, ids=lambda rule: rule.rule)
def test_layout(rule):
    assert rule.verdict.value in ("held", "not applicable"), rule.reason


def test_everything_could_be_checked():
    assert not REPORT.errors
