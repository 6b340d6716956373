"""What a name in a policy means in a script and in an image.

A name is looked up in the order in which a person means it: an output section, a symbol that the script assigns, and
at last a pattern of an input section description.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ldcheck.findings import Judgement, Problem, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.policy.rule import Named
from ldcheck.script.syntax import Assignment, Call, Name, Node, Word
from ldcheck.source import Related

if TYPE_CHECKING:
    from ldcheck.layout.facts import Known
    from ldcheck.sections.rules import InputRule


def absent(named: Named, view: ScriptView) -> Judgement:
    """The judgement on a name that nothing in the script has."""
    reason = f"nothing in the script is called {named.text}"
    similar = view.similar(named.text)
    advice = f"did you mean {similar}?" if similar else "correct the name, or say `optional: true`"
    problem = Problem(named.text, reason, location=named.location, help=advice)
    return Judgement(Standing.ABSENT, (problem,), reason=reason)


STRIPPED = "the ELF file is stripped of its symbols, give the unstripped one"


def missing(names: Sequence[str], view: ImageView, reason: str = "") -> Judgement:
    """The judgement on names that the image does not have: undecided if it may have had them all the same."""
    reason = reason or f"the image has no {' and no '.join(names)}"
    if may_be_stripped(names, view):
        return Judgement(Standing.UNKNOWN, reason=f"{reason}: {STRIPPED}")
    declared = view.script is not None and any(view.script.declared(name) is not None for name in names)
    return Judgement(Standing.UNKNOWN if declared else Standing.ABSENT, reason=reason)


def may_be_stripped(names: Iterable[str], view: ImageView) -> bool:
    """Whether one of these names, which the image does not have, may be a symbol that was taken out of it."""
    return view.stripped and not all(name.startswith(".") for name in names)


def naming(name: str, view: ScriptView) -> tuple[InputRule, ...]:
    """The rules whose section pattern is the name, or lies within it if the name is a pattern itself."""
    from ldcheck.sections.globs import section_glob
    from ldcheck.sections.reach import names

    wanted = section_glob(name)
    return tuple(rule for rule in view.rules if rule.pattern is not None and names(rule.names, wanted))


def address_of(name: str, view: ScriptView) -> tuple[Node, Known] | None:
    """Where a name is established in the script, and what is guaranteed of its address; None if nothing has it.

    What the script's own ASSERTs demand of a symbol counts: a link that fails one is no link.
    """
    if name in view.output_sections and name != "/DISCARD/":
        known = view.layout.section_start(name)
        if known is not None:
            return view.output_sections[name][0], known
    if name in view.assignments:
        known = view.layout.symbol(name, with_assertions=True)
        if known is not None:
            return view.assignments[name][-1], known
    for rule in naming(name, view):
        if not rule.discards:
            known = view.layout.first_input(rule.statement)
            if known is not None:
                return rule.pattern or rule.statement, known
    return None


def taken_by_half(name: str, taker: InputRule, view: ScriptView) -> Problem:
    """What is wrong with a family of toolchain sections of which `taker` takes the bare name and nothing the rest."""
    return view.problem(
        taker.node,
        name,
        f"nothing takes `{name}.*`: split sections of this family would be orphans",
        label=f"takes {name} and nothing else of the family",
        witness=f"{name}.x",
        help=f"write `{name} {name}.*`",
    )


def move_ahead(rule: InputRule, earlier: InputRule, view: ScriptView) -> str:
    """What to do so that `rule` is tried ahead of `earlier`, which takes its sections."""
    moved, target = view.locate(rule.statement), view.locate(earlier.statement)
    if rule.section is not earlier.section:
        where = f"{rule.output} ahead of {earlier.output}"
        return f"move {where}, or narrow `{earlier.text}` so that it leaves these sections alone"
    if moved.file == target.file and moved.line != target.line:
        return f"move line {moved.line} ahead of line {target.line}"
    return f"put `{rule.text}` ahead of `{earlier.text}`"


def kept_by(rule: InputRule, section: str, view: ScriptView) -> str:
    """The ENTRY() or EXTERN() that may keep what a rule takes of a section without KEEP(); empty if none does.

    It does if the section is called after the symbol. The entry may also be in what comes first of all, unless it is
    by its name the code of a vector table that stands there.
    """
    from ldcheck.sections.roots import alike, entry, externs, meant, roots, words

    found = roots(view.tree, view.assignments)
    named = next((symbol for symbol in found if alike(symbol, section)), "")
    if named:
        return f"{'EXTERN' if named in externs(view.tree) else 'ENTRY'}({named})"
    first = next((one for one in view.rules if not one.discards), None)
    start = entry(view.tree)
    if first is None or first.statement is not rule.statement or not start or not meant(start, view.assignments):
        return ""
    code_of_a_table = "vector" in words(section) and words(start) & {"reset", "handler", "main"}
    return "" if code_of_a_table else f"ENTRY({start})"


def marks_a_place(assignment: Assignment) -> bool:
    """Whether a symbol is given the location counter (also aligned, or ABSOLUTE), so that its place is its address."""
    value = assignment.value
    while isinstance(value, Call) and value.function in ("ALIGN", "ABSOLUTE"):
        if len(value.arguments) == 1 and value.function == "ALIGN":
            return True
        inner = value.arguments[0]
        if isinstance(inner, Word):
            return False
        value = inner
    return isinstance(value, Name) and value.name == "." and assignment.operator == "="


_ENDS = frozenset(("end", "stop"))
_STARTS = frozenset(("start", "begin"))


def names_an_end(symbol: str) -> bool:
    """Whether a symbol is by its name the end of what stands in front of it: `__end_once`, `__stop___x`."""
    return bool(_ENDS & _outer_words(symbol))


def names_a_start(symbol: str) -> bool:
    """Whether a symbol is by its name the start of what stands behind it."""
    return bool(_STARTS & _outer_words(symbol)) and not names_an_end(symbol)


# What tells a start from an end: a word anywhere, or one letter in front (`_sdata`, `_edata`, `edata`).
_BOUND = re.compile(r"start|begin|base|end|stop|limit")
_LETTER = re.compile(r"^_*[se](?=[a-z])")


def stem(symbol: str) -> str:
    """What a start and an end have in common: of `__start_x`, `_ex`, `x_end`."""
    symbol = symbol.lower()
    without = _BOUND.sub("", symbol)
    return (without if without != symbol else _LETTER.sub("", symbol)).strip("_")


def is_start_to_end(start: Assignment, end: Assignment) -> bool:
    """Whether two symbols are by their names the start and the end of one thing, and mark places."""
    return (
        marks_a_place(start)
        and marks_a_place(end)
        and not names_an_end(start.target.text)
        and not names_a_start(end.target.text)
        and start.target.text != end.target.text
        and stem(start.target.text) == stem(end.target.text)
    )


def _outer_words(symbol: str) -> set[str]:
    words = symbol.lower().strip("_").split("_")
    return {words[0], words[-1]}


def first_address(name: str, view: ImageView) -> int | None:
    """The lowest address of an input section of that name (or pattern) in the map."""
    from ldcheck.sections.globs import section_glob

    glob = section_glob(name)
    return min((part.address for _, part in view.inputs.named(glob)), default=None)


def obstacles(known: Known, view: ScriptView, most: int = 2) -> tuple[Related, ...]:
    """The statements because of which no more is known of an address, as related places."""
    return tuple(
        Related(view.locate(reason.node), reason.text) for reason in known.obstacles[:most] if reason.node is not None
    )
