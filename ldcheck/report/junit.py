"""JUnit XML, as GitLab, Jenkins and the like show it: a suite for each target, a test case for each rule.

A violation is a failure at its severity `error`; what is weaker passes and is told in its output. What was not checked,
or does not apply, is skipped with its reason. What could not be read is an error of a suite of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.findings import Finding, RuleResult, Severity, Verdict
from ldcheck.report.escape import clipped, markup
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.report.order import by_target, ordered
from ldcheck.report.text import advice, details, place


def render(report: Report, _options: Options) -> str:
    """A `testsuites` document."""
    by_rule: dict[tuple[str, str], list[Finding]] = {}
    for finding in ordered(report.findings):
        by_rule.setdefault((finding.target, finding.rule), []).append(finding)
    suites = [_errors(report)] if report.errors else []
    for target, results in by_target(report.rules).items():
        suites.append(_suite(target, results, by_rule))
    body = "".join(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="ldcheck">\n{body}</testsuites>\n'


def _suite(target: str, results: Sequence[RuleResult], by_rule: dict[tuple[str, str], list[Finding]]) -> str:
    name = markup(clipped(target or "ldcheck"))
    cases, failures, skipped = [], 0, 0
    for result in results:
        findings = by_rule.get((target, result.rule), [])
        failed = [finding for finding in findings if finding.severity is Severity.ERROR]
        if failed:
            failures += 1
            message = markup(clipped(failed[0].message))
            body = f'<failure message="{message}" type="{markup(clipped(result.check))}">{_told(findings)}</failure>'
        elif result.verdict in (Verdict.NOT_CHECKED, Verdict.NOT_APPLICABLE):
            skipped += 1
            reason = f"{result.verdict.value}: {result.reason}" if result.reason else result.verdict.value
            body = f'<skipped message="{markup(clipped(reason))}"/>'
        else:
            body = f"<system-out>{_told(findings)}</system-out>" if findings else ""
        where = f' file="{markup(clipped(findings[0].location.file))}"' if findings else ""
        case = f'<testcase classname="{name}" name="{markup(clipped(result.rule))}"{where}>{body}</testcase>'
        cases.append(f"    {case}\n")
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="{skipped}"'
    return f'  <testsuite name="{name}" {counts}>\n{"".join(cases)}  </testsuite>\n'


def _told(findings: Sequence[Finding]) -> str:
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{place(finding.location)}: {finding.severity.value}: {clipped(finding.message)}")
        lines += [f"{place(other.location)}: {clipped(other.label)}" for other in finding.related]
        lines += [*details(finding), *advice(finding)]
    return markup("\n".join(lines))


def _errors(report: Report) -> str:
    cases = [
        f'    <testcase classname="ldcheck" name="{markup(place(error.location))}">'
        f'<error message="{markup(clipped(error.message))}">{markup(clipped(error.help))}</error></testcase>\n'
        for error in report.errors
    ]
    counts = f'tests="{len(cases)}" failures="0" errors="{len(cases)}" skipped="0"'
    return f'  <testsuite name="could not check" {counts}>\n{"".join(cases)}  </testsuite>\n'
