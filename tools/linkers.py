"""Writes the table of docs/explanation/linkers.md from the differences that ldcheck knows: `python -m tools.linkers`.

A test holds the page to them, and others hold them to what the linkers do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ldcheck.script.difference import Way
from ldcheck.script.differences import DIFFERENCES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "linkers.md"
_HEAD = "| construct | GNU ld | lld |\n| --- | --- | --- |\n"


def table() -> str:
    """The differences as a table in Markdown."""
    rows = (
        f"| {one.construct.replace('|', chr(92) + '|')} | {_ways(one.gnu)} | {_ways(one.lld)} |" for one in DIFFERENCES
    )
    return _HEAD + "".join(f"{row}\n" for row in rows)


def _ways(ways: Sequence[Way]) -> str:
    first, *later = ways
    return first.does + "".join(f"; {'.'.join(map(str, way.since))} and newer: {way.does}" for way in later)


def page(text: str) -> str:
    """The page with the table of today in place of the one that `text` has."""
    before, _, rest = text.partition(_HEAD)
    return before + table() + "\n" + rest.partition("\n\n")[2]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
