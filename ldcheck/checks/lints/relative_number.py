"""Numbers that are assigned inside an output section and become addresses.

## What it does
Reports a symbol that is assigned a mere number inside an output section, without ABSOLUTE(): a size (`. - start`,
`SIZEOF(.text)`), a constant, or a symbol that is absolute itself.

## Why is this bad
GNU ld takes a number in an output section to count from the section's start, and adds the section's address: a size of
0x20 in a section at 0x8000 becomes 0x8020, and a copy that is to start at `_etext` starts somewhere else. lld leaves
the number alone.

## Example
    .text : { start = .; *(.text) text_size = . - start; }

## Use instead
    .text : { start = .; *(.text) text_size = ABSOLUTE(. - start); }

## Limits
A warning where the script only moves the section's own location counter by the number, which comes to the same: code
may read it all the same. Nothing is said of a section at address 0, of an address less a constant, and of a bare 0,
which may mean the section's start.

## References
GNU ld manual, "Expression Section".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.linker import only_lld
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Assignment, Name, Node, Number, OutputSection, statements, walk

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Numbers that become addresses."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for each number to which GNU ld adds an address."""
    if only_lld(view.linkers):
        return Judgement(Standing.ABSENT, reason="lld leaves numbers as they are")
    numbers = _numbers(view)
    used = _names([view.tree]) if numbers else Counter[str]()
    problems = tuple(_problem(section, node, used, view) for section, node in numbers)
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, problems)


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED with a problem for each of the script's numbers that is an address in the image; needs both."""
    if view.elf is None or view.script is None:
        missing = "no ELF, give --elf" if view.elf is None else "no script that tells what is a number"
        return Judgement(Standing.UNKNOWN, reason=missing)
    problems = []
    seen = False
    for section, node in _numbers(view.script):
        name = node.target.text
        symbol = view.elf.symbols.get(name)
        if symbol is not None and view.symbol(name) != symbol.value:
            # That is another symbol of the name.
            symbol = None
        seen = seen or symbol is not None
        if symbol is not None and symbol.section is not None and view.address(section.name.text):
            fact = f"in the image: {name} is {symbol.value:#x}, in {section.name.text}"
            problems.append(view.problem(name, name, f"{name} is an address in the image", facts=(fact,)))
    if problems:
        return Judgement(Standing.REFUTED, tuple(problems))
    return Judgement(Standing.HOLDS) if seen else Judgement(Standing.ABSENT)


def _numbers(view: ScriptView) -> list[tuple[OutputSection, Assignment]]:
    """The assignments in output sections whose value is a mere number, and the section's address not known to be 0."""
    found = []
    for section in (section for sections in view.output_sections.values() for section in sections):
        start = view.layout.before(section.statements[0]) if section.statements else None
        if start is not None and start.value == 0:
            continue
        found += [
            (section, node)
            for node in statements(section)
            if isinstance(node, Assignment) and node.target.text != "." and _is_number(node, view)
        ]
    return found


def _is_number(node: Assignment, view: ScriptView) -> bool:
    """Whether a number is assigned, but for a bare 0: so some write the start of the section that they are in."""
    zero = isinstance(node.value, Number) and node.value.value == 0
    return view.layout.offset(node) is not None and not zero


def _problem(section: OutputSection, node: Assignment, used: Counter[str], view: ScriptView) -> Problem:
    name, output = node.target.text, section.name.text
    number = view.layout.offset(node)
    value = view.layout.value(node)
    exact = None if number is None or value is None or value.value is None else number.value
    local = _moves_only(name, section, used)
    if local:
        message = f"{name} is a number, but code that reads it gets it with the address of {output} added"
    elif exact is not None and value is not None:
        message = f"{name} is meant to be {exact:#x}, and GNU ld makes it {value}: it adds the address of {output}"
    else:
        message = f"{name} is a number, and GNU ld adds the address of {output} to it"
    return view.problem(
        node,
        name,
        message,
        at=node.value,
        label=f"counts from the start of {output}",
        help="wrap the value in ABSOLUTE(), or assign it outside of the output section",
        severity=Severity.WARNING if local else Severity.ERROR,
    )


def _names(nodes: Iterable[Node]) -> Counter[str]:
    """How often names are used in expressions at or below nodes."""
    return Counter(part.name for node in nodes for part in walk(node) if isinstance(part, Name))


def _moves_only(name: str, section: OutputSection, used: Counter[str]) -> bool:
    """Whether a symbol is used, and nowhere but where the location counter of `section` is moved."""
    moving = [node.value for node in statements(section) if isinstance(node, Assignment) and node.target.text == "."]
    return 0 < used[name] == _names(moving)[name]
