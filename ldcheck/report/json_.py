r"""The form for programs: one JSON object, `version` 1 of a format that only ever gains keys.

Names are exact but for bytes that were not UTF-8, which are written `\x80`: JSON readers disagree on them.
"""

from __future__ import annotations

import json

from ldcheck.findings import Finding, InputError, RuleResult
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.report.order import by_target, counted, ordered
from ldcheck.source import Location, Related, exact

VERSION = 1


def render(report: Report, _options: Options) -> str:
    """The report as JSON, ASCII only, one line end at its end."""
    return json.dumps(document(report), indent=2) + "\n"


def document(report: Report) -> dict[str, object]:
    """The report as data. Lines and columns are 1-based, 0 where there is none; `end_column` is one behind the end."""
    return {
        "version": VERSION,
        "status": report.status,
        "findings": [_finding(finding) for finding in ordered((*report.findings, *report.unshown))],
        "rules": [_rule(result) for result in report.rules],
        "errors": [_error(error) for error in report.errors],
        "summary": [
            {"target": exact(target), **{verdict.value.replace(" ", "_"): n for verdict, n in counted(results).items()}}
            for target, results in by_target(report.rules).items()
        ],
        "inputs": {kind: [exact(name) for name in names] for kind, names in report.inputs.items()},
        "notes": [exact(note) for note in report.notes],
        "accepted": [{**_finding(finding), "reason": exact(reason)} for finding, reason in report.accepted],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "rule": exact(finding.rule),
        "check": exact(finding.check),
        "severity": finding.severity.value,
        "verdict": finding.verdict.value,
        "message": exact(finding.message),
        "location": _location(finding.location),
        "label": exact(finding.label),
        "related": [_related(related) for related in finding.related],
        "route": exact(finding.route),
        "configurations": exact(finding.configurations),
        "evidence": [kind.value for kind in finding.evidence],
        "facts": [exact(fact) for fact in finding.facts],
        "witness": exact(finding.witness),
        "why": exact(finding.why),
        "help": exact(finding.help),
        "see": [exact(link) for link in finding.see],
        "target": exact(finding.target),
    }


def _rule(result: RuleResult) -> dict[str, object]:
    return {
        "rule": exact(result.rule),
        "check": exact(result.check),
        "verdict": result.verdict.value,
        "reason": exact(result.reason),
        "evidence": [kind.value for kind in result.evidence],
        "target": exact(result.target),
    }


def _error(error: InputError) -> dict[str, object]:
    return {
        "message": exact(error.message),
        "location": _location(error.location),
        "label": exact(error.label),
        "related": [_related(related) for related in error.related],
        "help": exact(error.help),
    }


def _related(related: Related) -> dict[str, object]:
    return {"location": _location(related.location), "label": exact(related.label)}


def _location(location: Location) -> dict[str, object]:
    return {
        "file": exact(location.file),
        "line": location.line,
        "column": location.column,
        "end_line": location.end_line,
        "end_column": location.end_column,
    }
