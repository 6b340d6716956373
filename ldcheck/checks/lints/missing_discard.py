"""Sections that refer to what the script discards, and are kept.

## What it does
Where the script discards exit code (`.text.exit`, `.exit.text`), reports `.fini_array` and `.dtors` that it keeps.

## Why is this bad
They hold the addresses of the discarded functions. GNU ld refuses the link in the one configuration that has such a
reference ("defined in discarded section"), as lld does since 19 at the latest; older versions leave a zero in the
table, which whoever walks it calls.

## Example
    .rodata : { *(.rodata) *(.fini_array) }
    /DISCARD/ : { *(.exit.text) }

## Use instead
    /DISCARD/ : { *(.exit.text) *(.fini_array .fini_array.* .dtors .dtors.*) }

## Limits
Targets that never emit one of these need no statement for it; then the report is superfluous: allow it. Unwind tables
(`.eh_frame`, `.gcc_except_table`) and debugging information may be kept: the linkers take out what they say of
discarded functions, or leave it without a word. So it is with the index of Arm (`.ARM.exidx.exit.text`), but that GNU
ld refuses the link where that of discarded code comes first of all.

## References
GNU ld manual, "Output Section Discarding".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.sections.reach import first_taker
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Sections that refer to what is discarded, and are kept."),
    evidence=(EvidenceKind.SCRIPT,),
)

_EXIT = (".text.exit", ".exit.text")
# Not .eh_frame and debugging information, which the linkers edit.
_REFERRING = (".fini_array", ".dtors")


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each section that is kept beside discarded exit code."""
    takers = [taker for name in _EXIT if (taker := first_taker(view.rules, name)) is not None and taker.discards]
    if not takers:
        return Judgement(Standing.HOLDS, reason="the script discards no exit code")
    problems = []
    for name in _REFERRING:
        kept = first_taker(view.rules, name)
        # What nothing takes may not exist for this target: only a statement that keeps it is a contradiction.
        if kept is None or kept.discards:
            continue
        problem = view.problem(
            kept.node,
            name,
            f"{name} is kept, and refers to exit code that is discarded",
            label=f"puts it into {kept.output}",
            related=(Related(view.locate(takers[0].node), "discarded here"),),
            help=f"discard {name} as well",
        )
        problems.append(problem)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))
