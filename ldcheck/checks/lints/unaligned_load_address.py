"""Load addresses that are not aligned as the addresses are.

## What it does
Reports sections that are copied at start (`> RAM AT> FLASH`) whose address is aligned to a word, by the script or as
the variables in it are, and whose load address need not be; and sections behind one another that are copied in one go,
from the start symbol in one to the end symbol in another, whose load addresses need not go in step with the addresses.

## Why is this bad
GNU ld aligns an address for the inputs of a section. A load address it aligns only as the section's ALIGN() attribute
says: behind a string of 5 bytes in the flash, .data is loaded from an odd address. A loop that copies words from there
stops with a fault where the processor loads words from multiples of 4 (of 2, if it has 16 bits) only. And what is
copied in one go ends up some bytes off from the first section on that is padded at one side and not at the other.

## Example
    .text : { *(.text .text.* .rodata .rodata.*) } > FLASH
    .data : { . = ALIGN(4); _sdata = .; *(.data .data.*) . = ALIGN(4); _edata = .; } > RAM AT> FLASH

## Use instead
    .text : { *(.text .text.* .rodata .rodata.*) } > FLASH
    .data : ALIGN(4) { _sdata = .; *(.data .data.*) . = ALIGN(4); _edata = .; } > RAM AT> FLASH

## Limits
Where tables of words or an ALIGN stand in front of the section in the flash, nothing is reported; it is not checked
where the tables may be empty and what is ahead of them may end anywhere. How code copies is not known. lld aligns a
load address as the section is aligned, which the inputs decide: there only a section that takes nothing of what
compilers emit is reported. A word is 4 bytes where the target is not known to have smaller ones.

## References
GNU ld manual, "Output Section LMA", "Forced Output Alignment" (ALIGN_WITH_INPUT).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.aligning import align_from_start
from ldcheck.judging.architecture import declared
from ldcheck.judging.edits import align_section
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.loading import (
    WORD,
    ends_anywhere,
    ends_off,
    has_bytes,
    input_names,
    loaded_ahead,
    marked_in_front,
    regions_of,
)
from ldcheck.layout.facts import distance
from ldcheck.linker import only_lld
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.expressions import constant
from ldcheck.script.marks import is_start_to_end, marks_a_place
from ldcheck.script.syntax import Assignment, Node, OutputSection
from ldcheck.sections.families import is_whole_family
from ldcheck.sections.globs import section_glob
from ldcheck.sections.rules import flat
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Load addresses that are not aligned as the addresses are."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for each section that is loaded from elsewhere than a copy expects."""
    doubts: list[str] = []
    problems = (*_unaligned(view, doubts), *_out_of_step(view))
    if doubts and not problems:
        return Judgement(Standing.UNKNOWN, reason=doubts[0])
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, problems)


def _copied(view: ScriptView) -> list[OutputSection]:
    """The sections with bytes that are loaded in another region than they run in."""
    named = regions_of(view).named
    return [
        node
        for node in view.statements
        if isinstance(node, OutputSection)
        and node.region is not None
        and node.load_region is not None
        and named(node.region) != named(node.load_region)
        and has_bytes(node)
    ]


# A load address that is no multiple of a word -------------------------------------------------------------------------


def _unaligned(view: ScriptView, doubts: list[str]) -> Iterator[Problem]:
    """The problems, and in `doubts` what only a link tells, as reasons."""
    from ldcheck.image.arches import word

    # Loops copy words of the processor, and those of larger ones pairs of them at best.
    wanted = min(word(view.arch or declared(view.tree)[0]) or WORD, WORD)
    layout = view.usual_layout
    by_lld = only_lld(view.linkers)
    for node in _copied(view):
        name = node.name.text
        load, start = layout.load_address(name), layout.section_start(name)
        assert node.load_region is not None
        before = loaded_ahead(node, view)
        if load is None or start is None or load.aligned_to(wanted) or before is None:
            continue
        aligned = start.aligned_to(wanted) or _is_aligned_inside(node) or _is_aligned_by_inputs(node, view)
        if not aligned:
            # Nobody says that it is words.
            continue
        if by_lld and _takes_compiled(node):
            continue
        if not ends_anywhere(before):
            if (odd := ends_off(node, wanted, view)) is not None:
                where = f"{odd.name.text}, which {name} may be loaded behind"
                doubts.append(f"only a link tells whether {where}, ends at a multiple of {wanted}")
            continue
        told = name in regions_of(view).sources
        marked = [] if told else [one.target.text for one in marked_in_front(node, view)]
        yield view.problem(
            node,
            name,
            f"{name} may be loaded from an address that is no multiple of {wanted}: {before.name.text} ends anywhere",
            at=node.load_region,
            label=f"aligned by the section's ALIGN() attribute{' and its inputs' if by_lld else ''} only",
            related=(Related(view.locate(before), "what it is loaded behind"),),
            help=_advice(before.name.text, name, wanted, marked),
            # An attribute would leave behind a symbol that code copies from.
            fix=None
            if marked
            else align_from_start(f"ALIGN({wanted})", node, view, f"write `{name} : ALIGN({wanted}) {{`"),
            severity=Severity.WARNING,
        )


