"""Suppression in the source: `/* ldcheck: allow(rule-id) -- reason */` on the line that it is about, or ahead of it.

Comments do not survive preprocessing, so they are read from the files that people edit: the script, and the headers for
linker scripts. A comment that stands beside code is about the lines that it stands on; one that stands alone is about
the next line of code. The reason is required, and an allowance that allows nothing is reported: both findings are of
the check `allowance`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from ldcheck.findings import Finding, Severity
from ldcheck.record import dataclass
from ldcheck.source import Location, Source

CHECK = "allowance"
MALFORMED = "malformed-allowance"
UNUSED = "unused-allowance"
# How many blanks and comments may stand between an allowance and its code.
MAX_SKIPPED = 100
FORM = "/* ldcheck: allow(rule-id) -- reason */"

# A line that begins with # is a comment for ld; a directive is none, but may have one behind it.
_DIRECTIVE = r"(?:define|undef|include|if|ifdef|ifndef|elif|else|endif|error|warning|pragma|line)\b"
_COMMENT = re.compile(
    rf'/\*.*?(?:\*/|\Z)|//[^\n]*|^[ \t]*\#(?![ \t]*{_DIRECTIVE})[^\n]*|"(?:[^"\\\n]|\\.)*"', re.DOTALL | re.MULTILINE
)
_MARK = re.compile(r"(?:/\*|//|\#)[\s*#!/]*(ldcheck\s*:\s*)(.*?)\s*(?:\*/)?\s*\Z", re.DOTALL)
_ALLOW = re.compile(r"allow\s*\(([^()]*)\)\s*(.*)\Z", re.DOTALL)
_REASON = re.compile(r"(?:--|—|–|:|-)\s*(.*\w.*)\Z", re.DOTALL)
_ID = re.compile(r"[A-Za-z0-9][\w./-]*\Z")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Allowance:
    """A comment that allows findings of `rules` (ids of rules or names of checks) on lines `first` to `last`."""

    rules: tuple[str, ...]
    reason: str
    location: Location
    first: int
    last: int

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is what is allowed: at its place, or where the macro that it lies in is used."""
        if {finding.rule, finding.check, *finding.also}.isdisjoint(self.rules):
            return False
        places = [finding.location]
        places += [related.location for related in finding.related if related.label.endswith("is used here")]
        return any(self._covers(place) for place in places)

    def _covers(self, place: Location) -> bool:
        return self.first <= place.line <= self.last and _same_file(place.file, self.location.file)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Allowances:
    """What the comments of some files allow, and findings about comments that are malformed."""

    found: tuple[Allowance, ...]
    malformed: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Applied:
    """Findings sorted by allowances: those that remain, those that are allowed, and findings on unused allowances."""

    kept: tuple[Finding, ...]
    allowed: tuple[tuple[Finding, Allowance], ...]
    unused: tuple[Finding, ...]


def read_allowances(sources: Iterable[Source]) -> Allowances:
    """The allowances in the comments of the files that people edit."""
    found: list[Allowance] = []
    malformed: list[Finding] = []
    seen: set[str] = set()
    for source in sources:
        if source.name in seen or "ldcheck" not in source.text:
            continue
        seen.add(source.name)
        for match in _COMMENT.finditer(source.text):
            mark = _MARK.match(match.group()) if "ldcheck" in match.group() else None
            if mark is None:
                continue
            start = match.start() + mark.start(1)
            result = _read(source, mark.group(2), start, match)
            if isinstance(result, Allowance):
                found.append(result)
            else:
                malformed.append(result)
    return Allowances(tuple(found), tuple(malformed))


def _read(source: Source, text: str, start: int, comment: re.Match[str]) -> Allowance | Finding:
    end = start + len(comment.group()) - (start - comment.start())
    location = source.locate(start, end)
    allow = _ALLOW.match(text)
    if allow is None:
        return _malformed(location, "this comment speaks to ldcheck and says nothing that it understands")
    rules = tuple(rule.strip() for rule in allow.group(1).split(","))
    wrong = next((rule for rule in rules if not _ID.match(rule)), None)
    if wrong is not None:
        said = f"`{wrong[:40]}` is no id of a rule" if wrong else "this allowance names no rule"
        return _malformed(location, said)
    reason = _REASON.match(allow.group(2))
    if reason is None:
        return _malformed(location, f"the allowance of {', '.join(rules)} gives no reason")
    first, last = _lines(source, comment)
    return Allowance(rules, " ".join(reason.group(1).split()), location, first, last)


def _lines(source: Source, comment: re.Match[str]) -> tuple[int, int]:
    """The lines that a comment is about."""
    first = source.position(comment.start())[0]
    last = source.position(max(comment.end() - 1, comment.start()))[0]
    before = source.text[source.line_starts[first - 1] : comment.start()]
    stop = source.text.find("\n", comment.end())
    after = source.text[comment.end() : len(source.text) if stop < 0 else stop]
    if _says_something(before) or _says_something(after):
        return first, last
    # Alone on its lines: it is about the next line of code, further comments in between.
    at = comment.end()
    for match in islice(_SKIPPED.finditer(source.text, at), MAX_SKIPPED):
        if match.start() != at:
            break
        at = match.end()
    return first, source.position(at)[0] if at < len(source.text) else last


_SKIPPED = re.compile(r"\s+|\\(?=\s)|/\*.*?\*/|//[^\n]*", re.DOTALL)


def _says_something(text: str) -> bool:
    return bool(_SKIPPED.sub("", text).strip("\\ \t\r"))


def _malformed(location: Location, message: str) -> Finding:
    return Finding(MALFORMED, CHECK, Severity.ERROR, message, location, help=f"write it as {FORM}")


def apply_allowances(
    findings: Sequence[Finding], allowances: Sequence[Allowance], judged: Collection[str] | None = None
) -> Applied:
    """Take the findings away that are allowed.

    `judged` are the ids and checks of the rules that were judged, where that was only a choice of them: an allowance
    of others is not reported as unused. Apply it once, to the findings of all targets: a header serves several.
    """
    kept: list[Finding] = []
    allowed: list[tuple[Finding, Allowance]] = []
    used: set[int] = set()
    for finding in findings:
        covering = [allowance for allowance in allowances if allowance.covers(finding)]
        used.update(id(allowance) for allowance in covering)
        if covering:
            allowed.append((finding, covering[0]))
        else:
            kept.append(finding)
    unused = []
    for allowance in allowances:
        if id(allowance) not in used and (judged is None or any(rule in judged for rule in allowance.rules)):
            message = f"nothing is found here that {', '.join(allowance.rules)} would have to allow"
            advice = "remove the comment"
            unused.append(Finding(UNUSED, CHECK, Severity.WARNING, message, allowance.location, help=advice))
    return Applied(tuple(kept), tuple(allowed), tuple(unused))


def _same_file(one: str, other: str) -> bool:
    return one == other or os.path.normpath(one) == os.path.normpath(other)
