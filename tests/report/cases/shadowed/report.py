from __future__ import annotations

from ldcheck.findings import Edit, EvidenceKind, Finding, Fix, RuleResult, Safety, Severity, Verdict
from ldcheck.report.model import Report
from ldcheck.source import Location, Related

SCRIPT = "xen/arch/arm/xen.lds.S"

REPORT = Report(
    status=1,
    findings=(
        Finding(
            rule="read-mostly-not-shadowed",
            check="no-wildcard-may-shadow",
            severity=Severity.ERROR,
            message="`.data.*` takes .data.read_mostly ahead of its own pattern",
            location=Location(SCRIPT, 97, 16, 97, 23, "       *(.data .data.*)"),
            label="the first pattern that matches takes the section",
            related=(Related(Location(SCRIPT, 112, 10, 112, 27, "       *(.data.read_mostly)"), "never reached"),),
            facts=("in the image: 8,200 bytes (1 input section) are in .data at 0x2ca380; .data.read_mostly is empty",),
            route="SECTIONS/.data/0",
            configurations="only with CONFIG_CC_SPLIT_SECTIONS",
            evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
            witness=".data.read_mostly",
            why="read-mostly data shares cache lines and pages with data that is written all the time",
            help="move line 112 ahead of line 97",
            see=("https://sourceware.org/binutils/docs/ld/Input-Section-Basics.html",),
            target="xen/arm",
            fix=Fix(
                (
                    Edit(Location(SCRIPT, 97, 1, 97, 1, "       *(.data .data.*)"), "       *(.data.read_mostly)\n"),
                    Edit(Location(SCRIPT, 112, 1, 113, 1, "       *(.data.read_mostly)"), ""),
                ),
                "move line 112 ahead of line 97",
                Safety.SAFE,
                "tried in 4 configurations: the finding is gone, and nothing is new",
            ),
        ),
        Finding(
            rule="read-mostly-page-aligned",
            check="align",
            severity=Severity.WARNING,
            message=".data.read_mostly is page aligned in this image, but the script does not guarantee it",
            location=Location(SCRIPT, 111, 3, 111, 20, "  .data.read_mostly : {"),
            label="starts where .rodata ends",
            route="SECTIONS/.data.read_mostly",
            evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
            help="look at what stands in front of it",
            verdict=Verdict.UNPROVEN,
            target="xen/arm",
            # A draft: nobody tried it, so no format offers it to be applied.
            fix=Fix(
                (Edit(Location(SCRIPT, 111, 3, 111, 3, "  .data.read_mostly : {"), ". = ALIGN(PAGE_SIZE);\n  "),),
                "put `. = ALIGN(PAGE_SIZE);` in front of it",
            ),
        ),
    ),
    rules=(
        RuleResult(
            "read-mostly-not-shadowed",
            "no-wildcard-may-shadow",
            Verdict.VIOLATED,
            "`.data.*` takes .data.read_mostly ahead of its own pattern",
            (EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
            "xen/arm",
        ),
        RuleResult("read-mostly-page-aligned", "align", Verdict.UNPROVEN, "", (EvidenceKind.SCRIPT,), "xen/arm"),
        RuleResult("got-empty", "empty", Verdict.HELD, "", (EvidenceKind.IMAGE,), "xen/arm"),
        RuleResult("padding", "padding", Verdict.NOT_CHECKED, "no map, give --map", (), "xen/arm"),
        RuleResult("pe-base", "place", Verdict.NOT_APPLICABLE, "only for x86, this is arm64", (), "xen/arm"),
    ),
    inputs={"script": (SCRIPT,), "image": ("xen-syms",), "policy": ("xen/arm",)},
)
