"""Symbols around a table that may have padding between them and the table.

## What it does
Looks at tables between a start and an end symbol (`start = .; *(.table) end = .;`): sections with a name of the
project's own, pointers to constructors, relocations. Reports a start symbol behind other inputs, or outside of the
output section that follows, where nothing aligns it to a word of the target; and an ALIGN between the last record and
the end symbol.

## Why is this bad
The linker aligns the table's first input behind the symbol. The symbol then is some bytes below the first record, and
the loop that starts there reads garbage: a data abort in the best case. Padding ahead of the end is one more record.

## Example
    .rodata : { *(.rodata) __start_drivers = .; *(.drivers) __stop_drivers = .; }

## Use instead
    .rodata : { *(.rodata) . = ALIGN(8); __start_drivers = .; *(.drivers) __stop_drivers = .; }

## Limits
A warning where what precedes the table may end anywhere (code, strings, data); a note behind other tables, which leave
words aligned. A word has 8 bytes if the target is known to have 64 bits, or if it is not known and the script is for
both (it has no MEMORY and takes `.rel.*` and `.rela.*`), else 4. A start symbol that is the first thing in its output
section has the section's alignment, unless the section is put at an address. Code, data and stacks between symbols are
ranges and no tables, and tables of bytes need no alignment: allow them.

## References
GNU ld manual, "Source Code Reference", "Output Section Address"; the check `bracket` judges one table exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.edits import align_section, put_ahead
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.record import replace
from ldcheck.script.expressions import constant
from ldcheck.script.marks import is_start_to_end, marks_a_place, names_an_end
from ldcheck.script.syntax import (
    Assignment,
    Call,
    Data,
    InputSectionDescription,
    Name,
    Node,
    OutputSection,
    SectionGroup,
    Sections,
    Word,
)
from ldcheck.sections.families import Family, project_family_of
from ldcheck.sections.rules import flat
from ldcheck.sections.tables import POINTERS, is_registered, may_end_anywhere
from ldcheck.source import Related
from ldcheck.words import counted

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Symbols with padding between them and their table."),
    evidence=(EvidenceKind.SCRIPT,),
)

# The least that a table of pointers or words asks for, where the target is not known.
_WORD = 4
# What is enough for either.
_SAFE = 8
_SMALL = "a pointer of the target has"
_SMALL_SOMEWHERE = "a pointer has on a target of 64 bits"
_RELOCATIONS = (".rel.", ".rela.", ".rel*", ".rela*")
_MADE = (".got", ".fixup", ".rofixup", ".plt", ".iplt", ".igot")
# Records that are pointers, or have some, by these words.
_POINTING = re.compile(
    r"init|ctor|dtor|fini|exitcall|callback|handler|hook|driver|drv|ops|desc|cmd|command|task|module", re.IGNORECASE
)
# What these words say are no records: memory, code, and what is read byte by byte.
_BYTES = re.compile(
    r"stack|stk|heap|bss|text|code|str|string|blob|image|dtb|font|ucode|firmware|cert|key", re.IGNORECASE
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for each symbol that may not be where its table is."""
    problems: list[Problem] = []
    for node in view.statements:
        if isinstance(node, OutputSection):
            body = list(flat(node.statements))
            problems += _told_once(list(_inside(body, view)))
            problems += _at_the_end(body, view)
            problems += _at_an_address(node, body, view)
        elif isinstance(node, Sections | SectionGroup):
            problems += _ahead(list(flat(node.statements)), view)
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, tuple(problems))


def _told_once(problems: Sequence[Problem]) -> list[Problem]:
    """The problems of one output section, in which one ALIGN that is too small for all is one problem."""
    said = (_SMALL, _SMALL_SOMEWHERE)
    small = [one for one in problems if one.message.endswith(said) and one.severity is Severity.WARNING]
    if len(small) < 2:
        return list(problems)
    others = tuple(Related(one.location, f"so is {one.subject}") for one in small[1:] if one.location is not None)
    more = counted(len(small) - 1, "other")
    first = replace(
        small[0],
        message=small[0].message.replace(" is aligned", f" and {more} are aligned"),
        related=(*small[0].related, *others),
    )
    return [first, *(one for one in problems if one not in small)]


def _word(view: ScriptView) -> int:
    from ldcheck.image.arches import word

    return word(view.arch) or (_SAFE if _serves_both(view) else _WORD)


def _serves_both(view: ScriptView) -> bool:
    """Whether a script that does not tell its target is for 32 and for 64 bits.

    One for a microcontroller has regions; most targets of 32 bits have no relocations with addends, those of 64 have.
    """
    if view.arch or view.regions or view.memory:
        return False
    taken = {rule.names.prefix[:5] for rule in view.rules if rule.names.prefix.startswith((".rel.", ".rela"))}
    return taken == {".rel.", ".rela"}


