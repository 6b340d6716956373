"""Markdown for a job summary: what was judged, and a table of the findings.

GitHub refuses a summary of more than 1 MiB as a whole, so the table ends where a safe size is reached and says how many
rows are missing. Names are shown in a way that no markup, link or mention can come of them.
"""

from __future__ import annotations

from ldcheck.findings import Severity, Verdict
from ldcheck.report.escape import clipped, inert
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.report.order import Shown, by_target, counted, merged
from ldcheck.report.text import accepted, details, place

_BYTE_LIMIT = 900_000
_OUTCOMES = {0: "passed", 1: "found violations", 2: "could not check"}
_SIGNS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.NOTE: "ℹ️", Severity.OFF: ""}


def render(report: Report, options: Options) -> str:
    """A summary of at most 900,000 bytes."""
    parts = [f"## ldcheck {_OUTCOMES.get(report.status, 'ended')}\n"]
    for error in report.errors[:100]:
        help_text = f" {inert(clipped(error.help))}" if error.help else ""
        where = f"<code>{inert(place(error.location))}</code>"
        parts.append(f"- {_SIGNS[Severity.ERROR]} {where}: {_text(error.message)}{help_text}\n")
    if len(report.errors) > 100:
        parts.append(f"- and {len(report.errors) - 100:,} more\n")
    parts += _verdicts(report)
    parts += _findings(report, options)
    if report.accepted:
        parts.append(f"\n{accepted(report)}.\n")
    return "".join(parts)


def _verdicts(report: Report) -> list[str]:
    targets = by_target(report.rules)
    if not targets:
        return []
    lines = ["\n| target | rules | " + " | ".join(verdict.value for verdict in Verdict) + " |\n"]
    lines.append("|---|" + "--:|" * (len(Verdict) + 1) + "\n")
    for target, results in list(targets.items())[:200]:
        counts = counted(results)
        cells = " | ".join(f"{counts.get(verdict, 0):,}" for verdict in Verdict)
        lines.append(f"| {_text(target) or 'all'} | {len(results):,} | {cells} |\n")
    return lines


def _findings(report: Report, options: Options) -> list[str]:
    shown = sorted(merged(report), key=lambda one: one.finding.severity.rank)
    if not shown:
        return []
    lines = ["\n| | place | finding | rule |\n|---|---|---|---|\n"]
    size = 0
    for at, one in enumerate(shown):
        row = _row(one, options)
        size += len(row.encode("utf-8", "backslashreplace"))
        if size > _BYTE_LIMIT // 2:
            lines.append(f"\n{len(shown) - at:,} more findings are in the log.\n")
            break
        lines.append(row)
    return lines


def _row(one: Shown, options: Options) -> str:
    finding = one.finding
    location = finding.location
    told = "<br>".join([_text(finding.message), *(f"<sub>{inert(line)}</sub>" for line in details(finding))])
    where = f"<code>{inert(clipped(options.path(location.file)))}{f':{location.line}' if location.line else ''}</code>"
    return f"| {_SIGNS[finding.severity]} | {where} | {told} | <code>{inert(clipped(finding.rule))}</code> |\n"


def _text(text: str) -> str:
    return inert(clipped(text))
