"""Padding in front of an end symbol that is in no section.

## What it does
Reports `. = ALIGN(n);` outside of all output sections with the symbol for the end of the image behind it, where what
follows is not in the file, or may be empty. With an image, it compares the symbol with the last byte of the file.

## Why is this bad
No bytes are emitted for it: `objcopy -O binary` ends ahead of the symbol. A loader that copies up to the symbol reads
behind the end of the file, and what is appended to the image (a device tree, a signature) lands below the symbol.

## Example
    .data : { *(.data) }
    . = ALIGN(16);
    _end = .;

## Use instead
    .data : { *(.data) . = ALIGN(16); }
    _end = .;

## Limits
The last section must not be empty: in an empty one the padding is not in the file either. Behind zero-initialised
sections there are no bytes anyway, and nothing is reported; nor of other ends (`_edata`) that zeros follow.

## References
GNU ld manual, "The Location Counter".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.subjects import marks_a_place, names_an_end
from ldcheck.layout.traits import is_unallocated
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.record import dataclass
from ldcheck.script.expressions import constant
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Call,
    InputSectionDescription,
    Node,
    OutputSection,
    Sections,
    Word,
)
from ldcheck.sections.families import Family, project_family_of
from ldcheck.source import Related
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Padding in front of an end symbol that is in no section."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
)

# The end of the whole, by its name: `_end`, `__image_end`, `_image_binary_end`, `__rom_end__`.
_IMAGE_END = re.compile(
    r"_*((image|binary|bin|prog|program|rom|flash|file|img|kernel|fw|firmware)_*)*_*end_*", re.IGNORECASE
)
# What no image is without.
_NEVER_EMPTY = frozenset((".text", ".text*", ".rodata", ".rodata*", ".data", ".data*"))
_NO_BYTES = frozenset(("NOLOAD", "DSECT", "COPY", "INFO", "OVERLAY"))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Padding:
    """An ALIGN, the end symbol behind it, the section in front of it, and those behind it that may be empty."""

    align: Assignment
    symbol: Assignment
    last: OutputSection
    behind: tuple[OutputSection, ...]


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for padding that no file holds."""
    problems = tuple(_problem(padding, view) for padding in _paddings(view))
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, problems)


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED where the file ends ahead of such a symbol; needs the script, which tells the symbols."""
    if view.elf is None or view.script is None:
        missing = "no ELF, give --elf" if view.elf is None else "no script that tells the end symbols"
        return Judgement(Standing.UNKNOWN, reason=missing)
    problems = []
    seen = False
    for padding in _paddings(view.script):
        name = padding.symbol.target.text
        end = view.symbol(name)
        below = [one.end for one in view.elf.sections if one.allocated and one.occupies_file and one.size]
        if end is None or not below:
            continue
        seen = True
        last = max((place for place in below if place <= end), default=end)
        if last < end and not any(place > end for place in below):
            fact = f"in the image: {name} is {end:#x}, and the last byte of the file is at {last - 1:#x}"
            message = f"{counted(end - last, 'byte')} of padding ahead of {name} are in no file"
            problems.append(view.problem(name, name, message, facts=(fact,), severity=Severity.ERROR))
    if problems:
        return Judgement(Standing.REFUTED, tuple(problems))
    return Judgement(Standing.HOLDS) if seen else Judgement(Standing.ABSENT, reason="the image has no such symbol")


def _paddings(view: ScriptView) -> Iterator[_Padding]:
    for node in view.statements:
        if isinstance(node, Sections):
            yield from _in_sections(node.statements, view)


def _in_sections(nodes: Sequence[Node], view: ScriptView) -> Iterator[_Padding]:
    last: OutputSection | None = None
    for at, node in enumerate(nodes):
        if isinstance(node, OutputSection) and not _is_discarded(node):
            if _is_zero(node):
                # Whatever lies behind has no bytes in front of it, or is an image with its zeros.
                return
            last = node
        elif isinstance(node, Assignment) and node.target.text == "." and last is not None:
            step = _step(node)
            symbol = _named_next(nodes[at + 1 :]) if step is not None else None
            if symbol is None or _is_aligned(node, step or 0, view):
                continue
            behind = [one for one in nodes[at + 1 :] if isinstance(one, OutputSection) and _has_bytes(one)]
            if any(_is_never_empty(one) for one in behind):
                continue
            alone = not any(isinstance(one, OutputSection) and not _is_discarded(one) for one in nodes[at + 1 :])
            if alone or _IMAGE_END.fullmatch(symbol.target.text):
                yield _Padding(node, symbol, last, tuple(behind))


def _step(node: Assignment) -> int | None:
    """The boundary of `. = ALIGN(n)`, 0 if it is no number; None for another assignment."""
    call = node.value
    if not isinstance(call, Call) or call.function != "ALIGN" or isinstance(call.arguments[-1], Word):
        return None
    return constant(call.arguments[-1]) or 0


def _named_next(nodes: Sequence[Node]) -> Assignment | None:
    """The first end symbol among the assignments that follow at once."""
    for node in nodes:
        if isinstance(node, Assertion):
            continue
        if not isinstance(node, Assignment) or node.target.text == ".":
            return None
        name = node.target.text
        if marks_a_place(node) and (names_an_end(name) or _IMAGE_END.fullmatch(name)):
            return node
    return None


def _is_aligned(node: Assignment, step: int, view: ScriptView) -> bool:
    """Whether there is no padding, at least where no section is empty."""
    place = view.usual_layout.before(node)
    return step > 0 and place is not None and place.aligned_to(step)


def _names(node: OutputSection) -> list[str]:
    inputs = (part for part in node.statements if isinstance(part, InputSectionDescription))
    return [pattern.pattern.text for part in inputs for pattern in part.patterns or ()]


def _is_discarded(node: OutputSection) -> bool:
    return node.name.text == "/DISCARD/"


def _is_zero(node: OutputSection) -> bool:
    """Whether an output section has zero-initialised input, and none of another known kind."""
    families = {project_family_of(name) for name in _names(node)}
    return Family.ZERO in families and families <= {Family.ZERO, Family.OTHER}


def _has_bytes(node: OutputSection) -> bool:
    """Whether an output section may have bytes in the file."""
    names = _names(node)
    kind = node.type.keyword if node.type is not None else ""
    if _is_discarded(node) or _is_zero(node) or kind in _NO_BYTES or not names:
        return False
    return not all(is_unallocated(name) for name in names)


def _is_never_empty(node: OutputSection) -> bool:
    return not _NEVER_EMPTY.isdisjoint(_names(node))


def _problem(padding: _Padding, view: ScriptView) -> Problem:
    name, last = padding.symbol.target.text, padding.last.name.text
    empty = listed([section.name.text for section in padding.behind], most=3)
    condition = f", where {empty} {'is' if len(padding.behind) == 1 else 'are'} empty" if padding.behind else ""
    return view.problem(
        padding.align,
        name,
        f"the padding ahead of {name} is in no section: a flat image ends before it{condition}",
        label="emits no bytes",
        related=(Related(view.locate(padding.symbol), f"{name} lies behind the image"),),
        help=f"move it into {last}, as its last statement, or into the last section that is never empty",
        severity=Severity.WARNING,
    )
