"""Findings that a policy takes otherwise: accepted ones (`ignore`), and other severities in some files (`paths`).

Both are about places in scripts, so they are applied to findings, when the rules have been judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ldcheck.documents import MappingNode, Node, as_scalar, fail, shown, unknown_keys
from ldcheck.findings import CheckError, Finding, InputError, Severity
from ldcheck.policy.language import IGNORE
from ldcheck.policy.rule import Ignore, Override
from ldcheck.policy.values import read_names, read_text
from ldcheck.record import dataclass, replace

if TYPE_CHECKING:
    from datetime import date

_KEYS = {key.name: key for key in IGNORE}


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


def path_matches(path: str, pattern: str) -> bool:
    """Whether a path matches a pattern, or ends with what does: `*` stays within a folder, `**` crosses folders.

    `*.lds.S` means such files anywhere, `arch/x86/**` whatever is below a folder `arch/x86`.
    """
    names = [name for name in path.replace("\\", "/").split("/") if name not in ("", ".")]
    wanted = [name for name in pattern.split("/") if name not in ("", ".")]
    if pattern.startswith("/"):
        return _match(names, wanted)
    return any(_match(names[start:], wanted) for start in range(len(names)))


def read_ignore(mapping: MappingNode) -> Ignore:
    """One entry of `ignore`. Raises CheckError with everything that is wrong in it."""
    errors = unknown_keys(mapping, _KEYS, "an entry of `ignore`")
    texts: dict[str, tuple[str, ...]] = {}
    for name, key in _KEYS.items():
        node = mapping.get(name)
        if node is None:
            if key.required:
                errors.append(InputError(f"an entry of `ignore` needs `{name}`", mapping.location, help=key.doc))
            continue
        try:
            if name == "reason":
                texts[name] = (read_text(key, node).text,)
            elif name == "until":
                texts[name] = (_day(node),)
            else:
                texts[name] = tuple(word.text for word in read_names(key, node))
        except CheckError as error:
            errors.extend(error.errors)
    if errors:
        raise CheckError(*errors)
    first = mapping.keys["rule"]
    return Ignore(
        rules=texts["rule"],
        where=texts.get("where", ()),
        reason=texts["reason"][0],
        until=texts.get("until", ("",))[0],
        place=first,
    )


def _day(node: Node) -> str:
    from datetime import date

    scalar = as_scalar(node, "`until`", "a day (YYYY-MM-DD)")
    try:
        return date.fromisoformat(scalar.text).isoformat()
    except ValueError:
        fail(scalar, f"`until` is `{shown(scalar.text)}` and must be a day such as 2027-06-30")


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


def _match(names: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether all the names match all the wanted ones. Steps over `**` one name at a time, in linear space."""
    reached = {0}
    for part in wanted:
        if part == "**":
            reached = set(range(min(reached, default=len(names) + 1), len(names) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(names) and fnmatchcase(names[at], part)}
    return len(names) in reached
