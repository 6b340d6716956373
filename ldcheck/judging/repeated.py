"""Equal findings of one check from several policies: `generic` and a pack may both have a lint."""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.findings import Finding
from ldcheck.policy.rule import Rule
from ldcheck.record import replace


def once(findings: Sequence[Finding], rules: Sequence[Rule]) -> tuple[Finding, ...]:
    """What rules of one check in several policies find in one place is said once: as heavy as the heaviest of them.

    It carries the id of the rule of the more special policy, which is the one that comes last (a policy stands behind
    what it extends, and a project's behind what holds for all scripts). Two rules of one policy are meant to be two.
    """
    checked = [(rule.check, rule.lint) for rule in rules]
    if len(set(checked)) == len(checked):
        return tuple(findings)
    own = {rule.id: rule for rule in rules}
    groups: dict[tuple[object, ...], list[Finding]] = {}
    told: dict[tuple[object, ...], set[str]] = {}
    for finding in findings:
        # What has no place of its own is shown at each rule.
        place = None if finding.location == own[finding.rule].location else finding.location
        key: tuple[object, ...] = (
            finding.check,
            place,
            finding.message,
            finding.configurations,
            finding.witness,
        )
        policy = own[finding.rule].policy
        if policy in told.setdefault(key, set()):
            key = (*key, finding.rule)
        told.setdefault(key, set()).add(policy)
        groups.setdefault(key, []).append(finding)
    return tuple(
        replace(group[-1], severity=min((one.severity for one in group), key=lambda severity: severity.rank))
        for group in groups.values()
    )
