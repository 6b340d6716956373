"""Rules with one key less, to see whether their tests would notice."""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck import checks
from ldcheck.policy.rule import Rule, When
from ldcheck.policy.testing.run import run_test
from ldcheck.record import fields, replace


def without_one_key(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """The rule without each of the keys that bear on its verdict, by the name of the key.

    A key that the check requires cannot be left out: the loader would refuse the rule.
    """
    declared = checks.declaration(rule.check, rule.lint)
    for name in rule.keys:
        required = any(key.name == name and key.required for key in declared.keys)
        groups = [group for group in declared.one_of if name in group]
        last = any(len(set(group) & set(rule.keys)) == 1 for group in groups)
        if not required and not last:
            yield name, replace(rule, keys={key: value for key, value in rule.keys.items() if key != name})
    for condition in fields(When):
        if getattr(rule.when, condition.name):
            yield f"when.{condition.name}", replace(rule, when=replace(rule.when, **{condition.name: ()}))
    if rule.optional:
        yield "optional", replace(rule, optional=False)
    if rule.evidence:
        yield "evidence", replace(rule, evidence=())


def unnoticed(rule: Rule) -> list[str]:
    """The keys that could be removed without a test of the rule failing."""
    return [
        name
        for name, mutant in without_one_key(rule)
        if not any(run_test(mutant, test).failures for test in rule.tests)
    ]
