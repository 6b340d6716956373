"""Findings that were accepted when ldcheck was adopted: a file that counts them by rule, file and route.

Edits elsewhere do not disturb it, as it holds no lines. What is over the count of an entry is new and fails; what is
below it was fixed, and fails until the entry is pruned, so that a mended fault cannot come back unnoticed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ldcheck.findings import Finding, RuleResult, Severity, Verdict
from ldcheck.record import dataclass, replace
from ldcheck.source import Location

VERSION = 1
# Whoever adopts ldcheck may have thousands of findings: more than any policy is long.
_LARGEST = 16 << 20
STALE = "stale-baseline"
# What YAML makes flags of, or nothing.
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
_HEAD = """\
# Findings that are accepted for now: `ldcheck check --baseline` fails for those that are new, and for entries here that
# were mended. `ldcheck baseline` writes this file, `ldcheck baseline --prune` takes out what was mended.
"""


class Key(NamedTuple):
    """What makes findings one entry. `file` is relative to the baseline's folder, `route` is the symbolic place."""

    rule: str
    file: str
    route: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Entry:
    """An accepted number of findings, why they are accepted, and where that is written."""

    key: Key
    count: int
    reason: str
    location: Location


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Applied:
    """The findings that a baseline leaves, stale entries among them, and those that it accepts, with its reasons."""

    findings: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, str], ...]


def read(path: str) -> tuple[Entry, ...]:
    """The entries of a baseline. Raises CheckError with everything that is wrong in it."""
    from ldcheck.documents.files import read_source
    from ldcheck.documents.nodes import as_integer, as_list, as_mapping, fail, unknown_keys
    from ldcheck.documents.parser import load_document
    from ldcheck.findings import CheckError, InputError

    root = as_mapping(load_document(read_source(path, "baseline", _LARGEST), _LARGEST), "the baseline")
    errors = unknown_keys(root, ("ldcheck-baseline", "findings"), "a baseline")
    version = root.get("ldcheck-baseline")
    if version is None or as_integer(version, "`ldcheck-baseline`") != VERSION:
        fail(version or root, f"no `ldcheck-baseline: {VERSION}`: is this a baseline?")
    listed = root.get("findings")
    entries: list[Entry] = []
    seen: dict[Key, Entry] = {}
    for node in as_list(listed, "`findings`") if listed is not None else ():
        try:
            entry = _entry(as_mapping(node, "an entry"))
        except CheckError as error:
            errors += error.errors
            continue
        if entry.key in seen:
            errors.append(InputError("this entry stands twice", entry.location, help="keep one of them"))
        seen[entry.key] = entry
        entries.append(entry)
    if errors:
        raise CheckError(*errors)
    return tuple(entries)


def _entry(node: object) -> Entry:
    from ldcheck.documents.nodes import MappingNode, as_integer, as_text, fail, unknown_keys
    from ldcheck.findings import CheckError

    assert isinstance(node, MappingNode)
    keys = ("rule", "file", "route", "count", "reason")
    errors = unknown_keys(node, keys, "an entry of a baseline")
    if errors:
        raise CheckError(*errors)
    texts = {}
    for name in ("rule", "file", "route", "reason"):
        value = node.get(name)
        if value is None and name != "route":
            fail(node, f"an entry of a baseline needs `{name}`")
        texts[name] = as_text(value, f"`{name}`") if value is not None else ""
    count_node = node.get("count")
    count = as_integer(count_node, "`count`") if count_node is not None else 1
    if count_node is not None and count < 1:
        fail(count_node, "`count` must be 1 or more")
    place = node.keys["rule"].location
    return Entry(Key(texts["rule"], texts["file"], texts["route"]), count, texts["reason"], place)


