"""Load addresses that no region checks.

## What it does
Reports an output section that goes to a memory region and has `AT(expression)` in a script with MEMORY, in place of
`AT>`.

## Why is this bad
`AT> FLASH` counts the bytes against FLASH, and the link fails when it is full. `AT(expression)` escapes that: initial
values end up behind the end of the flash, and the board boots with garbage in .data.

## Example
    .data : AT(_etext) { *(.data) } > RAM

## Use instead
    .data : { *(.data) } > RAM AT> FLASH

## Limits
Where a later ASSERT bounds the load address, the report is superfluous: allow it there.

## References
GNU ld manual, "Output Section LMA".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import OutputSection

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Load addresses that no region checks."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each AT() of a section in a region."""
    problems = tuple(
        view.problem(
            node,
            node.name.text,
            f"nothing checks that the load address of {node.name.text} fits",
            at=node.load_address,
            label="AT() escapes the region's overflow check",
            help="name the region: `AT> FLASH`",
        )
        for node in view.statements
        if isinstance(node, OutputSection) and node.region is not None and node.load_address is not None
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)
