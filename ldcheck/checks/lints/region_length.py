"""Memory regions whose length is the address where they end.

## What it does
Reports a region whose LENGTH is a little larger than its ORIGIN, and no power of two: as a length it is out of all
proportion to the origin, as the address of the end it makes a region of some kilobytes.

## Why is this bad
The linker checks that what goes into a region ends within ORIGIN + LENGTH. With the end in the place of the length
nothing ever overflows, and an image that has outgrown its memory links without a word.

## Example
    MEMORY { RAM (rwx) : ORIGIN = 0x0e040000, LENGTH = 0x0e060000 }
    SECTIONS { .data : { *(.data) } > RAM }

## Use instead
    MEMORY { RAM (rwx) : ORIGIN = 0x0e040000, LENGTH = 0x0e060000 - 0x0e040000 }
    SECTIONS { .data : { *(.data) } > RAM }

## Limits
Nothing is said of a region that begins below 64 KB, or whose origin or length only a link tells. What looks like an
end may be meant as a length, so it is a warning.

## References
GNU ld manual, "MEMORY Command".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.words import size

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Memory regions whose length is the address where they end."),
    evidence=(EvidenceKind.SCRIPT,),
)

# Below it a length may well be an origin and a bit.
_LOW = 64 * 1024
# An end is at most that part of the origin behind it.
_NEAR = 8


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for each region whose length looks like its end."""
    problems = tuple(
        _problem(name, origin, length, view)
        for name, (origin, length) in view.regions.items()
        if name in view.memory and _is_end(origin, length)
    )
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, problems)


def _is_end(origin: int, length: int) -> bool:
    return origin >= _LOW and 0 < length - origin < origin // _NEAR and length & (length - 1) != 0


def _problem(name: str, origin: int, length: int, view: ScriptView) -> Problem:
    region = view.memory[name]
    return view.problem(
        region,
        name,
        f"the length of {name} looks like the address where it ends: nothing that goes there ever overflows",
        label=f"{origin:#x} .. {origin + length:#x}",
        help=f"if it ends at {length:#x}, its length is {size(length - origin)}: `LENGTH = {length:#x} - {origin:#x}`",
        severity=Severity.WARNING,
    )
