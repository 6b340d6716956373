"""A fault in a header that two targets share, one that only one has, and rules not checked for different reasons."""

from __future__ import annotations

from ldcheck.findings import Finding, RuleResult, Severity, Verdict
from ldcheck.report.model import Report
from ldcheck.source import Location, Related

REPORT = Report(
    status=1,
    findings=(
        *(
            Finding(
                rule="bss-swept-up",
                check="orphan-section",
                severity=Severity.NOTE,
                message="no pattern takes .bss.foo",
                location=Location("xen/include/xen/xen.lds.h", 12, 2, 12, 9, "\t*(.bss) \\"),
                label="takes .bss alone",
                related=(
                    Related(Location("xen/arch/xen.lds.S", 204, 3, 204, 7, "  BSS"), "expanded here"),
                    Related(
                        Location("xen/arch/xen.lds.S", 9, 1, 9, 28, "#include <xen/xen.lds.h>   "), "included here"
                    ),
                    Related(Location("xen-syms"), "the image"),
                ),
                why="an orphan may lie\n  behind __bss_end",
                target=target,
            )
            for target in ("xen/x86", "xen/arm")
        ),
        Finding(
            rule="efi-only",
            check="orphan-section",
            severity=Severity.WARNING,
            message="no pattern takes .reloc",
            location=Location("xen/include/xen/xen.lds.h", 14, 1, 14, 3, "END"),
            target="xen/arm",
        ),
    ),
    rules=tuple(
        RuleResult(name, "empty", verdict, reason, (), target)
        for target in ("xen/x86", "xen/arm")
        for name, verdict, reason in (
            ("got", Verdict.NOT_CHECKED, "no ELF, give --elf"),
            ("plt", Verdict.NOT_CHECKED, "no ELF, give --elf"),
            ("rela", Verdict.NOT_CHECKED, "no ELF, give --elf"),
            ("size", Verdict.NOT_CHECKED, "no ELF, give --elf"),
            ("span", Verdict.NOT_CHECKED, "no ELF, give --elf"),
            ("padding", Verdict.NOT_CHECKED, "no map, give --map"),
            ("bss-swept-up", Verdict.VIOLATED, ""),
        )
    ),
)
