"""One line for each finding, `file:line:column: severity: message [rule]`, as editors and grep like it; no summary."""

from __future__ import annotations

from ldcheck.report.escape import clipped, log_text
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.report.order import merged
from ldcheck.report.text import place


def render(report: Report, _options: Options) -> str:
    """The errors and findings of a report, a line each."""
    lines = [f"{place(error.location)}: error: {clipped(error.message)}" for error in report.errors]
    for shown in merged(report):
        finding = shown.finding
        message = f"{finding.severity.value}: {clipped(finding.message)} [{clipped(finding.rule)}]"
        lines.append(f"{place(finding.location)}: {message}")
    return log_text("".join(f"{line}\n" for line in lines))