def _symbol(node: Node) -> Assignment | None:
    return node if isinstance(node, Assignment) and node.target.text != "." and marks_a_place(node) else None


def _names(nodes: Sequence[Node]) -> list[str]:
    inputs = (node for node in nodes if isinstance(node, InputSectionDescription))
    return [pattern.pattern.text for node in inputs for pattern in node.patterns or ()]


def _is_table(names: Sequence[str]) -> bool:
    """Whether input sections of these names are records: of the project's own, or pointers of the toolchain's."""
    return bool(names) and all(_is_record(name) for name in names)


def _is_record(name: str) -> bool:
    if name.startswith(POINTERS):
        return True
    if project_family_of(name) is not Family.OTHER or name.startswith((*_RELOCATIONS, *_MADE)) or name[0] in "*?[":
        return False
    return is_registered([name]) is not False and _BYTES.search(name) is None


def _are_pointers(names: Sequence[str]) -> bool:
    return bool(names) and all(name.startswith(POINTERS) for name in names)


def _are_relocations(names: Sequence[str]) -> bool:
    return bool(names) and all(name.startswith(_RELOCATIONS) for name in names)


# A start symbol behind other inputs of its output section -------------------------------------------------------------


def _inside(body: Sequence[Node], view: ScriptView) -> Iterator[Problem]:
    for at, node in enumerate(body):
        start = _symbol(node)
        if start is None:
            continue
        table, end = _bracket(body[at + 1 :], start)
        before = next((one for one in reversed(body[:at]) if isinstance(one, InputSectionDescription | Data)), None)
        if end is None or before is None or not _is_table(_names(table)):
            continue
        if _same_records(_names([before]), _names(table)) or _are_pointers(_names([before])):
            # One more of the same records, or words behind words.
            continue
        moved = body[at - 1] if at and isinstance(body[at - 1], Assignment) else None
        yield from _unaligned(start, table[0], _ends_anywhere(before), _names(table), moved, view)


def _bracket(nodes: Sequence[Node], start: Assignment) -> tuple[list[InputSectionDescription], Assignment | None]:
    """The input statements from a start symbol to the end symbol that goes with it."""
    table: list[InputSectionDescription] = []
    if names_an_end(start.target.text):
        # Nothing goes with it, however far one looks.
        return table, None
    for node in nodes:
        if isinstance(node, InputSectionDescription):
            table.append(node)
        elif (symbol := _symbol(node)) is not None:
            if is_start_to_end(start, symbol) and table:
                return table, symbol
        elif not isinstance(node, Assignment):
            break
    return table, None


def _same_records(before: Sequence[str], table: Sequence[str]) -> bool:
    return bool(before) and bool(table) and _first_word(before[-1]) == _first_word(table[0])


def _first_word(name: str) -> str:
    return name.strip("._").replace("_", ".").partition(".")[0]


def _ends_anywhere(node: Node) -> bool:
    """Whether what a statement places may end at any byte, as code and strings do; tables end at a word."""
    if isinstance(node, Data):
        return node.keyword in ("BYTE", "SHORT", "ASCIZ")
    return may_end_anywhere(_names([node]))


def _unaligned(
    start: Assignment, table: Node, anywhere: bool, names: Sequence[str], moved: Node | None, view: ScriptView
) -> Iterator[Problem]:
    name, word = start.target.text, _word(view)
    known, usual = view.layout.value(start), view.usual_layout.value(start)
    if known is None or known.aligned_to(word) or (usual is not None and usual.aligned_to(word)):
        return
    aligned = f". = ALIGN({word if view.arch else _SAFE});"
    step = _step(moved)
    if moved is not None and moved is not start and step is None and isinstance(moved, Assignment):
        if moved.target.text == ".":
            # Whoever put it there knows what to.
            return
        step = None
    if step is not None and 1 < step < word:
        # As good as the one that wrote the ALIGN thinks, except for pointers.
        message = f"{name} is aligned to {step} bytes, less than {_SMALL if view.arch else _SMALL_SOMEWHERE}"
        severity = Severity.WARNING if any(_POINTING.search(one) for one in names) else Severity.NOTE
    else:
        message = f"{name} may lie ahead of the padding in front of its table"
        severity = Severity.WARNING if anywhere else Severity.NOTE
    yield view.problem(
        start,
        name,
        message,
        label=f"known here: {known}",
        related=(Related(view.locate(table), "aligned behind the symbol"),),
        help=f"look at what stands ahead of {name}: that has to end at the alignment of a record",
        fix=put_ahead(aligned, start, view, f"put `{aligned}` (the alignment of a record) ahead of it"),
        severity=severity,
    )


def _step(node: Node | None) -> int | None:
    """The boundary of `. = ALIGN(n)`, if that is a number."""
    if not isinstance(node, Assignment) or node.target.text != "." or not isinstance(node.value, Call):
        return None
    argument = node.value.arguments[-1] if node.value.function == "ALIGN" else None
    return None if argument is None or isinstance(argument, Word) else constant(argument)


