"""Comparisons as text for a terminal, JSON, Markdown for a pull request's comment, and annotations of GitHub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ldcheck.report.escape import command_message, command_property, inert, printable
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck.compare.configurations import Comparison
    from ldcheck.source import Location

# A comment may have 65,536 characters, and a summary more; a person reads far less.
_MOST_CHARACTERS = 60_000
# Findings of one step that GitHub shows.
_MOST_ANNOTATIONS = 10
HEADING = "## ldcheck diff"


def summary(comparison: Comparison, *, expected: bool) -> str:
    """The outcome in one sentence."""
    if comparison.proved:
        but = " (but for the order of symbols in the symbol tables)" if comparison.reordered else ""
        return f"the same image, whatever is linked: proved{but}"
    if comparison.entries:
        found = counted(len(comparison.entries), "difference")
        return f"{found}: it is not proved that the image is the same" if expected else found
    return f"nothing differs, which is not proved: {comparison.reason}"


def text(found: Mapping[str, Comparison], *, expected: bool) -> str:
    """For people, a paragraph for each entry."""
    lines: list[str] = []
    for name, comparison in found.items():
        for entry, condition in zip(comparison.entries, comparison.conditions, strict=True):
            place = entry.new or entry.old
            lines.append(f"{_at(place)}{entry.message}" if place is not None else entry.message)
            if entry.old is not None and entry.new is not None:
                lines.append(f"  it was at {_at(entry.old)}".rstrip(": "))
            lines += [f"  {fact}" for fact in entry.facts]
            lines += [f"  {condition}"] if condition else []
            lines.append("")
        lines.append(f"{name}: {summary(comparison, expected=expected)}")
    return "".join(f"{printable(line)}\n" for line in lines)


def json(found: Mapping[str, Comparison], *, expected: bool) -> str:
    """One object: for each script what differs and whether it is proved the same."""
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
        }
        for name, comparison in found.items()
    ]
    return dumps({"version": 1, "comparisons": listed}, indent=1) + "\n"


def markdown(found: Mapping[str, Comparison], *, expected: bool) -> str:
    """For a comment: a heading by which it is found again, a line for each script, and what differs folded away."""
    parts = [HEADING, ""]
    for name, comparison in found.items():
        line = f"**{inert(printable(name))}**: {inert(printable(summary(comparison, expected=expected)))}"
        if not comparison.entries:
            parts += [line, ""]
            continue
        parts += ["<details>", f"<summary>{line}</summary>", ""]
        for entry, condition in zip(comparison.entries, comparison.conditions, strict=True):
            place = entry.new or entry.old
            parts.append(f"- {inert(printable(f'{_at(place)}{entry.message}' if place else entry.message))}")
            parts += [f"  - {inert(printable(fact))}" for fact in (*entry.facts, *([condition] if condition else []))]
        parts += ["", "</details>", ""]
    whole = "\n".join(parts)
    if len(whole) <= _MOST_CHARACTERS:
        return whole
    # Cut at a line, and every element that is open there closed again.
    cut = whole[: whole.rfind("\n", 0, _MOST_CHARACTERS)]
    closing = "\n\n</details>" if cut.count("<details>") > cut.count("</details>") else ""
    return f"{cut}{closing}\n\nThe rest is left out here: it is too long for a comment.\n"


def github(found: Mapping[str, Comparison], *, expected: bool) -> str:
    """An annotation for each entry that has a place, at the line of the cause."""
    kind = "error" if expected else "notice"
    lines: list[str] = []
    for comparison in found.values():
        for entry, condition in list(zip(comparison.entries, comparison.conditions, strict=True)):
            if entry.new is not None and len(lines) < _MOST_ANNOTATIONS:
                message = "\n".join(map(printable, (entry.message, *entry.facts, *([condition] if condition else []))))
                where = f"file={command_property(printable(entry.new.file))},line={entry.new.line},title=ldcheck diff"
                lines.append(f"::{kind} {where}::{command_message(message)}\n")
    return "".join(lines) + "".join(
        f"{command_message(printable(name))}: {command_message(printable(summary(comparison, expected=expected)))}\n"
        for name, comparison in found.items()
    )


def _at(place: Location | None) -> str:
    return "" if place is None else f"{place.file}:{place.line}:{place.column}: "


def _json_place(place: Location | None) -> dict[str, object] | None:
    return None if place is None else {"file": place.file, "line": place.line, "column": place.column}


FORMATS: Mapping[str, Callable[..., str]] = {"text": text, "json": json, "markdown": markdown, "github": github}
