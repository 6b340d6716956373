"""ALIGNs that align nothing.

## What it does
Reports `. = ALIGN(n)` right ahead of an output section that goes to a memory region, and `symbol = ALIGN(n)` behind
the last input of an output section.

## Why is this bad
A section in a memory region starts where the region's previous section ended, whatever the location counter is. And
`end = ALIGN(n)` gives the symbol an address that the section does not reach: it may lie inside the next section.

## Example
    . = ALIGN(512);
    .vectors : { *(.vectors) _end_vectors = ALIGN(8); } > FLASH

## Use instead
    .vectors : ALIGN(512) { *(.vectors) . = ALIGN(8); _end_vectors = .; } > FLASH

## Limits
An ALIGN that has no effect because the counter happens to be aligned is not looked at.

## References
GNU ld manual, "Memory Regions", "Builtin Functions" (ALIGN).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import (
    Assignment,
    Call,
    InputSectionDescription,
    Node,
    OutputSection,
    SectionGroup,
    Sections,
)
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "ALIGNs that align nothing."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each ALIGN without effect."""
    problems: list[Problem] = []
    for node in view.statements:
        if isinstance(node, Sections | SectionGroup):
            problems += _ahead_of_regions(node.statements, view)
        elif isinstance(node, OutputSection):
            problems += _at_the_end(node, view)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _aligns(node: Node) -> bool:
    """Whether the node is `symbol = ALIGN(n)` of the location counter."""
    if not isinstance(node, Assignment) or not isinstance(node.value, Call) or node.operator != "=":
        return False
    return node.value.function == "ALIGN" and len(node.value.arguments) == 1


def _ahead_of_regions(nodes: Sequence[Node], view: ScriptView) -> Iterator[Problem]:
    for first, second in pairwise(nodes):
        if not isinstance(second, OutputSection) or second.region is None or second.address is not None:
            continue
        if isinstance(first, Assignment) and first.target.text == "." and _aligns(first):
            yield view.problem(
                first,
                second.name.text,
                f"this ALIGN has no effect on {second.name.text}, which goes to {second.region.text}",
                label="the region goes on where its last section ended",
                related=(Related(view.locate(second.region), "placed by this region"),),
                help=f"give the section the attribute: `{second.name.text} : ALIGN(...) {{`",
            )


def _at_the_end(section: OutputSection, view: ScriptView) -> Iterator[Problem]:
    behind = list(section.statements)
    while behind and any(isinstance(node, InputSectionDescription) for node in behind):
        behind.pop(0)
    for at, node in enumerate(behind):
        moved = any(isinstance(other, Assignment) and other.target.text == "." for other in behind[at + 1 :])
        if isinstance(node, Assignment) and node.target.text != "." and _aligns(node) and not moved:
            name = node.target.text
            yield view.problem(
                node,
                name,
                f"{name} is aligned, and {section.name.text} does not reach it",
                label="does not move the location counter",
                help=f"write `. = ALIGN(...); {name} = .;`",
            )