def _advice(before: str, name: str, wanted: int, marked: Sequence[str]) -> str:
    """How to align a load address; `marked` are the symbols between `before` and the section, nearest first."""
    if marked:
        return f"end {before} with `. = ALIGN({wanted});`, ahead of {marked[-1]}"
    return f"align the end of {before}, or give {name} an ALIGN() attribute: that aligns both"


def _takes_compiled(node: OutputSection) -> bool:
    """Whether an output section takes what compilers align to words themselves: the families of their sections."""
    return any(is_whole_family(name) for part in flat(node.statements) for name in input_names(part))


def _is_aligned_by_inputs(node: OutputSection, view: ScriptView) -> bool:
    """Whether a copy begins with the variables that compilers align, wherever in its region what is ahead ends."""
    named = regions_of(view).named
    homes = (named(node.region), named(node.load_region))
    ahead = view.statements[: view.positions[id(node)]]
    goes_on = any((named(one.region), named(one.load_region)) == homes for one in _among(ahead))
    names = [name for part in flat(node.statements) for name in input_names(part)]
    return not goes_on and not node.align_with_input and any(section_glob(name).matches(".data") for name in names)


def _among(nodes: Sequence[Node]) -> Iterator[OutputSection]:
    return (node for node in nodes if isinstance(node, OutputSection) and node.name.text != "/DISCARD/")


def _is_aligned_inside(node: OutputSection) -> bool:
    """Whether an output section begins with an ALIGN of its own."""
    first = next(flat(node.statements), None)
    return isinstance(first, Assignment) and first.target.text == "."


# Sections that are copied in one go -----------------------------------------------------------------------------------


def _out_of_step(view: ScriptView) -> Iterator[Problem]:
    copied = _copied(view)
    inside = {id(node): section for section in copied for node in flat(section.statements)}
    symbols = [
        node
        for section in copied
        for node in flat(section.statements)
        if isinstance(node, Assignment) and node.target.text != "." and marks_a_place(node)
    ]
    told: set[int] = set()
    for start in symbols:
        end = next((one for one in reversed(symbols) if is_start_to_end(start, one)), None)
        first, last = inside[id(start)], inside.get(id(end))
        drifting = _drifting(first, last, copied, view) if last is not None and end is not None else None
        if drifting is None or end is None or id(drifting) in told:
            continue
        told.add(id(drifting))
        name = drifting.name.text
        yield view.problem(
            drifting,
            name,
            f"{name} is copied in one go with {first.name.text}, from `{start.target.text}` to `{end.target.text}`: "
            "its address may be padded, and its load address is not",
            at=drifting.load_region,
            label="not in step with the address",
            related=(Related(view.locate(start), "copied from here"), Related(view.locate(end), "up to here")),
            help="pad both addresses alike, or copy each section on its own",
            fix=align_section("ALIGN_WITH_INPUT", drifting, view, f"write `{name} : ALIGN_WITH_INPUT {{`"),
            severity=Severity.WARNING,
        )


def _drifting(
    first: OutputSection, last: OutputSection, copied: Sequence[OutputSection], view: ScriptView
) -> OutputSection | None:
    """The first section behind `first`, up to `last`, whose addresses need not be equally far from those of `first`."""
    named = regions_of(view).named
    if (named(first.region), named(first.load_region)) != (named(last.region), named(last.load_region)):
        return None
    low, high = view.positions[id(first)], view.positions[id(last)]
    run = [node for node in copied if low <= view.positions[id(node)] <= high]
    return next((after for before, after in pairwise(run) if not _in_step(before, after, view)), None)


def _in_step(before: OutputSection, after: OutputSection, view: ScriptView) -> bool:
    """Whether a section is as far behind the one in front of it where it is loaded as where it runs."""
    if after.align_with_input:
        return True
    layout = view.usual_layout
    one, other = layout.section(before.name.text), layout.section(after.name.text)
    if one is None or other is None or distance(one.end, other.start) != (0, 0):
        return False
    # What pads the load address is the attribute alone.
    step = constant(after.align) if after.align is not None else 1
    return step is not None and all(known.aligned_to(step) for known in (one.start, one.end, one.load))
