"""The order in which findings are shown, and what is shown once although several targets have it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ldcheck.findings import Finding, RuleResult, Verdict
from ldcheck.record import dataclass, replace

if TYPE_CHECKING:
    from ldcheck.report.model import Report


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Shown:
    """A finding and the targets that have it; each may have it under conditions of its own, which it then tells.

    `told` are the targets that a reader is told of: all that have it, if the run has more than one.
    """

    finding: Finding
    targets: tuple[str, ...]
    told: tuple[str, ...]


def place(finding: Finding) -> tuple[object, ...]:
    """The sort key of findings: file, line, column, rule; what follows only makes the order total."""
    location = finding.location
    weight = finding.severity.rank
    return (location.file, location.line, location.column, finding.rule, weight, finding.message, finding.target)


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in the order of the files that a person goes through."""
    return sorted(findings, key=place)


def merged(report: Report) -> list[Shown]:
    """A report's findings in order; those that say the same of the same place for several targets are one."""
    together: dict[tuple[object, ...], list[Finding]] = {}
    for finding in ordered(report.findings):
        key = (*place(finding)[:-1], finding.facts, finding.related)
        together.setdefault(key, []).append(finding)
    several = len({result.target for result in report.rules}) > 1
    shown = []
    for same in together.values():
        targets = tuple(dict.fromkeys(finding.target for finding in same if finding.target))
        shown.append(Shown(_for_all(same), targets, targets if several else ()))
    return shown


def _for_all(same: list[Finding]) -> Finding:
    """The finding that stands for all of them: what was proved for one target says nothing of the others."""
    chosen = next((finding for finding in same if finding.fix is None), same[0])
    if len({finding.configurations for finding in same}) == 1:
        return chosen
    conditions = (f"{one.target}: {one.configurations or 'in every configuration'}" for one in same)
    return replace(chosen, configurations="; ".join(conditions))


def by_target(rules: Iterable[RuleResult]) -> dict[str, list[RuleResult]]:
    """Rule results by target, both in the order in which they were judged."""
    targets: dict[str, list[RuleResult]] = {}
    for result in rules:
        targets.setdefault(result.target, []).append(result)
    return targets


def counted(rules: Iterable[RuleResult]) -> dict[Verdict, int]:
    """How many rules ended in each verdict, in the order of `Verdict`, without those that none ended in."""
    counts = dict.fromkeys(Verdict, 0)
    for result in rules:
        counts[result.verdict] += 1
    return {verdict: count for verdict, count in counts.items() if count}