# Padding behind the last record ---------------------------------------------------------------------------------------


def _at_the_end(body: Sequence[Node], view: ScriptView) -> Iterator[Problem]:
    for at, node in enumerate(body):
        start = _symbol(node)
        table, end = _bracket(body[at + 1 :], start) if start is not None else ([], None)
        if end is None or start is None or _GROWN.search(start.target.text):
            continue
        behind = body[body.index(table[-1]) + 1 : body.index(end)]
        align = next((one for one in behind if _step(one) is not None), None)
        step = _step(align) or 0
        if align is None or not _leaves_a_record(_names(table), step, view):
            continue
        yield view.problem(
            align,
            end.target.text,
            f"the padding of this ALIGN lies between the last record and {end.target.text}: it is read as a record",
            label=f"up to {step - 1} bytes of padding",
            related=(Related(view.locate(end), "the end of the table"),),
            help=f"put it behind {end.target.text}",
            severity=Severity.WARNING,
        )


_GROWN = re.compile(r"stack|heap", re.IGNORECASE)


def _leaves_a_record(names: Sequence[str], step: int, view: ScriptView) -> bool:
    """Whether an ALIGN behind records leaves room for more: for relocations, and for what asks for more than a word."""
    from ldcheck.image.arches import word

    if _are_relocations(names):
        # Three words of the target each, or two without addends: 12 bytes are no multiple of 8.
        addends = any(name.startswith(".rela") for name in names)
        size = word(view.arch) or _WORD
        return step > size * (1 if addends else 2)
    return False


# A start symbol outside of the output section that follows ------------------------------------------------------------


def _ahead(nodes: Sequence[Node], view: ScriptView) -> Iterator[Problem]:
    for at, node in enumerate(nodes):
        start = _symbol(node)
        if start is None:
            continue
        sections, end = _sections_up_to_end(nodes[at + 1 :], start)
        names = [name for section in sections for name in _names(list(flat(section.statements)))]
        if end is None or not (_is_table(names) or _are_relocations(names)):
            continue
        before = [one for one in reversed(nodes[:at]) if isinstance(one, OutputSection)]
        first = sections[0]
        same = first.region is None or (bool(before) and _home(before[0]) == _home(first))
        if first.address is not None or not same:
            continue
        if (aligned := constant(first.align) if first.align is not None else 0) and aligned <= 1:
            continue
        moved = nodes[at - 1] if at and isinstance(nodes[at - 1], Assignment) else None
        yield from _unaligned(start, first.name, _may_end_anywhere(before), names, moved, view)


def _sections_up_to_end(nodes: Sequence[Node], start: Assignment) -> tuple[list[OutputSection], Assignment | None]:
    """The output sections from a start symbol to the end symbol that goes with it."""
    found: list[OutputSection] = []
    for node in nodes:
        if isinstance(node, OutputSection):
            found.append(node)
        elif (symbol := _symbol(node)) is not None and is_start_to_end(start, symbol) and found:
            return found, symbol
    return found, None


def _home(section: OutputSection) -> str:
    return section.region.text if section.region is not None else ""


def _may_end_anywhere(before: Sequence[OutputSection]) -> bool:
    """Whether what stands in front may end at any byte: the last output section that is not likely to be empty."""
    for section in before:
        inputs = [node for node in flat(section.statements) if isinstance(node, InputSectionDescription)]
        if inputs and section.name.text != "/DISCARD/":
            if _ends_anywhere(inputs[-1]):
                return True
            if any(project_family_of(name) is not Family.OTHER for name in _names(inputs)):
                return False
    return False


# A section that is put at an address ----------------------------------------------------------------------------------


def _at_an_address(section: OutputSection, body: Sequence[Node], view: ScriptView) -> Iterator[Problem]:
    """A section at `.` does not start where its inputs need it to, so that its first symbol lies ahead of padding."""
    address = section.address
    if not (isinstance(address, Name) and address.name == ".") or section.align is not None or len(body) < 2:
        return
    start = _symbol(body[0])
    if start is None or not isinstance(body[1], InputSectionDescription):
        return
    known, usual = view.layout.value(start), view.usual_layout.value(start)
    word = _word(view)
    if known is None or known.aligned_to(word) or (usual is not None and usual.aligned_to(word)):
        return
    name = section.name.text
    yield view.problem(
        start,
        start.target.text,
        f"{start.target.text} may lie ahead of the padding in front of the first input: "
        f"{name} is put at `.`, whatever its inputs need",
        label=f"known here: {known}",
        related=(Related(view.locate(address), "an address takes the section's own alignment away"),),
        help="take the address out, or give the section an alignment",
        fix=align_section(f"ALIGN({_SAFE})", section, view, f"give it an alignment: `{name} : ALIGN({_SAFE}) {{`"),
        severity=Severity.WARNING,
    )
