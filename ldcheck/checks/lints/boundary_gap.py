"""Symbols around a table that may have padding between them and the table.

## What it does
Looks at tables between a start and an end symbol (`start = .; *(.table) end = .;`): sections with a name of the
project's own, pointers to constructors, relocations. Reports a start symbol behind other inputs, or outside of the
output section that follows, where nothing aligns it to a word of the target, or to what that section aligns itself to;
and an ALIGN between the last record and the end symbol. With a map, it is the link that counts: how many bytes lie
between the start symbol and the first record, and between the last record and the end symbol.

## Why is this bad
The linker aligns the table's first input behind the symbol. The symbol then is some bytes below the first record, and
the loop that starts there reads garbage: a data abort in the best case. Padding ahead of the end is one more record.

## Example
    .rodata : { *(.rodata) __start_drivers = .; *(.drivers) __stop_drivers = .; }

## Use instead
    .rodata : { *(.rodata) . = ALIGN(8); __start_drivers = .; *(.drivers) __stop_drivers = .; }

## Limits
A warning where what precedes the table may end anywhere (code, strings, data); a note behind other tables, which leave
words aligned, and where the link at hand has no padding. It is an error where that has padding in front of pointers, or
of a table whose name says that objects register there. Padding behind records (`. = ALIGN(16);` ahead of the end) is a
warning, since some loops pass over zeros. A word has 8 bytes if the target is known to have 64 bits, or if it is not
known and the script is for both (it has no MEMORY and takes `.rel.*` and `.rela.*`), else 4. A start symbol that is the
first thing in its output section has the section's alignment, unless the section is put at an address. Code, data and
stacks between symbols are ranges and no tables, and tables of bytes need no alignment: allow them. What a link has in
executable sections of its own is code; of whole pages only an ELF file tells.

## References
GNU ld manual, "Source Code Reference", "Output Section Address"; the check `bracket` judges one table exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.aligning import align_ahead
from ldcheck.judging.edits import align_section
from ldcheck.judging.enclosed import encloses_code, gap_ahead, gap_behind, padded, pairs, place_symbol
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.record import replace
from ldcheck.script.expressions import constant
from ldcheck.script.marks import is_start_to_end, names_an_end
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
from ldcheck.sections.tables import (
    are_pointers,
    are_relocations,
    is_table,
    may_end_anywhere,
    names_in,
)
from ldcheck.source import Related
from ldcheck.words import counted

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Symbols with padding between them and their table."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE, EvidenceKind.MAP),
)

# The least that a table of pointers or words asks for, where the target is not known, and what is enough for either.
_WORD, _SAFE = 4, 8
_SMALL = "a pointer of the target has"
_SMALL_SOMEWHERE = "a pointer has on a target of 64 bits"
# Records that are pointers, or have some, by these words.
_POINTING = re.compile(
    r"init|ctor|dtor|fini|exitcall|callback|handler|hook|driver|drv|ops|desc|cmd|command|task|module", re.IGNORECASE
)
# What grows into the room that an ALIGN leaves.
_GROWN = re.compile(r"stack|heap", re.IGNORECASE)


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


# A start symbol behind other inputs of its output section -------------------------------------------------------------


def _inside(body: Sequence[Node], view: ScriptView) -> Iterator[Problem]:
    for at, node in enumerate(body):
        start = place_symbol(node)
        if start is None:
            continue
        table, end = _bracket(body[at + 1 :], start)
        before = next((one for one in reversed(body[:at]) if isinstance(one, InputSectionDescription | Data)), None)
        if end is None or before is None or not is_table(names_in(table)):
            continue
        if _same_records(names_in([before]), names_in(table)) or are_pointers(names_in([before])):
            # One more of the same records, or words behind words.
            continue
        moved = body[at - 1] if at and isinstance(body[at - 1], Assignment) else None
        yield from _unaligned(start, table[0], _ends_anywhere(before), names_in(table), moved, view)


def _bracket(nodes: Sequence[Node], start: Assignment) -> tuple[list[InputSectionDescription], Assignment | None]:
    """The input statements from a start symbol to the end symbol that goes with it."""
    table: list[InputSectionDescription] = []
    if names_an_end(start.target.text):
        # Nothing goes with it, however far one looks.
        return table, None
    for node in nodes:
        if isinstance(node, InputSectionDescription):
            table.append(node)
        elif (symbol := place_symbol(node)) is not None:
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
    return may_end_anywhere(names_in([node]))


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
        fix=align_ahead(aligned, start, view, "ahead of it", what=" (the alignment of a record)"),
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
        start = place_symbol(node)
        table, end = _bracket(body[at + 1 :], start) if start is not None else ([], None)
        if end is None or start is None or _GROWN.search(start.target.text):
            continue
        behind = body[body.index(table[-1]) + 1 : body.index(end)]
        align = next((one for one in behind if _step(one) is not None), None)
        step = _step(align) or 0
        if align is None or not _leaves_a_record(names_in(table), step, view):
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


def _leaves_a_record(names: Sequence[str], step: int, view: ScriptView) -> bool:
    """Whether an ALIGN behind records leaves room for more: for relocations, and for what asks for more than a word."""
    from ldcheck.image.arches import word

    if are_relocations(names):
        # Three words of the target each, or two without addends: 12 bytes are no multiple of 8.
        addends = any(name.startswith(".rela") for name in names)
        size = max(word(view.arch), _WORD)
        return step > size * (1 if addends else 2)
    return False


# A start symbol outside of the output section that follows ------------------------------------------------------------


def _ahead(nodes: Sequence[Node], view: ScriptView) -> Iterator[Problem]:
    for at, node in enumerate(nodes):
        start = place_symbol(node)
        if start is None:
            continue
        sections, end = _sections_up_to_end(nodes[at + 1 :], start)
        names = [name for section in sections for name in names_in(list(flat(section.statements)))]
        if end is None or not (is_table(names) or are_relocations(names)):
            continue
        before = [one for one in reversed(nodes[:at]) if isinstance(one, OutputSection)]
        first = sections[0]
        yield from _aligned_away(start, first, view)
        same = first.region is None or (bool(before) and _home(before[0]) == _home(first))
        aligned = constant(first.align) if first.align is not None else 0
        if first.address is not None or not same or aligned == 1:
            continue
        moved = nodes[at - 1] if at and isinstance(nodes[at - 1], Assignment) else None
        yield from _unaligned(start, first.name, _may_end_anywhere(before), names, moved, view)


def _aligned_away(start: Assignment, section: OutputSection, view: ScriptView) -> Iterator[Problem]:
    """A section that aligns itself to more than a word, and than a start symbol of which not even that is told."""
    address = section.address
    align = address.arguments[-1] if isinstance(address, Call) and address.function == "ALIGN" else section.align
    step = constant(align) if align is not None and not isinstance(align, Word) else None
    known, usual = view.layout.value(start), view.usual_layout.value(start)
    if step is None or step <= _word(view) or known is None or usual is None or usual.aligned_to(step):
        return
    if address is None and not known.aligned_to(_word(view)):
        return
    name = start.target.text
    yield view.problem(
        start,
        name,
        f"{name} may lie ahead of the padding in front of its table: {section.name.text} is aligned to {step}",
        label=f"known here: {known}",
        related=(Related(view.locate(align or section), "aligned behind the symbol"),),
        help=f"look at what stands ahead of {name}: that has to end at a multiple of {step}",
        fix=align_ahead(f". = ALIGN({step});", start, view, "ahead of it"),
        severity=Severity.WARNING,
    )


def _sections_up_to_end(nodes: Sequence[Node], start: Assignment) -> tuple[list[OutputSection], Assignment | None]:
    """The output sections from a start symbol to the end symbol that goes with it."""
    found: list[OutputSection] = []
    for node in nodes:
        if isinstance(node, OutputSection):
            found.append(node)
        elif (symbol := place_symbol(node)) is not None and is_start_to_end(start, symbol) and found:
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
            if any(project_family_of(name) is not Family.OTHER for name in names_in(inputs)):
                return False
    return False


# A section that is put at an address ----------------------------------------------------------------------------------


def _at_an_address(section: OutputSection, body: Sequence[Node], view: ScriptView) -> Iterator[Problem]:
    """A section at `.` does not start where its inputs need it to, so that its first symbol lies ahead of padding."""
    address = section.address
    if not (isinstance(address, Name) and address.name == ".") or section.align is not None or len(body) < 2:
        return
    start = place_symbol(body[0])
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


# What the link has between symbols and tables ------------------------------------------------------------------------


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED with a problem for each symbol that has padding between itself and its table; needs script and map."""
    if view.script is None or view.map is None:
        missing = "no map, give --map" if view.map is None else "no script, whose symbols could be around a table"
        return Judgement(Standing.UNKNOWN, reason=missing)
    if view.map.incomplete:
        return Judgement(Standing.UNKNOWN, reason=f"{view.map.path} is incomplete: {view.map.incomplete[0]}")
    problems: list[Problem] = []
    tight: set[str] = set()
    untold: list[str] = []
    for pair in pairs(view.script):
        names = names_in(pair.inputs)
        of_records = is_table(names) or are_relocations(names)
        for node, gap in ((pair.start, gap_ahead(pair, view)), (pair.end, gap_behind(pair, view))):
            if gap == 0:
                tight.add(node.target.text)
            elif gap and of_records and (is_code := encloses_code(pair, view)) is None:
                untold.append(f"{pair.start.target.text} .. {pair.end.target.text}")
            elif gap and of_records and not is_code:
                problems.append(padded(pair, node, gap, view))
    # What the script makes likely is taken back only where the link shows that there is no padding.
    known = tight.union(problem.subject for problem in problems)
    likely = view.script.judgements.get(rule) or on_script(rule, view.script)
    rest = [problem for problem in likely.problems if problem.subject not in known]
    if rest and not problems:
        return Judgement(Standing.UNKNOWN, reason=f"the link does not tell where the table of {rest[0].subject} is")
    if untold and not problems:
        return Judgement(Standing.UNKNOWN, reason=f"whether {untold[0]} is code only an ELF file tells, give --elf")
    evidence = tuple(kind for kind in view.available if kind is not EvidenceKind.OBJECTS)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, (*problems, *rest), evidence=evidence)
