"""Start symbols that may lie ahead of the padding in front of their table.

## What it does
Looks at tables between two symbols (`start = .; *(.table) end = .;`) of sections with a name of the project's own.
Reports a start symbol behind other inputs, or outside of the output section that follows, where nothing in the script
aligns it.

## Why is this bad
The linker aligns the table's first input behind the symbol. The symbol then is some bytes below the first record, and
the loop that starts there reads garbage: a data abort in the best case.

## Example
    .rodata : { *(.rodata) __start_drivers = .; *(.drivers) __stop_drivers = .; }

## Use instead
    .rodata : { *(.rodata) . = ALIGN(8); __start_drivers = .; *(.drivers) __stop_drivers = .; }

## Limits
Code, data, bss and read-only data between symbols are ranges and no tables. A start symbol that is the first thing in
its output section has the section's alignment. Tables of bytes need no alignment: allow them. A table right behind
another one whose name begins alike is taken for one of the same records.

## References
GNU ld manual, "Source Code Reference"; the check `bracket` judges one table exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing
from ldcheck.judging.edits import put_ahead
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.subjects import marks_a_place, names_an_end
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Assignment, InputSectionDescription, Node, OutputSection, SectionGroup, Sections
from ldcheck.sections.families import Family, project_family_of
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Start symbols that may lie ahead of padding."),
    evidence=(EvidenceKind.SCRIPT,),
)

# The least that a table of pointers or words asks for.
_WORD = 4

# Words that the toolchain makes behind words: relocations, and what -mrelocatable of PowerPC emits.
_TOOLCHAIN = (".rel", ".got", ".fixup", ".rofixup")


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for each start symbol that nothing aligns."""
    problems: list[Problem] = []
    for node in view.statements:
        if isinstance(node, OutputSection):
            problems += _inside(node, view)
        elif isinstance(node, Sections | SectionGroup):
            problems += _ahead(node.statements, view)
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, tuple(problems))


def _inside(section: OutputSection, view: ScriptView) -> Iterator[Problem]:
    body = section.statements
    for at, node in enumerate(body[:-2]):
        table, behind = body[at + 1], body[at + 2]
        if not (_starts(node) and isinstance(table, InputSectionDescription) and _marks(behind)):
            continue
        before = next((one for one in reversed(body[:at]) if isinstance(one, InputSectionDescription)), None)
        if before is not None and _is_table(table) and not _alike(before, table):
            yield from _unaligned(node, table, view)


def _ahead(nodes: Sequence[Node], view: ScriptView) -> Iterator[Problem]:
    for at, node in enumerate(nodes[:-2]):
        section, behind = nodes[at + 1], nodes[at + 2]
        if not (_marks(node) and isinstance(section, OutputSection) and _marks(behind)):
            continue
        inputs = [one for one in section.statements if isinstance(one, InputSectionDescription)]
        if inputs and all(_is_table(one) for one in inputs) and section.address is None and section.region is None:
            yield from _unaligned(node, section.name, view)


def _marks(node: Node) -> bool:
    return isinstance(node, Assignment) and node.target.text != "." and marks_a_place(node)


def _starts(node: Node) -> bool:
    return isinstance(node, Assignment) and _marks(node) and not names_an_end(node.target.text)


def _is_table(node: InputSectionDescription) -> bool:
    """Whether only sections with names of the project's own are taken, and no constructors."""
    names = [pattern.pattern.text for pattern in node.patterns or ()]
    return bool(names) and all(
        project_family_of(name) is Family.OTHER and name.startswith((".", "_")) and not name.startswith(_TOOLCHAIN)
        for name in names
    )


def _alike(before: InputSectionDescription, table: InputSectionDescription) -> bool:
    """Whether two statements take sections whose names begin alike: adjacent tables of the same records."""
    one, other = (node.patterns[0].pattern.text if node.patterns else "" for node in (before, table))
    return _first_word(one) == _first_word(other)


def _first_word(name: str) -> str:
    return name.strip("._").replace("_", ".").partition(".")[0]


def _unaligned(node: Node, table: Node, view: ScriptView) -> Iterator[Problem]:
    assert isinstance(node, Assignment)
    name = node.target.text
    known = view.layout.value(node)
    if known is None or known.aligned_to(_WORD):
        return
    yield view.problem(
        node,
        name,
        f"{name} may lie ahead of the padding in front of its table",
        label=f"known here: {known}",
        related=(Related(view.locate(table), "aligned behind the symbol"),),
        help=f"look at what stands ahead of {name}: that has to end at the alignment of a record",
        fix=put_ahead(". = ALIGN(8);", node, view, "put `. = ALIGN(8);` (the alignment of a record) ahead of it"),
    )
