"""Where a script means two things: to GNU ld and lld, or to two versions of one of them.

## What it does
Reports each construct that the linkers of the target do not take for the same, once with all its places: numbers in
output sections, which GNU ld counts from the start of the section and lld takes for addresses; sections that lld loads
from elsewhere; what one of them refuses (BLOCK(), ALIGN() of a number that is no power of two, SORT() around a file
pattern ...) or takes for the name of a file; quotes, commas and digits that are read in two ways. Where both do the
same with it in this script, it says nothing. What the one linker of a target does not read is reported as well, with
the version that it needs. Of a script for position-independent links, one that takes `.dynamic`, it also reports where
sections that are read-only after relocation do not lie next to each other.

## Why is this bad
The script works with one linker and not, or otherwise, with the other.

## Example
    SECTIONS { . = 0x10000; .text : { *(.text) . = 0x400; size = 0x400; } }

## Use instead
    SECTIONS { . = 0x10000; .text : { *(.text) . += 0x400; size = ABSOLUTE(0x400); } }

## Limits
What a target is linked with is said by `linker` or `--linker`. With two linkers there, what surely gives another image
is an error, and what depends on the inputs a note; where nothing is said all is a note, as a project that is linked
with one of the two has no use for it. That lld refuses the link as a whole because of what is read-only after
relocation is a warning: without PHDRS it makes a segment of that, unless it is given `-z norelro`. A script that has
`.interp` too is taken for a copy of GNU ld's own, and left alone there.

## References
The table of differences in the documentation ("Two linkers, and many years"), each of which is linked by GNU ld 2.35 to
2.47 and lld 14 to 22 in the tests; LLVM documentation, "Linker Script implementation notes and policy".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.differing import Occurrence, occurrences
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.overlays import at_header
from ldcheck.linker import GNU, LLD, Linker
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.difference import LOSES, READS, REFUSES, Difference, certain, possible
from ldcheck.script.differences import BY_NAME
from ldcheck.script.syntax import InputSectionDescription, OutputSection, ProgramHeaders
from ldcheck.sections.rules import flat
from ldcheck.source import Related
from ldcheck.words import listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Constructs that GNU ld and lld, or two versions of them, read differently."),
    evidence=(EvidenceKind.SCRIPT,),
)

# Output sections that lld puts into PT_GNU_RELRO by their names; and that one, wherever it is, that takes .got.
_RELRO = frozenset(
    (".dynamic", ".data.rel.ro", ".bss.rel.ro", ".ctors", ".dtors", ".jcr", ".preinit_array", ".init_array",
     ".fini_array", ".toc", ".tdata", ".tbss")
)  # fmt: skip
# Every program has some of these.
_SURE = frozenset((".text", ".rodata", ".data", ".bss"))

# What can be written for both linkers, where there is one thing to write.
_INSTEAD = {
    "dot-number": "write `. = ABSOLUTE(...)` if it is an address, else `. += ...`",
    "symbol-number": "wrap the value in ABSOLUTE(), or assign it outside of the output section",
    "dot-arithmetic": "write `. = ALIGN(n)`, or `. += ...`",
    "dot-address": "write `. += ...`",
    "quoted-name": "write names without quotes",
    "exclude-outside": "write EXCLUDE_FILE() inside, ahead of each pattern",
    "exclude-list": "write EXCLUDE_FILE() ahead of each pattern, or one pattern in a statement",
    "sorted-together": "write one pattern in a statement",
    "comma-list": "put blanks between the names",
    "octal": "write it without the leading 0, or in hexadecimal",
    "dollar-number": "write 0x",
    "hexadecimal-name": "give the symbol or the region another name, or write 0x",
    "assert-early": "move the ASSERT to the end",
    "defined-later": "move the assignment ahead",
    "load-inherited": "give {whom} an AT> of its own",
    "load-at-inherited": "give {whom} an AT() of its own",
    "load-alignment": "align the end of what is loaded ahead of it",
    "only-space": "make it (NOLOAD)",
    "read-only-orphan": "take read-only data by a statement",
    "region-address": "leave the address out, or the region",
    "unallocated-dot": "put it behind everything that has an address",
    "info-dot": "put it behind everything that has an address",
}


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each kind of construct that the linkers of the target differ in."""
    linkers = view.linkers or (GNU, LLD)
    found: dict[str, list[Occurrence]] = {}
    for one in occurrences(view):
        difference = BY_NAME[one.difference]
        # To whom no linker matters it does not matter what would happen with other inputs.
        if not view.linkers and not one.is_sure:
            continue
        if possible(difference, linkers) or any(_loses(difference, linker) for linker in view.linkers):
            found.setdefault(one.difference, []).append(one)
    problems = (*(_problem(BY_NAME[name], places, view) for name, places in found.items()), *_apart(view))
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _loses(difference: Difference, linker: Linker) -> bool:
    """Whether a linker, whichever version it is of those that may be meant, does not read a construct."""
    return difference.ways(linker) <= LOSES


