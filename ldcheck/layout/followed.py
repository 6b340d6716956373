"""Where the walk does not follow a linker: statements because of which nothing is known of a script's addresses."""

from __future__ import annotations

from collections.abc import Iterable

from ldcheck.layout.flow import flow
from ldcheck.layout.traits import Collected, statements
from ldcheck.linker import LLD, Linker
from ldcheck.record import replace
from ldcheck.script.syntax import Call, InputSectionDescription, Name, OutputSection, Script, walk
from ldcheck.script.uses import sections_addressed
from ldcheck.sections.rules import describe

# Until then, GNU ld makes one section of all that have the same name.
_APART = (2, 40)


def not_followed(tree: Script, linker: Linker) -> OutputSection | None:
    """The output section that makes a linker order sections in a way that the walk does not follow; None if none does.

    Where ONLY_IF_RO or ONLY_IF_RW leaves out a section, lld drops it, unless there is more to it: an expression speaks
    of it, it speaks of symbols itself, or inputs of its name join it that no pattern takes. Then lld sorts all that
    stands behind it. Older GNU ld puts what the second section of a name holds into the first one.
    """
    sections = flow(tree).sections
    if linker.kind == LLD.kind:
        limited = [section for section in sections if section.constraint]
        if not limited:
            return None
        kept = {name for node in walk(tree) if isinstance(node, Call) for name in sections_addressed(node)}
        collected = Collected(_without_pairs(sections))
        return next(
            (one for one in limited if one.name.text in kept or collected.may_grow(one) or _speaks_of_symbols(one)),
            None,
        )
    names: set[str] = set()
    for section in sections:
        if section.name.text in names and linker.is_before(*_APART):
            return section
        if section.name.text != "/DISCARD/":
            names.add(section.name.text)
    return None


def _without_pairs(sections: Iterable[OutputSection]) -> list[OutputSection]:
    """The sections, those of a pair with ONLY_IF_RO and ONLY_IF_RW for the same inputs as if they took all of them."""
    pairs: dict[tuple[str, ...], set[str]] = {}
    for section in sections:
        pairs.setdefault(_inputs_of(section), set()).add(section.constraint)
    return [
        replace(section, constraint="") if {"ONLY_IF_RO", "ONLY_IF_RW"} <= pairs[_inputs_of(section)] else section
        for section in sections
    ]


def _inputs_of(section: OutputSection) -> tuple[str, ...]:
    """What tells pairs: the name, and the text of all patterns."""
    return section.name.text, *(
        describe(node, pattern)
        for node in statements(section.statements)
        if isinstance(node, InputSectionDescription)
        for pattern in node.patterns or (None,)
    )


def _speaks_of_symbols(section: OutputSection) -> bool:
    """Whether anything in an output section, its header included, asks for the value of a symbol."""
    return any(
        (isinstance(node, Name) and node.name != ".") or (isinstance(node, Call) and node.function == "DEFINED")
        for node in walk(section)
    )
