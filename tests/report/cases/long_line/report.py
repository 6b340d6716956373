"""Excerpts that need care: an expanded macro, tabs, wide and combining characters, several lines."""

from __future__ import annotations

from ldcheck.findings import Finding, Severity
from ldcheck.report.model import Report
from ldcheck.source import Location, Related

LONG = "*(.a) " * 500 + "*(.data.*) " + "*(.b) " * 300

REPORT = Report(
    status=1,
    findings=tuple(
        Finding("rule", "check", Severity.ERROR, message, location, label="here", related=related)
        for message, location, related in (
            ("cut on both sides", Location("a.lds", 1, 3003, 1, 3010, LONG), ()),
            ("cut on the right", Location("a.lds", 2, 3, 2, 5, LONG), ()),
            ("cut on the left", Location("a.lds", 3, len(LONG) - 4, 3, len(LONG), LONG), ()),
            ("marked as a whole", Location("a.lds", 4, 1, 4, len(LONG) + 1, LONG), ()),
            ("tabs", Location("a.lds", 5, 3, 5, 8, "\t\t*(.a)\t/* x */"), ()),
            ("wide", Location("a.lds", 6, 10, 6, 13, "/* 漢字 */ x = e\u0301; \u202e"), ()),
            ("over several lines", Location("a.lds", 123456, 3, 123460, 4, "  .text : {"), ()),
            ("at the end of the line", Location("a.lds", 123470, 12, 123470, 12, "  .text : {"), ()),
            (
                "two places on a line",
                Location("a.lds", 123480, 9, 123480, 11, "a = 1; b = 2; a = 3;"),
                (Related(Location("a.lds", 123480, 1, 123480, 2, "a = 1; b = 2; a = 3;"), "first"),),
            ),
        )
    ),
)
