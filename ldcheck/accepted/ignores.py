"""Findings that a policy takes otherwise: accepted ones (`ignore`), and other severities in some files (`paths`).

Both are about places in scripts, so they are applied to findings, when the rules have been judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ldcheck.findings import Finding, Severity
from ldcheck.policy.paths import path_matches
from ldcheck.policy.rule import Ignore, Override
from ldcheck.record import dataclass, replace

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Waived:
    """The findings that remain, those that are accepted (each with its `ignore`), and what is to be said about it."""

    findings: tuple[Finding, ...]
    ignored: tuple[tuple[Finding, Ignore], ...] = ()
    notes: tuple[str, ...] = ()


def waive(
    findings: Sequence[Finding],
    ignores: Sequence[Ignore],
    overrides: Sequence[Override] = (),
    today: date | None = None,
) -> Waived:
    """Apply `paths` and `ignore` to findings. `today` decides whether an `until` is past; the real day if not given."""
    kept: list[Finding] = []
    ignored: list[tuple[Finding, Ignore]] = []
    used: set[int] = set()
    live, notes = _live(ignores, today)
    for finding in findings:
        severity = severity_of(finding, overrides)
        if severity is Severity.OFF:
            continue
        if severity is not finding.severity:
            finding = replace(finding, severity=severity)
        entry = next((entry for entry in live if covers(entry, finding)), None)
        if entry is None:
            kept.append(finding)
        else:
            used.add(id(entry))
            ignored.append((finding, entry))
    for entry in live:
        if id(entry) not in used:
            notes.append(
                f"{_place(entry)}: nothing to ignore there any more: {', '.join(entry.rules)} ({entry.reason})"
            )
    return Waived(tuple(kept), tuple(ignored), tuple(notes))


def covers(ignore: Ignore, finding: Finding) -> bool:
    """Whether an entry of `ignore` accepts a finding, whatever the day."""
    if not any(fnmatchcase(finding.rule, pattern) for pattern in ignore.rules):
        return False
    return not ignore.where or any(_stands_at(finding, where) for where in ignore.where)


def severity_of(finding: Finding, overrides: Sequence[Override]) -> Severity:
    """The severity of a finding once `paths` has had its say; the last that speaks of it counts."""
    severity = finding.severity
    for override in overrides:
        if fnmatchcase(finding.rule, override.rule) and path_matches(finding.location.file, override.path):
            severity = override.severity
    return severity


def _live(ignores: Sequence[Ignore], today: date | None) -> tuple[list[Ignore], list[str]]:
    """The entries that still count, and a note for each that has run out."""
    if all(not entry.until for entry in ignores):
        return list(ignores), []
    if today is None:
        from datetime import datetime

        today = datetime.now().astimezone().date()
    day = today.isoformat()
    live = [entry for entry in ignores if not entry.until or day <= entry.until]
    notes = [
        f"{_place(entry)}: accepted until {entry.until} only: {', '.join(entry.rules)} ({entry.reason})"
        for entry in ignores
        if entry.until and day > entry.until
    ]
    return live, notes


def _place(entry: Ignore) -> str:
    return f"{entry.location.file}:{entry.location.line}"


def _stands_at(finding: Finding, where: str) -> bool:
    route = finding.route
    if route and (route == where or route.startswith(where.rstrip("/") + "/") or fnmatchcase(route, where)):
        return True
    path, colon, line = where.rpartition(":")
    if colon and line.isdecimal():
        return finding.location.line == int(line) and path_matches(finding.location.file, path)
    return path_matches(finding.location.file, where)
