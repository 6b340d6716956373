"""Equal findings of one check from several policies: `generic` and a pack may both have a lint."""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.findings import Finding
from ldcheck.policy.rule import Rule
from ldcheck.record import replace


def once(findings: Sequence[Finding], rules: Sequence[Rule]) -> tuple[Finding, ...]:
    """What several rules of one check find in one place is said once: as heavy as the heaviest of them.

    It carries the id of the rule of the more special policy, which is the one that comes last (a policy stands behind
    what it extends, and a project's behind what holds for all scripts).
    """
    checked = [(rule.check, rule.lint) for rule in rules]
    if len(set(checked)) == len(checked):
        return tuple(findings)
    own = {rule.id: rule for rule in rules}
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        # What has no place of its own is shown at each rule.
        place = None if finding.location == own[finding.rule].location else finding.location
        key = (finding.check, place, finding.message, finding.configurations, finding.witness)
        groups.setdefault(key, []).append(finding)
    return tuple(
        replace(group[-1], severity=min((one.severity for one in group), key=lambda severity: severity.rank))
        for group in groups.values()
    )