def apply(
    findings: Sequence[Finding],
    entries: Iterable[Entry],
    path: str,
    results: Collection[RuleResult],
    files: Collection[str] | None = None,
) -> Applied:
    """Take the accepted findings out.

    `path` is the baseline's. `files` are what was judged, None for the whole project. Stale entries are looked for only
    there, and only among rules that were judged: a run on another script, or without the ELF file, cannot tell that
    something was mended.
    """
    folder = os.path.dirname(path)
    found: dict[Key, list[Finding]] = {}
    for finding in findings:
        found.setdefault(key_of(finding, folder), []).append(finding)
    kept: list[Finding] = []
    accepted: list[tuple[Finding, str]] = []
    unjudged = {result.rule for result in results if result.verdict is Verdict.NOT_CHECKED}
    known: dict[Key, Entry] = {entry.key: entry for entry in entries}
    for key, same in found.items():
        entry = known.get(key)
        count = _most(same)
        if entry is None:
            kept += same
        elif count > entry.count:
            fact = f"the baseline accepts {entry.count} of these {count}"
            kept += [replace(finding, facts=(*finding.facts, fact)) for finding in same]
        else:
            accepted += [(finding, entry.reason) for finding in same]
    for key, entry in known.items():
        count = _most(found.get(key, ()))
        seen = files is None or os.path.normpath(os.path.join(folder, key.file)) in files
        if seen and count < entry.count and key.rule not in unjudged:
            kept.append(_stale(entry, count, path))
    return Applied(tuple(kept), tuple(accepted))


def key_of(finding: Finding, folder: str) -> Key:
    """The entry that a finding belongs to, in a baseline that lies in `folder`."""
    file = finding.location.file
    if not file.startswith("<"):
        file = os.path.relpath(file, folder or ".").replace(os.sep, "/")
    return Key(finding.rule, file, finding.route or finding.witness)


def _most(findings: Iterable[Finding]) -> int:
    """How many findings one target has at most: what several targets share is one fault."""
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.target] = counts.get(finding.target, 0) + 1
    return max(counts.values(), default=0)


def _stale(entry: Entry, count: int, path: str) -> Finding:
    where = f" at {entry.key.route}" if entry.key.route else ""
    accepted = "1 finding" if entry.count == 1 else f"{entry.count:,} findings"
    return Finding(
        rule=STALE,
        check="baseline",
        severity=Severity.ERROR,
        message=f"{accepted} of {entry.key.rule} in {entry.key.file}{where} accepted, and there is {count or 'none'}",
        location=entry.location,
        route=f"{entry.key.rule}/{entry.key.file}/{entry.key.route}",
        why="an entry that nothing needs would let the same fault come back unnoticed",
        help=f"run `ldcheck baseline --prune {path}` with the arguments of this check",
    )


def updated(
    findings: Sequence[Finding], old: Iterable[Entry], path: str, reason: str, *, prune: bool
) -> tuple[Entry, ...]:
    """The entries for what is found now, sorted; those that stay keep their reason, new ones get `reason`.

    With `prune` nothing is added, and no count grows.
    """
    folder = os.path.dirname(path)
    found: dict[Key, list[Finding]] = {}
    for finding in findings:
        found.setdefault(key_of(finding, folder), []).append(finding)
    known = {entry.key: entry for entry in old}
    entries = []
    for key in sorted(found):
        entry = known.get(key)
        count = _most(found[key])
        if prune and entry is None:
            continue
        if prune and entry is not None:
            count = min(count, entry.count)
        entries.append(Entry(key, count, entry.reason if entry is not None else reason, found[key][0].location))
    return tuple(entries)


def text_of(entries: Iterable[Entry]) -> str:
    """A baseline as it is written to a file."""
    lines = [_HEAD, f"ldcheck-baseline: {VERSION}\n"]
    body = [_lines(entry) for entry in entries]
    lines.append("findings:\n" + "".join(body) if body else "findings: []\n")
    return "".join(lines)


def _lines(entry: Entry) -> str:
    values: Mapping[str, str] = {
        "rule": _quoted(entry.key.rule),
        "file": _quoted(entry.key.file),
        **({"route": _quoted(entry.key.route)} if entry.key.route else {}),
        "count": str(entry.count),
        "reason": _quoted(entry.reason),
    }
    first, *rest = (f"{name}: {value}\n" for name, value in values.items())
    return f"  - {first}" + "".join(f"    {line}" for line in rest)


def _quoted(text: str) -> str:
    """A YAML scalar; JSON's strings are YAML's, for whatever is not plain."""
    from json import dumps

    from ldcheck.source import exact

    plain = text.replace("/", "").replace("-", "").replace("_", "").replace(".", "")
    sure = plain.isalnum() and plain.isascii() and text[0].isalpha() and text.lower() not in _WORDS
    return text if sure else dumps(exact(text))
