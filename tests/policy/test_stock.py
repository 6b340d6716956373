"""Stock policies: their tests pass, each rule has one of both kinds, and no key of a rule could go without notice."""

from __future__ import annotations

import pytest

from ldcheck import checks
from ldcheck.policy.files import stock_names
from ldcheck.policy.load import load_policies
from ldcheck.policy.rule import Rule
from ldcheck.policy.testing.run import run_tests, uncovered
from tests.policy.mutation import unnoticed


def rules(name: str) -> tuple[Rule, ...]:
    policies = load_policies([name], declarations=checks)
    assert policies.errors == ()
    return policies.rules


@pytest.mark.parametrize("name", stock_names())
def test_the_tests_pass(name):
    failures = [failure for run in run_tests(rules(name)) for failure in run.failures]
    assert [f"{failure.location.file}:{failure.location.line}: {failure.message}" for failure in failures] == []


@pytest.mark.parametrize("name", stock_names())
def test_every_rule_fires_and_holds(name):
    found = rules(name)
    assert [error.message for error in uncovered(run_tests(found), found)] == []


@pytest.mark.parametrize("name", stock_names())
def test_no_key_could_go_without_notice(name):
    tested = [rule for rule in rules(name) if rule.tests]
    assert {rule.id: keys for rule in tested if (keys := unnoticed(rule))} == {}


@pytest.mark.parametrize("name", stock_names())
def test_each_goes_with_each_other(name):
    """A script is judged by `generic` and by the one that it is recognised for, and people name others beside."""
    for other in stock_names():
        found = load_policies([other, name], declarations=checks, tests=False)
        assert [error.message for error in found.errors] == []
        assert {rule.id for rule in found.rules} >= {rule.id for rule in rules(name)}


@pytest.mark.parametrize("name", stock_names())
def test_every_rule_says_why(name):
    assert [rule.id for rule in rules(name) if not rule.why or not rule.see] == []
