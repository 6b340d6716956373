"""Equal findings of several rules.

`generic` and a pack may both have a lint, or a pack may have the check whose words a lint has too; and a rule of a
project may ask for what a lint looks for everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ldcheck.findings import Finding
from ldcheck.policy.rule import Rule
from ldcheck.record import replace


def once(findings: Sequence[Finding], rules: Sequence[Rule]) -> tuple[Finding, ...]:
    """What rules of several policies say of one place in the same words is said once: as heavy as the heaviest of them.

    It carries the id of the rule of the more special policy, which is the one that comes last (a policy stands behind
    what it extends, and a project's behind what holds for all scripts). Two rules of one policy were both meant.
    """
    own = {rule.id: rule for rule in rules}
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        # What has no place of its own is shown at each rule, and is then what one check says of it.
        place = finding.check if finding.location == own[finding.rule].location else finding.location
        key = (place, finding.message, finding.configurations, finding.witness)
        groups.setdefault(key, []).append(finding)
    return _named(tuple(finding for group in groups.values() for finding in _last(group, own)), own)


def _named(findings: Sequence[Finding], rules: Mapping[str, Rule]) -> tuple[Finding, ...]:
    """The findings without those of lints that other rules, which name what they ask for, give in full."""
    asked: dict[tuple[object, ...], int] = {}
    for at, one in enumerate(findings):
        if not rules[one.rule].lint:
            asked.update(dict.fromkeys(((cause, one.configurations) for cause in one.causes), at))
    also: dict[int, list[str]] = {}
    dropped: set[int] = set()
    for at, one in enumerate(findings):
        found = [asked.get((cause, one.configurations)) for cause in one.causes] if rules[one.rule].lint else []
        if found and None not in found:
            dropped.add(at)
            for other in found:
                if other is not None:
                    also.setdefault(other, []).append(one.rule)
    return tuple(
        replace(one, also=tuple(dict.fromkeys((*one.also, *also[at])))) if at in also else one
        for at, one in enumerate(findings)
        if at not in dropped
    )


def _last(group: Sequence[Finding], rules: Mapping[str, Rule]) -> Iterator[Finding]:
    """The findings of the last policy among equal ones."""
    severity = min((one.severity for one in group), key=lambda severity: severity.rank)
    policy = rules[group[-1].rule].location.file
    also = tuple(dict.fromkeys(one.rule for one in group if rules[one.rule].location.file != policy))
    for one in group:
        if rules[one.rule].location.file == policy:
            yield replace(one, severity=severity, also=also)