def _problem(difference: Difference, places: Sequence[Occurrence], view: ScriptView) -> Problem:
    linkers = view.linkers or (GNU, LLD)
    # What is sure comes first: it decides how heavy the finding is.
    first, *others = sorted(places, key=lambda one: not one.is_sure)
    losing = [linker for linker in view.linkers if _loses(difference, linker)]
    is_error = first.is_sure and (bool(losing) or (len(view.linkers) > 1 and certain(difference, linkers)))
    return view.problem(
        first.statement,
        difference.name,
        _message(difference, linkers, losing),
        at=first.part,
        related=(Related(view.locate(one.part), "and here") for one in others),
        help=_INSTEAD.get(difference.name, "").replace("{whom}", at_header(first.statement, view)),
        severity=Severity.ERROR if is_error else Severity.NOTE,
    )


def _message(difference: Difference, linkers: Sequence[Linker], losing: Sequence[Linker]) -> str:
    """What is the matter with a construct, for the linkers that are compared; `losing` do not read it."""
    needs = [f"{linker.name} {version}" for linker in losing if (version := difference.needs(linker))]
    if needs:
        return f"{difference} needs {listed(needs)}, and this is for {listed([str(one) for one in losing])}"
    refusing = [str(linker) for linker in linkers if difference.ways(linker) == {REFUSES}]
    reading = [str(linker) for linker in linkers if difference.ways(linker) == {READS}]
    if refusing and len(refusing) + len(reading) == len(linkers):
        taken = f", and {listed(reading)} {'takes' if len(reading) == 1 else 'take'} it" if reading else ""
        return f"{listed(refusing)} {'refuses' if len(refusing) == 1 else 'refuse'} {difference}{taken}"
    said = [f"{linker} {difference.describe(linker)}" for linker in linkers]
    return f"{difference}: {', and '.join(said)}"


# What is read-only after relocation -----------------------------------------------------------------------------------


def _apart(view: ScriptView) -> Iterator[Problem]:
    """The first section that is read-only after relocation and does not lie next to the others; see lld's Writer.cpp.

    What may well be empty keeps no two apart.
    """
    # What is for .interp as well is most likely a copy of GNU ld's own script, and nobody's choice of an order.
    if ".dynamic" not in view.output_sections or ".interp" in view.output_sections:
        return
    if any(isinstance(node, ProgramHeaders) for node in view.tree.statements):
        return
    last: OutputSection | None = None
    between: OutputSection | None = None
    for section in view.statements:
        if not isinstance(section, OutputSection) or section.name.text == "/DISCARD/":
            continue
        names = _taken(section)
        if section.name.text in _RELRO or ".got" in names:
            if last is not None and between is not None:
                yield _not_contiguous(section, last, between, view)
                return
            last = section
        elif last is not None and between is None and any(name.rstrip("*.") in _SURE for name in names):
            between = section


def _taken(section: OutputSection) -> list[str]:
    inputs = (node for node in flat(section.statements) if isinstance(node, InputSectionDescription))
    return [one.pattern.text for node in inputs for one in node.patterns or ()]


def _not_contiguous(section: OutputSection, last: OutputSection, between: OutputSection, view: ScriptView) -> Problem:
    name, other = section.name.text, last.name.text
    return view.problem(
        section,
        name,
        f"lld refuses a position-independent link of this script: {name} and {other} are read-only after relocation, "
        f"and {between.name.text} lies between them",
        label="not contiguous with the others",
        related=(Related(view.locate(between), "in between"), Related(view.locate(last), "the others end here")),
        help=f"look at the order of {between.name.text} and {name}, or link with `-z norelro`",
        severity=Severity.WARNING,
    )
