"""Sizes of thread-local storage that are counted with the location counter.

## What it does
Reports a symbol that is the distance of the location counter, or of a symbol behind it, from one in front of a
`.tbss` section, and one that by its name (`__tls_end`) is to be the end of it. With an image it tells both sizes.

## Why is this bad
`.tbss` has no room of its own in the image: ld puts the location counter back behind it. The distance is that of
`.tdata` alone, and each thread gets too little memory for its variables.

## Example
    tls_start = .;
    .tdata : { *(.tdata .tdata.*) }
    .tbss : { *(.tbss .tbss.*) }
    tls_size = . - tls_start;

## Use instead
    .tdata : { *(.tdata .tdata.*) }
    .tbss : { *(.tbss .tbss.*) }
    tls_size = SIZEOF(.tdata) + SIZEOF(.tbss);

## Limits
Only distances that the script itself works out are seen, and sections that by their patterns hold nothing but
`.tbss`. The alignment between the two sections counts as well: the segment PT_TLS has the exact size.

## References
GNU ld manual, "Output Section Discarding" (.tbss); ldlang.c, lang_size_sections_1; ELF gABI, "Thread-Local Storage".
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.record import dataclass
from ldcheck.script.marks import marks_a_place, names_an_end
from ldcheck.script.syntax import Assignment, Binary, Call, Expression, Name, Node, OutputSection, Word
from ldcheck.sections.families import THREAD_ZEROS, takes_only
from ldcheck.source import Related
from ldcheck.words import counted

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Sizes of thread-local storage that are counted with the location counter."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
)

_INITIALISED = (".tdata", ".gnu.linkonce.td.")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Distance:
    """A symbol that is a distance, and the thread-local section that it does not count."""

    node: Assignment
    section: OutputSection

    @property
    def symbol(self) -> str:
        """The name of the symbol."""
        return self.node.target.text


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for each size that is wrong as soon as an object has such variables."""
    problems = tuple(_problem(found, view, severity=Severity.WARNING) for found in _distances(view))
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, problems)


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED where the section has content, so that the size is wrong."""
    if view.elf is None or view.script is None:
        missing = "no ELF, give --elf" if view.elf is None else "no script, whose symbols could be sizes"
        return Judgement(Standing.UNKNOWN, reason=missing)
    problems: list[Problem] = []
    for found in _distances(view.script):
        section = view.elf.section(found.section.name.text)
        if section is not None and section.size:
            problems.append(_problem(found, view.script, facts=_sizes(found.symbol, view)))
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _sizes(symbol: str, view: ImageView) -> tuple[str, ...]:
    assert view.elf is not None
    value = view.symbol(symbol)
    template = next((one.memory_size for one in view.elf.segments if one.type == "TLS"), None)
    said = [f"{symbol} is {counted(value, 'byte')}"] if value is not None else []
    said += [f"thread-local storage takes {counted(template, 'byte')}"] if template is not None else []
    return (f"in the image: {', '.join(said)}",) if said else ()


def _distances(view: ScriptView) -> Iterator[_Distance]:
    sections = [node for node in view.statements if isinstance(node, OutputSection)]
    zeroed = {id(node) for node in sections if takes_only(node, THREAD_ZEROS, view.rules)}
    local = {id(node) for node in sections if takes_only(node, THREAD_ZEROS + _INITIALISED, view.rules)}
    in_front: Node | None = None
    for node in view.statements if zeroed else ():
        if isinstance(node, Assignment) and node.operator == "=" and node.target.text != ".":
            if isinstance(in_front, OutputSection) and id(in_front) in zeroed and _ends_storage(node, view):
                yield _Distance(node, in_front)
            for high, low in _stretches(node, view):
                # A distance over other sections too is not meant as a size of thread-local storage.
                between = [section for section in sections if low < section.end and section.start < high]
                skipped = [section for section in between if id(section) in zeroed and section.end <= high]
                if skipped and all(id(section) in local for section in between):
                    yield _Distance(node, skipped[0])
                    break
        if id(node) not in view.enclosing and not isinstance(node, Assignment):
            in_front = node


def _ends_storage(node: Assignment, view: ScriptView) -> bool:
    """Whether a symbol outside of all sections is by its name the end of thread-local storage."""
    name = node.target.text.lower()
    is_named = names_an_end(name) and any(word in name for word in ("tls", "tbss"))
    return is_named and id(node) not in view.enclosing and marks_a_place(node)


def _stretches(node: Assignment, view: ScriptView) -> Iterator[tuple[int, int]]:
    """The parts of the script, from behind to in front, over which a value counts a distance."""
    for end, start in _differences(node.value):
        high = node.start if isinstance(end, Name) and end.name == "." else _place(end, view)
        low = _place(start, view)
        if low is not None and high is not None:
            yield high, low


def _differences(value: Expression) -> Iterator[tuple[Expression, Expression]]:
    """The differences between two addresses in an expression."""
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, Binary):
            if node.operator == "-":
                yield node.left, node.right
            pending += [node.left, node.right]
        elif isinstance(node, Call):
            pending += [argument for argument in node.arguments if not isinstance(argument, Word)]


def _place(value: Expression, view: ScriptView) -> int | None:
    """Where in the script the address is that a symbol is given, or ADDR() asks for."""
    if isinstance(value, Name):
        nodes = view.assignments.get(value.name, ())
        return nodes[-1].start if nodes and marks_a_place(nodes[-1]) else None
    if isinstance(value, Call) and value.function == "ADDR" and isinstance(value.arguments[0], Word):
        sections = view.output_sections.get(value.arguments[0].text, ())
        return sections[0].start if sections else None
    return None


def _problem(
    found: _Distance, view: ScriptView, facts: tuple[str, ...] = (), severity: Severity | None = None
) -> Problem:
    name = found.section.name.text
    return view.problem(
        found.node,
        found.symbol,
        f"{found.symbol} does not count {name}, which does not move the location counter",
        label="counted with the location counter",
        related=(Related(view.locate(found.section), "takes no room here"),),
        facts=facts,
        help=f"count with SIZEOF({name})",
        severity=severity,
    )
