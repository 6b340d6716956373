"""An output section, a boundary symbol or a statement starts at a multiple of a boundary.

## What it does
From the script it proves (or fails to prove) that the address is a multiple in every link of this script: the location
counter is followed from statement to statement, and what the inputs bring is taken as unknown. In the image the real
address is looked up. A name that is an output section means its start; a symbol means its value; a section pattern
means the place where the first input section of that statement begins.

## Why is this bad
Page tables, the freeing of init memory and copy loops work in whole pages or words. A boundary that is aligned only
because of today's sizes in front of it moves with the next commit: read-mostly data then shares a page with read-only
data and faults at the first write, or a page that is still used is freed.

## Example
    rules:
      - id: read-mostly-page-aligned
        align: .data.read_mostly
        to: PAGE_SIZE

with

    .rodata : { *(.rodata) }
    .data.read_mostly : { *(.data.read_mostly) }

## Use instead
    .rodata : { *(.rodata) }
    . = ALIGN(4096);
    .data.read_mostly : { *(.data.read_mostly) }

## Limits
What only a section without a statement could move, an orphan, is a note. The first section of data in a memory region
has none in front of it.
`. = ALIGN(n)` ahead of an output section that goes to a memory region has no effect; use the section's own ALIGN(n).
A boundary of at most 8 bytes at the very start of an output section is a note where the script leaves it to the inputs:
there is a word among them as a rule. Give the rule a severity where that is not enough.
Where an ALIGN is made of a symbol that the script does not define, only a link decides. What hangs on a macro of which
nobody knows what it stands for (its header is missing, or a condition only asks about it) is not checked.
Relocating the whole image at run time is outside: the proof is about link-time addresses.

## References
GNU ld manual, "Builtin Functions" (ALIGN), "Forced Output Alignment", "Memory Regions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldcheck.findings import EvidenceKind, Fix, Judgement, Severity, Standing, all_of
from ldcheck.judging.aligning import align_ahead, align_from_start
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.expressions import because, compare, place_of
from ldcheck.judging.subjects import (
    absent,
    address_of,
    first_address,
    marks_a_place,
    merged_away,
    missing,
    obstacles,
    opened_section,
    unread,
)
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Named, Rule
from ldcheck.policy.sizes import size_of
from ldcheck.script.syntax import Assignment, Binary, Call, Name, Node, Number, OutputSection, Word
from ldcheck.script.uses import leaves
from ldcheck.words import counted, size

if TYPE_CHECKING:
    from ldcheck.layout.facts import Known

# What the inputs of a section are aligned to as a rule: there is a word or a pointer among them.
_NATURAL = 8

DECLARATION = Declaration(
    head=Key("align", Kind.NAMES, "Output sections, boundary symbols or section patterns that must be aligned."),
    keys=(Key("to", Kind.SIZE, "The boundary in bytes.", required=True, minimum=1),),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
)


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """HOLDS where every link of the script aligns all subjects, NOT_GUARANTEED where some link need not."""
    boundary = size_of(rule.keys["to"], view.params)
    return all_of([_proved(named, boundary, view) for named in rule.names], optional=rule.optional)


def _proved(named: Named, boundary: int, view: ScriptView) -> Judgement:
    name = named.text
    place = address_of(name, view)
    if place is None:
        return absent(named, view)
    node, known = place
    if known.aligned_to(boundary):
        return Judgement(Standing.HOLDS)
    # Where the script itself misaligns it, an ASSERT that demands otherwise only stops the link.
    if not known.misaligned_to(boundary) and (name in view.output_sections or name in view.assignments):
        rest = Binary("%", place_of(name, view), Number(boundary, str(boundary), start=0, end=0), start=0, end=0)
        decision = view.decided.condition(compare(rest, "==", 0))
        if decision is not None and decision.truth:
            return Judgement(Standing.HOLDS, reason=because(decision, view))
    usual = address_of(name, view, view.usual_layout)
    if usual is not None and usual[1].aligned_to(boundary):
        problem = view.problem(
            node,
            name,
            f"{name} is a multiple of {size(boundary)} unless an orphan or an empty section comes in front of it",
            label=f"known here: {known}",
            related=obstacles(known, view) + view.related(node),
            help=f"look at what stands in front of {name}: that has to end at a multiple of {size(boundary)}",
            fix=_fix(name, boundary, view, node),
            severity=Severity.NOTE,
        )
        return Judgement(Standing.NOT_GUARANTEED, (problem,))
    refuted = known.misaligned_to(boundary)
    section = _beginning(node, view)
    if section is not None and not refuted and boundary <= _NATURAL and section.address is None:
        problem = view.problem(
            node,
            name,
            f"{name} is a multiple of {size(boundary)} only if an input of {section.name.text} is aligned so",
            label=f"known here: {known}",
            help=f"look at what stands in front of {name}: that has to end at a multiple of {size(boundary)}",
            fix=_fix(name, boundary, view, node),
            severity=Severity.NOTE,
        )
        return Judgement(Standing.NOT_GUARANTEED, (problem,))
    if view.unread and not refuted:
        return unread(view)
    if not refuted and (foreign := _foreign_step(known, view)):
        return Judgement(Standing.UNKNOWN, reason=f"{name} is aligned to {foreign}, which the script does not define")
    standing = Standing.REFUTED if refuted else Standing.NOT_GUARANTEED
    start = f"{name} starts at" if name in view.output_sections else f"{name} is"
    said = f"{start} {known}, which is no multiple of {size(boundary)}"
    message = said if refuted else f"nothing in the script aligns {name} to {size(boundary)}"
    problem = view.problem(
        node,
        name,
        message,
        label=f"known here: {known}",
        related=obstacles(known, view) + view.related(node),
        help=f"look at what stands in front of {name}: that has to end at a multiple of {size(boundary)}",
        fix=_fix(name, boundary, view, node),
    )
    return Judgement(standing, (problem,))


def _foreign_step(known: Known, view: ScriptView) -> str:
    """The symbol from elsewhere that an ALIGN in front of an address is made of; empty if there is none."""
    reasons = (reason.node for reason in known.obstacles)
    aligns = (node for node in reasons if isinstance(node, Call) and node.function == "ALIGN")
    names = (leaf.name for node in aligns for leaf in leaves(node) if isinstance(leaf, Name) and leaf.name != ".")
    return next((name for name in names if name not in view.assignments), "")


def _beginning(node: Node, view: ScriptView) -> OutputSection | None:
    """The output section whose beginning a section or symbol is: `x = .;` as its first statement, `x = ADDR(.bss);`."""
    if isinstance(node, OutputSection):
        return node
    if not isinstance(node, Assignment):
        return None
    value = node.value
    if isinstance(value, Call) and value.function == "ADDR" and isinstance(value.arguments[0], Word):
        return next(iter(view.output_sections.get(value.arguments[0].text, ())), None)
    return opened_section(node, view) if marks_a_place(node) else None


def _fix(name: str, boundary: int, view: ScriptView, node: Node) -> Fix | None:
    section = node if isinstance(node, OutputSection) else None
    to = size(boundary)
    if section is not None and section.region is not None:
        does = f"give the section the attribute `: ALIGN({to})` (a `. = ALIGN()` ahead of it has no effect)"
        return align_from_start(f"ALIGN({to})", section, view, does)
    where = "in front of it" if name in view.output_sections else "ahead of the assignment"
    return align_ahead(f". = ALIGN({to});", node, view, where)


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED where a subject's address in the image is no multiple of the boundary."""
    boundary = size_of(rule.keys["to"], view.params)
    return all_of([_shown(named, boundary, view) for named in rule.names], optional=rule.optional)


def _shown(named: Named, boundary: int, view: ImageView) -> Judgement:
    name = named.text
    address = view.address(name)
    if address is None and view.inputs.merged(name):
        return Judgement(Standing.UNKNOWN, reason=merged_away(name, view))
    if address is None and not view.doubt(name):
        address = first_address(name, view)
    if address is None:
        if name.startswith(".") and not view.doubt(name):
            # A section without content leaves no trace in an image.
            return Judgement(Standing.UNKNOWN, reason=f"the image has no {name}")
        return missing([name], view)
    fact = f"in the image: {name} is at {address:#x}"
    if address % boundary == 0:
        return Judgement(Standing.HOLDS, facts=((name, fact),))
    over = address % boundary
    problem = view.problem(
        name,
        name,
        f"{name} is not aligned to {size(boundary)}: it is at {address:#x}",
        label=f"must start at a multiple of {size(boundary)}",
        facts=(f"{fact}, {counted(over, 'byte')} behind a multiple of {size(boundary)}",),
        help=f"look at what stands in front of {name}: that has to end at a multiple of {size(boundary)}",
    )
    return Judgement(Standing.REFUTED, (problem,))
