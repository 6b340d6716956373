"""SARIF 2.1.0, the OASIS standard, with what GitHub's "SARIF support for code scanning" asks beyond it.

Paths inside the checkout are relative URIs below %SRCROOT%. Fingerprints come from the symbolic route, so an alert
stays the same alert when lines move. Columns count characters.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ldcheck.findings import Edit, Finding, Fix, InputError, Safety, Severity
from ldcheck.report.escape import clipped, printable
from ldcheck.report.fingerprint import fingerprints
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.report.order import Shown, merged
from ldcheck.report.text import advice, details, prose, whose
from ldcheck.source import Location, exact

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note", Severity.OFF: "none"}
# GitHub refuses a run with more results.
_RESULT_LIMIT = 25_000


def render(report: Report, options: Options) -> str:
    """A SARIF log with one run, on one line: indenting thousands of results would take longer than finding them."""
    shown = merged(report)
    known: dict[str, int] = {}
    for one in shown:
        known.setdefault(one.finding.rule, len(known))
    results = [
        _result(one, known[one.finding.rule], print_, options)
        for one, print_ in zip(shown, fingerprints(shown, options), strict=True)
    ]
    if len(results) > _RESULT_LIMIT:
        order = sorted(range(len(results)), key=lambda at: shown[at].finding.severity.rank)[:_RESULT_LIMIT]
        results = [results[at] for at in sorted(order)]
    run = {
        "tool": {"driver": {"name": "ldcheck", "rules": _rules(shown)}},
        "invocations": [
            {
                "executionSuccessful": report.status != 2,
                "exitCode": report.status,
                "toolExecutionNotifications": [_notification(error, options) for error in report.errors],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


def _rules(shown: Sequence[Shown]) -> list[dict[str, object]]:
    firsts: dict[str, Finding] = {}
    for one in shown:
        firsts.setdefault(one.finding.rule, one.finding)
    return [_rule(finding) for finding in firsts.values()]


def _rule(finding: Finding) -> dict[str, object]:
    text = "\n".join(advice(finding)) or f"rule {clipped(finding.rule)}"
    rule: dict[str, object] = {
        "id": exact(finding.rule),
        "name": exact(finding.rule),
        "shortDescription": {"text": prose(finding.why) or clipped(finding.rule)},
        "fullDescription": {"text": prose(finding.why) or clipped(finding.rule)},
        "help": {"text": text},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {"tags": [exact(finding.check)], "problem.severity": _problem_severity(finding.severity)},
    }
    link = next((link for link in finding.see if link.startswith("https://") and link.isascii()), "")
    if link and link.isprintable() and not set(link) & set(' "<>\\^`{|}'):
        rule["helpUri"] = link
    return rule


def _problem_severity(severity: Severity) -> str:
    return {Severity.ERROR: "error", Severity.WARNING: "warning"}.get(severity, "recommendation")


def _result(shown: Shown, rule_index: int, fingerprint: str, options: Options) -> dict[str, object]:
    finding = shown.finding
    lines = [clipped(finding.message), *whose(shown), *details(finding)]
    result: dict[str, object] = {
        "ruleId": exact(finding.rule),
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": "\n".join(lines)},
        "locations": [_location(finding.location, options)],
        # GitHub reads this very name and works out its own from the line where it is missing.
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
    }
    if finding.route:
        result["locations"] = [
            {**_location(finding.location, options), "logicalLocations": [{"fullyQualifiedName": exact(finding.route)}]}
        ]
    if finding.related:
        result["relatedLocations"] = [
            {"id": at, **_location(other.location, options), "message": {"text": clipped(other.label) or "related"}}
            for at, other in enumerate(finding.related, 1)
        ]
    if finding.fix is not None and finding.fix.safety is not Safety.FOR_SHOW:
        result["fixes"] = [_fix(finding.fix, options)]
    if shown.targets:
        result["properties"] = {"targets": [exact(target) for target in shown.targets]}
    return result


def _fix(fix: Fix, options: Options) -> dict[str, object]:
    """A fix (SARIF 2.1.0, 3.55). Viewers offer it to be applied, so the text is that of the file to the last blank."""
    files: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        files.setdefault(edit.location.file, []).append(edit)
    return {
        "description": {"text": f"{clipped(fix.does)} ({fix.safety.value}: {clipped(fix.proved)})"},
        "artifactChanges": [
            {
                "artifactLocation": _artifact(file, options),
                "replacements": [
                    {"deletedRegion": _region(edit.location), "insertedContent": {"text": exact(edit.text)}}
                    for edit in edits
                ],
            }
            for file, edits in files.items()
        ],
    }


def _notification(error: InputError, options: Options) -> dict[str, object]:
    text = "\n".join([clipped(error.message), *([f"help: {prose(error.help)}"] if error.help else [])])
    return {"level": "error", "message": {"text": text}, "locations": [_location(error.location, options)]}


def _location(location: Location, options: Options) -> dict[str, object]:
    artifact = _artifact(location.file, options)
    return {"physicalLocation": {"artifactLocation": artifact, "region": _region(location)}}


def _region(location: Location) -> dict[str, object]:
    region: dict[str, object] = {"startLine": max(location.line, 1)}
    if location.line and location.column:
        region["startColumn"] = location.column
        region["endLine"] = max(location.end_line, location.line)
        region["endColumn"] = max(location.end_column, 1 if location.end_line > location.line else location.column)
    return region


def _artifact(file: str, options: Options) -> dict[str, object]:
    from urllib.parse import quote

    path = options.path(file)
    uri = quote(printable(path) or "unknown", safe="/")
    if path.startswith("/"):
        return {"uri": f"file://{uri}"}
    return {"uri": uri, "uriBaseId": "%SRCROOT%"}
