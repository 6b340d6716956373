"""What a change does to the verdicts of policies: rules that are violated now, mended, or no longer checked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ldcheck.findings import Finding, RuleResult, Severity, Verdict
from ldcheck.record import dataclass

if TYPE_CHECKING:
    from ldcheck.source import Location

_AGAINST = (Verdict.VIOLATED, Verdict.UNPROVEN)
_NOT_JUDGED = (Verdict.NOT_CHECKED, Verdict.NOT_APPLICABLE)
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+(?:,\d+)*")
# What tells a statement from its neighbours counts them, and another one ahead of it is no other fault.
_COUNTED = re.compile(r"(?<=[/#])\d+(?=/|$)")


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """A rule whose verdict is another one, or that has a finding more. `old` is None for a rule that was not there.

    `kind` is `violated` (also: unproven now, or a further finding), `mended` or `unchecked`. `place` is that of the
    finding.
    """

    kind: str
    rule: str
    old: Verdict | None
    new: Verdict | None
    message: str
    place: Location | None = None


def verdict_changes(
    old: tuple[Sequence[RuleResult], Sequence[Finding]], new: tuple[Sequence[RuleResult], Sequence[Finding]]
) -> tuple[VerdictChange, ...]:
    """What differs between the results and findings of both sides, the violations first."""
    before, after = _by_rule(old[0]), _by_rule(new[0])
    found = [*_violations(before, after, old[1], new[1]), *_others(before, after)]
    return tuple(found)


def _by_rule(results: Iterable[RuleResult]) -> dict[str, RuleResult]:
    found: dict[str, RuleResult] = {}
    for result in results:
        found.setdefault(result.rule, result)
    return found


def _violations(
    before: dict[str, RuleResult], after: dict[str, RuleResult], old: Sequence[Finding], new: Sequence[Finding]
) -> Iterator[VerdictChange]:
    known = Counter(map(saying, old))
    for finding in new:
        result = after.get(finding.rule)
        if finding.severity is Severity.NOTE or result is None or result.verdict not in _AGAINST:
            continue
        key = saying(finding)
        if known[key]:
            known[key] -= 1
            continue
        was = before[finding.rule].verdict if finding.rule in before else None
        further = "has another finding" if was in _AGAINST else f"is {finding.verdict.value} now"
        message = f"{finding.rule} {further}: {finding.message}"
        yield VerdictChange("violated", finding.rule, was, result.verdict, message, finding.location)


def saying(finding: Finding) -> tuple[str, str, str]:
    """A finding wherever it stands: by its symbolic place, and what it says without numbers."""
    return finding.rule, _COUNTED.sub("", finding.route), _NUMBER.sub("", finding.message)


def _others(before: dict[str, RuleResult], after: dict[str, RuleResult]) -> Iterator[VerdictChange]:
    for rule, was in before.items():
        now = after.get(rule)
        if now is None:
            continue
        if was.verdict in _AGAINST and now.verdict is Verdict.HELD:
            message = f"{rule} is held now; it was {was.verdict.value}"
            yield VerdictChange("mended", rule, was.verdict, now.verdict, message)
        elif was.verdict not in _NOT_JUDGED and now.verdict in _NOT_JUDGED:
            reason = f": {now.reason}" if now.reason else ""
            message = f"{rule} is {now.verdict.value} now{reason}; it was {was.verdict.value}"
            yield VerdictChange("unchecked", rule, was.verdict, now.verdict, message)
