"""From a check's problem to a finding: its severity, and the words that the rule has for it."""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Finding, Problem, Severity, Verdict
from ldcheck.policy.rule import Rule


def finding_of(
    rule: Rule, problem: Problem, verdict: Verdict, used: tuple[EvidenceKind, ...], condition: str
) -> Finding:
    """A problem as a finding: with what its rule says of it, and under which condition it occurs."""
    message = problem.message
    if rule.message:
        from ldcheck.policy.message import fill

        message = fill(rule.message, rule, problem)
    return Finding(
        rule=rule.id,
        check=rule.check,
        severity=severity_of(rule, problem, verdict),
        message=message,
        # What has no place of its own in the script is shown at the rule that asks for it.
        location=problem.location or rule.location,
        label=problem.label,
        related=problem.related,
        facts=problem.facts,
        route=problem.route,
        configurations=condition,
        evidence=used,
        witness=problem.witness,
        why=rule.why,
        help=rule.help or problem.help,
        see=rule.see,
        verdict=verdict,
        fix=problem.fix,
        causes=problem.causes,
    )


def severity_of(rule: Rule, problem: Problem, verdict: Verdict) -> Severity:
    """How heavy a finding is: what the policy says, else what the check says of it, else what holds for the rule."""
    if verdict is Verdict.UNPROVEN:
        return Severity.NOTE if is_likely(problem) and "unproven" not in rule.given else rule.unproven
    if problem.severity is None or "severity" in rule.given:
        return rule.severity
    return problem.severity


def is_likely(problem: Problem) -> bool:
    """Whether a check calls a problem likely, or harmless, and no promise."""
    return problem.severity is not None and problem.severity is not Severity.ERROR
