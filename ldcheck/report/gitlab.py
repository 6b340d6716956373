"""GitLab's Code Quality report, for the widget and the annotations of a merge request.

Format: GitLab documentation, "Code Quality report format". GitLab drops an entry whose fingerprint occurred before,
so fingerprints are unique within a report.
"""

from __future__ import annotations

import json

from ldcheck.findings import InputError, Severity
from ldcheck.report.escape import clipped, printable
from ldcheck.report.fingerprint import fingerprints
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.report.order import Shown, merged
from ldcheck.report.text import details
from ldcheck.source import Location

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info", Severity.OFF: "info"}


def render(report: Report, options: Options) -> str:
    """A JSON list with an entry for every error and every finding."""
    entries = [_error(error, options) for error in dict.fromkeys(report.errors)]
    shown = merged(report)
    entries += [_finding(one, print_, options) for one, print_ in zip(shown, fingerprints(shown, options), strict=True)]
    return json.dumps(entries) + "\n"


def _finding(shown: Shown, fingerprint: str, options: Options) -> dict[str, object]:
    finding = shown.finding
    return {
        "description": ". ".join([clipped(finding.message), *details(finding)]),
        "check_name": clipped(finding.rule),
        "fingerprint": fingerprint.replace(":", "-"),
        "severity": _SEVERITIES[finding.severity],
        "location": _location(finding.location, options),
    }


def _error(error: InputError, options: Options) -> dict[str, object]:
    from hashlib import sha256

    place = f"{error.location.file}\0{error.location.line}\0{error.location.column}\0{error.message}"
    return {
        "description": f"could not check: {clipped(error.message)}",
        "check_name": "ldcheck",
        "fingerprint": sha256(place.encode("utf-8", "backslashreplace")).hexdigest()[:32],
        "severity": "blocker",
        "location": _location(error.location, options),
    }


def _location(location: Location, options: Options) -> dict[str, object]:
    lines = {"begin": max(location.line, 1), "end": max(location.end_line, location.line, 1)}
    return {"path": printable(options.path(location.file)).removeprefix("./"), "lines": lines}
