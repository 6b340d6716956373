"""Reviewdog's diagnostic format, for review comments on hosts that ldcheck does not know.

Format: reviewdog, proto/rdf/reviewdog.proto. Columns there count UTF-8 bytes from 1, ends are exclusive.
"""

from __future__ import annotations

import json

from ldcheck.findings import Fix, Safety, Severity
from ldcheck.report.escape import clipped, printable
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.report.order import Shown, merged
from ldcheck.report.text import advice, details
from ldcheck.source import Location, exact

_SEVERITIES = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.NOTE: "INFO", Severity.OFF: "INFO"}


def render(report: Report, options: Options) -> str:
    """A DiagnosticResult as JSON."""
    diagnostics: list[dict[str, object]] = [
        {
            "message": clipped(error.message),
            "location": _location(error.location, options),
            "severity": "ERROR",
            "code": {"value": "ldcheck"},
        }
        for error in report.errors
    ]
    diagnostics += [_diagnostic(shown, options) for shown in merged(report)]
    return json.dumps({"source": {"name": "ldcheck"}, "diagnostics": diagnostics}) + "\n"


def _diagnostic(shown: Shown, options: Options) -> dict[str, object]:
    finding = shown.finding
    code = {"value": clipped(finding.rule)}
    if finding.see and finding.see[0].startswith("https://"):
        code["url"] = printable(finding.see[0])
    diagnostic: dict[str, object] = {
        "message": "\n".join([clipped(finding.message), *details(finding), *advice(finding)]),
        "location": _location(finding.location, options),
        "severity": _SEVERITIES[finding.severity],
        "code": code,
        "related_locations": [
            {"message": clipped(related.label), "location": _location(related.location, options)}
            for related in finding.related
        ],
    }
    # Suggestions are for the diagnostic's own file, and part of a fix is none.
    fix = finding.fix
    if fix is not None and fix.safety is not Safety.FOR_SHOW and _within(fix, finding.location.file):
        diagnostic["suggestions"] = [
            {"range": _location(edit.location, options)["range"], "text": exact(edit.text)} for edit in fix.edits
        ]
    return diagnostic


def _within(fix: Fix, file: str) -> bool:
    return all(edit.location.file == file for edit in fix.edits)


def _location(location: Location, options: Options) -> dict[str, object]:
    path = printable(options.path(location.file))
    if not location.line:
        return {"path": path}
    start = {"line": location.line, "column": _bytes(location.excerpt, location.column)}
    span: dict[str, object] = {"start": start}
    if location.end_line == location.line:
        span["end"] = {"line": location.line, "column": _bytes(location.excerpt, location.end_column)}
    elif location.end_line > location.line:
        # The text of the last line is not at hand, so the span ends before it, which every reader understands.
        span["end"] = {"line": location.end_line, "column": 1}
    return {"path": path, "range": span}


def _bytes(excerpt: str, column: int) -> int:
    """A column in characters as one in UTF-8 bytes."""
    return len(excerpt[: max(column - 1, 0)].encode("utf-8", "surrogatepass")) + 1
