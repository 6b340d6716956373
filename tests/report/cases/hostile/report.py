"""Names that would speak to a terminal, a runner, a page or a table if they came through as they are."""

from __future__ import annotations

from ldcheck.findings import Edit, Finding, Fix, InputError, RuleResult, Safety, Severity, Verdict
from ldcheck.report.model import Report
from ldcheck.source import Location, Related

NAMES = (
    "::error::owned",
    "\x1b[31mred\x1b[0m",
    "%0A::warning::owned",
    "a\r\n::set-output name=x::y",
    "##[error]owned",
    "section_start:1:owned\r\x1b[0K",
    "<script>alert('1')</script>",
    "a|b`c*d_e[f](g)",
    "\u202egnp.elf\u2066\u200b\ufeff",
    "\udcff\udc00\ud800",
    "line\u2028separator\x85next",
    "]]>&amp;\"'",
    "x" * 10_000,
)

REPORT = Report(
    status=2,
    findings=tuple(
        Finding(
            rule=name,
            check=name,
            severity=Severity.ERROR,
            message=name,
            location=Location(name, at, 3, at, 3 + len(name), f"*({name})"),
            label=name,
            related=(
                Related(Location(name, at + 1, 1, at + 1, 2, name), name),
                Related(Location(f"other {name}"), name),
            ),
            facts=(name,),
            route=name,
            configurations=name,
            witness=name,
            why=name,
            help=name,
            see=(name,),
            target=name,
            fix=Fix((Edit(Location(name, at, 1, at + 1, 1, name), name),), name, Safety.UNSAFE, name),
        )
        for at, name in enumerate(NAMES, 1)
    ),
    rules=tuple(RuleResult(name, name, Verdict.NOT_CHECKED, name, (), name) for name in NAMES),
    errors=tuple(InputError(name, Location(name, 1, 1, 1, 2, name), name, name) for name in NAMES),
    inputs={"script": NAMES},
    notes=NAMES,
)
