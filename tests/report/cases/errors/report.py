from __future__ import annotations

from ldcheck.findings import InputError
from ldcheck.report.model import Report
from ldcheck.source import Location, Related

REPORT = Report(
    status=2,
    errors=(
        InputError("is a directory, not an ELF file", Location("build"), help="name the linked file"),
        InputError(
            "the key `align` is given twice",
            Location("policy.yaml", 7, 5, 7, 10, "    align: .data"),
            label="given again",
            related=(Related(Location("policy.yaml", 4, 5, 4, 10, "    align: .text"), "first given here"),),
            help="keep one of them, or write two rules",
        ),
    ),
    notes=("generated/autoconf.h was not found; an empty one was used",),
)
