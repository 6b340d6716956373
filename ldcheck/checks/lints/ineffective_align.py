"""ALIGNs that align nothing.

## What it does
Reports `. = ALIGN(n)` ahead of an output section that goes to a memory region, also with symbols in between, where the
section may start unaligned; and `symbol = ALIGN(n)` behind the last input of an output section, where the symbol may
lie inside of the next section.

## Why is this bad
A section in a memory region starts where the region's previous section ended, whatever the location counter is: what is
assigned in front of it is not its start. And `end = ALIGN(n)` gives the symbol an address that the section does not
reach: what is cleared or copied up to it takes the first bytes of the next section along.

## Example
    . = ALIGN(512);
    .vectors : { *(.vectors) _end_vectors = ALIGN(8); } > FLASH

## Use instead
    .vectors : ALIGN(512) { *(.vectors) . = ALIGN(8); _end_vectors = .; } > FLASH

## Limits
A note where inputs align the section as a rule (to 8 bytes and less), where only an orphan or an empty section could
unalign it, where nothing follows, and where what a load address goes on behind ends at a word. Nothing is said of an
ALIGN whose place is aligned anyway.

## References
GNU ld manual, "Memory Regions", "Builtin Functions" (ALIGN).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.edits import align_section, put_ahead
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.loading import ends_anywhere, loaded_ahead
from ldcheck.judging.subjects import marks_a_place, names_a_start, names_an_end
from ldcheck.layout.result import Layout
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.marks import step_of
from ldcheck.script.syntax import (
    Assignment,
    InputSectionDescription,
    Node,
    OutputSection,
    SectionGroup,
    Sections,
)
from ldcheck.source import Related
from ldcheck.words import listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "ALIGNs that align nothing."),
    evidence=(EvidenceKind.SCRIPT,),
)

# What the inputs of a section are aligned to as a rule: there is a word or a pointer among them.
_NATURAL = 8
_END = re.compile(r"_+e(?!ntry)[a-z]+|.*(end|limit|top).*", re.IGNORECASE)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each ALIGN without effect."""
    problems: list[Problem] = []
    for node in view.statements:
        if isinstance(node, Sections | SectionGroup):
            problems += _ahead_of_regions(node.statements, view)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _ahead_of_regions(nodes: Sequence[Node], view: ScriptView) -> Iterator[Problem]:
    """The problems of the statements of one SECTIONS."""
    align: Assignment | None = None
    symbols: list[Assignment] = []
    last: OutputSection | None = None
    following = [node for node in nodes if isinstance(node, OutputSection) and node.name.text != "/DISCARD/"]
    for node in nodes:
        if isinstance(node, Assignment) and node.target.text == ".":
            align, symbols = (node, []) if step_of(node) is not None else (None, [])
        elif isinstance(node, Assignment) and marks_a_place(node):
            symbols.append(node)
        elif isinstance(node, OutputSection) and node.name.text != "/DISCARD/":
            if align is not None and node.region is not None and node.address is None:
                yield from _unaligned(align, symbols, node, last, view)
            following.pop(0)
            behind = next((one for one in following if _home(one) == _home(node)), None)
            yield from _at_the_end(node, behind, view)
            align, symbols, last = None, [], node


def _home(section: OutputSection) -> str:
    return section.region.text if section.region is not None else ""


def _start_is_aligned(section: OutputSection, step: int, layout: Layout) -> bool:
    start = layout.before(section.statements[0]) if section.statements else None
    return start is not None and step > 0 and start.aligned_to(step)


def _load_is_aligned(section: OutputSection, step: int, layout: Layout) -> bool:
    """Whether the load address is, of a section that is loaded elsewhere: inputs do not align that."""
    if section.load_region is None or section.region is None or section.load_region.text == section.region.text:
        return True
    load = layout.load_address(section.name.text)
    return load is not None and step > 0 and load.aligned_to(step)


def _unaligned_load(align: Assignment, section: OutputSection, view: ScriptView) -> Problem:
    name, step = section.name.text, step_of(align)
    shown = f"ALIGN({step})"
    before = loaded_ahead(section, view)
    assert section.load_region is not None
    return view.problem(
        align,
        name,
        f"this ALIGN does not align the load address of {name} in {section.load_region.text}, from where it is copied",
        label="the region goes on where its last section ended",
        related=(Related(view.locate(section.load_region), "loaded from this region"),),
        help="give the section the attribute ALIGN(), which aligns both addresses",
        fix=align_section(shown, section, view, f"give the section the attribute: `{name} : {shown} {{`")
        if step
        else None,
        severity=Severity.WARNING if before is None or ends_anywhere(before) else Severity.NOTE,
    )


