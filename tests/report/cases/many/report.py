"""More findings than GitHub shows of a step."""

from __future__ import annotations

from ldcheck.findings import Finding, RuleResult, Severity, Verdict
from ldcheck.report.model import Report
from ldcheck.source import Location

REPORT = Report(
    status=1,
    findings=tuple(
        Finding(
            rule="table-bracketed",
            check="bracket",
            severity=severity,
            message=f"the table {at} has padding inside its bracket",
            location=Location("b.lds" if at % 2 else "a.lds", at, 1, at, 6, f"table {at}"),
            why="code walks this table",
            help="align the start symbol",
        )
        for severity, count in ((Severity.ERROR, 12), (Severity.WARNING, 11), (Severity.NOTE, 1))
        for at in range(1, count + 1)
    ),
    rules=(RuleResult("table-bracketed", "bracket", Verdict.VIOLATED),),
)
