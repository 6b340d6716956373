"""Padding in front of an end symbol that is in no section.

## What it does
Reports `. = ALIGN(n);` outside of all output sections, behind the last one that is loaded, with a symbol assigned
behind it.

## Why is this bad
No bytes are emitted for it: `objcopy -O binary` ends ahead of the symbol. A loader that copies up to the symbol reads
behind the end of the file, and what is appended to the image lands below the symbol.

## Example
    .data : { *(.data) }
    . = ALIGN(16);
    _end = .;

## Use instead
    .data : { *(.data) . = ALIGN(16); }
    _end = .;

## Limits
Behind zero-initialised sections there are no bytes anyway, and nothing is reported.

## References
GNU ld manual, "The Location Counter".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.subjects import marks_a_place
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Assignment, Call, InputSectionDescription, Node, OutputSection, Sections
from ldcheck.sections.families import Family, family_of
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Padding in front of an end symbol that is in no section."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for padding that no file holds."""
    problems = tuple(
        problem
        for node in view.statements
        if isinstance(node, Sections)
        if (problem := _padding(node, view)) is not None
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _padding(sections: Sections, view: ScriptView) -> Problem | None:
    loaded = [at for at, node in enumerate(sections.statements) if _is_loaded(node)]
    if not loaded:
        return None
    last = sections.statements[loaded[-1]]
    assert isinstance(last, OutputSection)
    if _is_zero(last):
        return None
    behind = sections.statements[loaded[-1] + 1 :]
    for at, node in enumerate(behind):
        if isinstance(node, OutputSection):
            return None
        if not (isinstance(node, Assignment) and node.target.text == "." and _aligns(node)):
            continue
        symbol = next((one for one in behind[at + 1 :] if isinstance(one, Assignment) and marks_a_place(one)), None)
        if symbol is None:
            return None
        return view.problem(
            node,
            symbol.target.text,
            f"the padding ahead of {symbol.target.text} is in no section: a flat image ends before it",
            label="emits no bytes",
            related=(Related(view.locate(symbol), f"{symbol.target.text} lies behind the image"),),
            help=f"move it into {last.name.text}, as its last statement",
        )
    return None


def _aligns(node: Assignment) -> bool:
    return isinstance(node.value, Call) and node.value.function == "ALIGN"


def _is_loaded(node: Node) -> bool:
    """Whether an output section takes anything of a kind that is loaded, rather than debug information or nothing."""
    if not isinstance(node, OutputSection) or node.name.text == "/DISCARD/" or node.address is not None:
        return False
    return any(isinstance(part, InputSectionDescription) for part in node.statements)


def _is_zero(node: OutputSection) -> bool:
    names = [
        pattern.pattern.text
        for part in node.statements
        if isinstance(part, InputSectionDescription)
        for pattern in part.patterns or ()
    ]
    return bool(names) and all(family_of(name) in (Family.ZERO, Family.OTHER) for name in names)