def _unaligned(
    align: Assignment, symbols: list[Assignment], section: OutputSection, last: OutputSection | None, view: ScriptView
) -> Iterator[Problem]:
    step = step_of(align) or 0
    name = section.name.text
    assert section.region is not None
    elsewhere = last is None or _home(last) != section.region.text
    if not section.statements or (symbols and elsewhere):
        # What is aligned is the symbol, and it has nothing to do with the section.
        return
    starts, loads = (_start_is_aligned(section, step, view.layout), _load_is_aligned(section, step, view.layout))
    if starts and loads:
        return
    usually = _load_is_aligned(section, step, view.usual_layout)
    light = 0 < step <= _NATURAL or _start_is_aligned(section, step, view.usual_layout)
    severity = Severity.NOTE if light and usually else Severity.WARNING
    if not usually and light and section.load_region is not None:
        yield _unaligned_load(align, section, view)
        return
    shown = f"ALIGN({step:#x})" if step > _NATURAL else f"ALIGN({step})" if step else "ALIGN(...)"
    yield view.problem(
        align,
        name,
        f"this ALIGN has no effect on {name}, which goes to {section.region.text}",
        label="the region goes on where its last section ended",
        related=(Related(view.locate(section.region), "placed by this region"),),
        help=f"look at how {name} is to be aligned: a section in a region has an attribute for that",
        fix=align_section(shown, section, view, f"give the section the attribute: `{name} : {shown} {{`")
        if step
        else None,
        severity=severity,
    )
    if symbols and last is not None:
        yield _inside(symbols, shown, section, last, severity, view)


def _inside(
    symbols: Sequence[Assignment],
    shown: str,
    section: OutputSection,
    last: OutputSection,
    severity: Severity,
    view: ScriptView,
) -> Problem:
    """That the symbols behind such an ALIGN are neither where one section ends nor where the next one starts."""
    assert section.region is not None
    name = section.name.text
    names = [symbol.target.text for symbol in symbols]
    starts = [one for one in names if names_a_start(one)]
    others = [one for one in names if not names_a_start(one)]
    moves = [f"`. = {shown};` and then {listed(others)} as the last statements of {last.name.text}"] if others else []
    moves += [f"{listed(starts)} as the first of {name}"] if starts else []
    are = "is" if len(names) == 1 else "are"
    return view.problem(
        symbols[0],
        names[0],
        f"{listed(names)} {are} aligned, and may lie inside of {name}: that goes on where {last.name.text} ended",
        label="not the end of what stands in front of it",
        related=(
            *(Related(view.locate(symbol), "nor is this") for symbol in symbols[1:]),
            Related(view.locate(section.region), "placed by this region"),
        ),
        help=f"put {', '.join(moves)}",
        severity=severity,
    )


def _at_the_end(section: OutputSection, following: OutputSection | None, view: ScriptView) -> Iterator[Problem]:
    behind = list(section.statements)
    while behind and any(isinstance(node, InputSectionDescription) for node in behind):
        behind.pop(0)
    for at, node in enumerate(behind):
        step = step_of(node) if isinstance(node, Assignment) else None
        moved = any(isinstance(other, Assignment) and other.target.text == "." for other in behind[at + 1 :])
        if step is None or moved or not isinstance(node, Assignment) or node.target.text == ".":
            continue
        place, usual = view.layout.before(node), view.usual_layout.before(node)
        if step and place is not None and place.aligned_to(step):
            continue
        name = node.target.text
        reached = following is None or not _start_is_aligned(following, step, view.usual_layout)
        ends = names_an_end(name) or _END.fullmatch(name) is not None
        usually = bool(step) and usual is not None and usual.aligned_to(step)
        message = f"{name} is aligned, and {section.name.text} does not reach it"
        if reached:
            message += (
                f": it may lie inside of {following.name.text if following is not None else 'what comes behind it'}"
            )
        yield view.problem(
            node,
            name,
            message,
            label="does not move the location counter",
            help=f"look at what moves the location counter ahead of {name}: `{name} = ALIGN(...)` does not",
            fix=put_ahead(f". = ALIGN({step});", node, view, f"write `. = ALIGN({step}); {name} = .;`")
            if step
            else None,
            severity=Severity.WARNING if reached and ends and not usually else Severity.NOTE,
        )
