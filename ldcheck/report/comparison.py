"""Comparisons as text for a terminal, JSON, Markdown for a comment, HTML, and annotations of GitHub and GitLab."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.compare.moves import follows
from ldcheck.report import builds as built
from ldcheck.report.escape import clipped, command_message, command_property, inert, log_text, printable
from ldcheck.report.options import Options
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck.compare.configurations import Comparison
    from ldcheck.source import Location

Found = Mapping[str, "Comparison"]

# A comment of GitHub may have 65,536 characters and a note of GitLab a million; a person reads far less.
_MOST_CHARACTERS = 60_000
# Findings of one step that GitHub shows.
_MOST_ANNOTATIONS = 10
# What a job finds its own comment by.
HEADING = "## ldcheck diff"
MARKER = "<!-- ldcheck diff -->"


class _Remark(NamedTuple):
    """One thing to be read: how grave, where, what, and what follows from it."""

    grave: bool
    place: Location | None
    message: str
    facts: tuple[str, ...]


def _remarks(comparison: Comparison, *, expected: bool) -> Iterator[_Remark]:
    """What is not as expected first, then causes; `expected` says that the scripts were to be proved the same."""
    for error in comparison.errors:
        yield _Remark(True, error.location, error.message, (error.help,) if error.help else ())
    for unmet in comparison.unmet:
        yield _Remark(True, unmet.place, unmet.message, ())
    causes = [*built.causes(comparison.builds)] if comparison.builds is not None else []
    for entry, condition in zip(comparison.entries, comparison.conditions, strict=True):
        following = [cause for cause in causes if cause.move is not None and follows(cause.move, entry.spans)]
        causes = [cause for cause in causes if cause not in following]
        told = [fact for cause in following for fact in (cause.message, *cause.facts)]
        facts = (*entry.facts, *told, *([condition] if condition else []))
        if entry.new is not None and entry.old is not None:
            facts = (f"it was at {_at(entry.old)}".rstrip(": "), *facts)
        yield _Remark(expected, entry.new or entry.old, entry.message, facts)
    for cause in causes:
        yield _Remark(False, cause.place, cause.message, cause.facts)
    for change in comparison.verdicts:
        yield _Remark(False, change.place, change.message, ())


def summary(comparison: Comparison, *, expected: bool) -> str:
    """The outcome in one sentence."""
    if comparison.errors:
        return comparison.reason
    parts = [_scripts(comparison, expected=expected)] if comparison.compared or comparison.builds is None else []
    if comparison.builds is not None:
        parts.append(built.summary(comparison.builds))
    if comparison.verdicts:
        kinds = Counter(change.kind for change in comparison.verdicts)
        worded = {"violated": "new violation", "mended": "rule mended", "unchecked": "rule no longer checked"}
        parts.append(", ".join(_numbered(kinds[kind], words) for kind, words in worded.items() if kinds[kind]))
    if comparison.unmet:
        parts.append(f"{counted(len(comparison.unmet), 'expectation')} not met")
    return "; ".join(parts)


def _numbered(count: int, words: str) -> str:
    """`1 rule mended`, `2 rules mended`, `2 new violations`."""
    plural = words.replace("rule", "rules", 1) if "rule" in words else f"{words}s"
    return f"{count:,} {words if count == 1 else plural}"


def _scripts(comparison: Comparison, *, expected: bool) -> str:
    if comparison.proved:
        but = " (but for the order of symbols in the symbol tables)" if comparison.reordered else ""
        return f"the same image, whatever is linked: proved{but}"
    if comparison.entries:
        found = counted(len(comparison.entries), "difference")
        return f"{found}: it is not proved that the image is the same" if expected else found
    return f"nothing differs, which is not proved: {comparison.reason}"


def text(found: Found, _: Options, *, expected: bool) -> str:
    """For people, a paragraph for each entry."""
    lines: list[str] = []
    for name, comparison in found.items():
        for remark in _remarks(comparison, expected=expected):
            error = "error: " if remark.grave and not comparison.entries else ""
            lines.append(f"{_at(remark.place)}{error}{remark.message}")
            lines += [f"  {fact}" for fact in remark.facts]
            lines.append("")
        if comparison.builds is not None:
            for table in built.tables(comparison.builds):
                lines += [*built.aligned(table), ""]
            lines += built.rest(comparison.builds)
        lines.append(f"{name}: {summary(comparison, expected=expected)}")
    return log_text("".join(f"{printable(line)}\n" for line in lines))


def json(found: Found, _: Options, *, expected: bool) -> str:
    """One object: for each script or build what differs and whether it is proved the same."""
    from json import dumps

    listed = [
        {
            "script": name,
            "proved": comparison.proved,
            "summary": summary(comparison, expected=expected),
            "compared": comparison.compared,
            "reordered": comparison.reordered,
            "entries": [
                {
                    "kind": entry.kind,
                    "message": entry.message,
                    "old": _json_place(entry.old),
                    "new": _json_place(entry.new),
                    "facts": list(entry.facts),
                    "configurations": condition,
                }
                for entry, condition in zip(comparison.entries, comparison.conditions, strict=True)
            ],
            "builds": built.as_json(comparison.builds) if comparison.builds is not None else None,
            "verdicts": [
                {
                    "kind": change.kind,
                    "rule": change.rule,
                    "old": change.old.value if change.old is not None else None,
                    "new": change.new.value if change.new is not None else None,
                    "message": change.message,
                    "location": _json_place(change.place),
                }
                for change in comparison.verdicts
            ],
            "unmet": [{"message": one.message, "location": _json_place(one.place)} for one in comparison.unmet],
            "errors": [{"message": one.message, "location": _json_place(one.location)} for one in comparison.errors],
        }
        for name, comparison in found.items()
    ]
    return dumps({"version": 1, "comparisons": listed}, indent=1) + "\n"


def markdown(found: Found, _: Options, *, expected: bool) -> str:
    """For a comment: a heading by which it is found again, a line for each script, and what differs folded away."""
    parts = [HEADING, MARKER, ""]
    for name, comparison in found.items():
        line = f"**{_plain(name)}**: {_plain(summary(comparison, expected=expected))}"
        details = [*_markdown(comparison, expected=expected)]
        messages = [one.message for one in comparison.unmet] + [one.message for one in comparison.errors]
        missed = [f"- ❌ {_plain(message)}" for message in messages]
        if comparison.builds is not None:
            # How full memory is stands in sight.
            missed += [row for table in built.tables(comparison.builds) for row in _regions(table)]
        parts += [line, "", *missed, *([""] if missed else [])]
        if details:
            parts += ["<details>", "<summary>what differs</summary>", "", *details, "", "</details>", ""]
    whole = "\n".join(parts)
    if len(whole) <= _MOST_CHARACTERS:
        return whole
    # Cut at a line, and every element that is open there closed again.
    cut = whole[: whole.rfind("\n", 0, _MOST_CHARACTERS)]
    closing = "\n\n</details>" if cut.count("<details>") > cut.count("</details>") else ""
    return f"{cut}{closing}\n\nThe rest is left out here: it is too long for a comment.\n"


def _markdown(comparison: Comparison, *, expected: bool) -> Iterator[str]:
    for remark in _remarks(comparison, expected=expected):
        yield f"- {_plain(f'{_at(remark.place)}{remark.message}')}"
        yield from (f"  - {_plain(fact)}" for fact in remark.facts)
    if comparison.builds is None:
        return
    for table in built.tables(comparison.builds):
        if table.title != built.REGIONS:
            yield from ("", *_rows(table))
    yield ""
    yield from (f"{_plain(line)}  " for line in built.rest(comparison.builds))


def _regions(table: built.Table) -> Iterable[str]:
    return _rows(table) if table.title == built.REGIONS else ()


def _rows(table: built.Table) -> Iterator[str]:
    """A table of Markdown, its title in the first cell."""
    numbers = len(table.head) - (len(table.head) > 4)
    yield f"| {' | '.join(map(_plain, (table.title, *table.head[1:])))} |"
    yield f"|---|{'--:|' * (numbers - 1)}{'---|' * (len(table.head) - numbers)}"
    for row in table.rows:
        yield f"| {' | '.join(map(_plain, row))} |"
    if table.left_out:
        yield f"| and {table.left_out:,} more {'| ' * (len(table.head) - 1)}|"


def _plain(text: str) -> str:
    return inert(clipped(text))


def github(found: Found, options: Options, *, expected: bool) -> str:
    """An annotation for each entry that has a place, at the line of the cause; the gravest first."""
    lines: list[str] = []
    for comparison in found.values():
        for remark in _remarks(comparison, expected=expected):
            if len(lines) == _MOST_ANNOTATIONS or not (remark.grave or remark.place is not None):
                continue
            properties = ["title=ldcheck diff"]
            if remark.place is not None and remark.place.line:
                file = command_property(printable(options.path(remark.place.file)))
                properties = [f"file={file}", f"line={remark.place.line}", *properties]
            message = "\n".join(map(clipped, (remark.message, *remark.facts)))
            kind = "error" if remark.grave else "notice"
            lines.append(f"::{kind} {','.join(properties)}::{command_message(message)}\n")
    return "".join(lines) + log_text(
        "".join(
            f"{printable(name)}: {printable(summary(comparison, expected=expected))}\n"
            for name, comparison in found.items()
        )
    )


def gitlab(found: Found, options: Options, *, expected: bool) -> str:
    """GitLab's Code Quality report: an entry for each entry that has a place, known again by what it says."""
    from hashlib import sha256
    from json import dumps

    entries: dict[str, dict[str, object]] = {}
    for name, comparison in found.items():
        for remark in _remarks(comparison, expected=expected):
            if remark.place is None:
                continue
            path = printable(options.path(remark.place.file)).removeprefix("./")
            said = f"{name}\0{path}\0{remark.message}".encode("utf-8", "backslashreplace")
            lines = {"begin": max(remark.place.line, 1), "end": max(remark.place.end_line, remark.place.line, 1)}
            entries.setdefault(
                sha256(said).hexdigest()[:32],
                {
                    "description": ". ".join(map(clipped, (remark.message, *remark.facts))),
                    "check_name": "ldcheck diff",
                    "severity": "major" if remark.grave else "info",
                    "location": {"path": path, "lines": lines},
                },
            )
    return dumps([{**entry, "fingerprint": print_} for print_, entry in entries.items()]) + "\n"


def html(found: Found, _: Options, *, expected: bool) -> str:
    """One page, with both images side by side."""
    from ldcheck.report.comparison_html import Block, render

    blocks = []
    for name, comparison in found.items():
        remarks = [
            (remark.grave, _at(remark.place).rstrip(": "), remark.message, remark.facts)
            for remark in _remarks(comparison, expected=expected)
        ]
        tables = [*built.tables(comparison.builds)] if comparison.builds is not None else []
        rest = [*built.rest(comparison.builds)] if comparison.builds is not None else []
        blocks.append(Block(name, summary(comparison, expected=expected), remarks, tables, rest, comparison.pictures))
    return render(blocks)


def _at(place: Location | None) -> str:
    if place is None:
        return ""
    return f"{place.file}:{place.line}:{place.column}: " if place.line else f"{place.file}: "


def _json_place(place: Location | None) -> dict[str, object] | None:
    return None if place is None else {"file": place.file, "line": place.line, "column": place.column}


FORMATS: Mapping[str, Callable[..., str]] = {
    "text": text,
    "json": json,
    "markdown": markdown,
    "github": github,
    "gitlab": gitlab,
    "html": html,
}
