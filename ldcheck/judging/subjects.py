"""What a name in a policy means in a script and in an image.

A name is looked up in the order in which a person means it: an output section, a symbol that the script assigns, and
at last a pattern of an input section description.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ldcheck.findings import Judgement, Problem, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.linked_sections import several
from ldcheck.judging.reordering import bound_to_order
from ldcheck.policy.rule import Named
from ldcheck.script.marks import marks_a_place as marks_a_place  # noqa: PLC0414 - part of what this module gives
from ldcheck.script.marks import names_a_start as names_a_start  # noqa: PLC0414 - as above
from ldcheck.script.marks import names_an_end as names_an_end  # noqa: PLC0414 - as above
from ldcheck.script.syntax import Assignment, Node, OutputSection
from ldcheck.source import Related
from ldcheck.words import listed

if TYPE_CHECKING:
    from ldcheck.layout.facts import Known
    from ldcheck.layout.result import Layout
    from ldcheck.sections.rules import InputRule


# What a name may have to be for a check.
INPUT = "an input section that a statement takes"
OUTPUT = "an output section"
SYMBOL = "a symbol"


def absent(named: Named, view: ScriptView, wanted: str = "") -> Judgement:
    """The judgement on a name that nothing in the script has, or something else than what is `wanted`."""
    name = named.text
    is_what = _kind_of(name, view)
    if is_what:
        reason = f"{name} is {is_what} of the script, and wanted is {wanted or 'something else'}"
        advice = f"name {wanted}, or say `optional: true`" if wanted else "correct the name, or say `optional: true`"
    else:
        reason = f"nothing in the script is called {name}"
        similar = view.similar(name)
        advice = f"did you mean {similar}?" if similar else "correct the name, or say `optional: true`"
    problem = Problem(name, reason, location=named.location, label=is_what, help=advice)
    return Judgement(Standing.ABSENT, (problem,), reason=reason)


def _kind_of(name: str, view: ScriptView) -> str:
    """What the script has of that very name; empty if nothing."""
    if name in view.output_sections:
        return OUTPUT
    if name in view.assignments:
        return SYMBOL
    return "a section pattern" if name in view.known_names else ""


STRIPPED = "the ELF file is stripped of its symbols, give the unstripped one"


def missing(names: Sequence[str], view: ImageView, reason: str = "") -> Judgement:
    """The judgement on names that mean no address of the image: undecided if it has several, or may have had one."""
    for name in names:
        if ambiguous := several(name, view.sections):
            return Judgement(Standing.UNDECIDED, reason=ambiguous)
    reason = reason or f"the image has no {' and no '.join(names)}"
    if doubts := [doubt for name in names if (doubt := view.doubt(name))]:
        return Judgement(Standing.UNKNOWN, reason=f"{doubts[0]}; a map of GNU ld tells which the script made")
    if may_be_there(names, view):
        return Judgement(Standing.UNKNOWN, reason=f"{reason}: {STRIPPED}")
    declared = view.script is not None and any(view.script.declared(name) is not None for name in names)
    return Judgement(Standing.UNKNOWN if declared else Standing.ABSENT, reason=reason)


def may_be_there(names: Sequence[str], view: ImageView) -> bool:
    """Whether one of these names, of which the image tells no address, may be a symbol all the same.

    It may have been taken out, or be the name of several.
    """
    if any(view.doubt(name) for name in names):
        return True
    return view.stripped and not all(name.startswith(".") for name in names)


def naming(name: str, view: ScriptView) -> tuple[InputRule, ...]:
    """The rules whose section pattern is the name, or lies within it if the name is a pattern itself."""
    from ldcheck.sections.globs import section_glob
    from ldcheck.sections.reach import names

    wanted = section_glob(name)
    return tuple(rule for rule in view.rules if rule.pattern is not None and names(rule.names, wanted))


def address_of(name: str, view: ScriptView, layout: Layout | None = None) -> tuple[Node, Known] | None:
    """Where a name is established in the script, and what is guaranteed of its address; None if nothing has it.

    What the script's own ASSERTs demand of a symbol counts: a link that fails one is no link. A symbol that the script
    PROVIDEs has the value that it is given there: where an object defines it instead, the script has no say. `layout`
    is what to look it up in, the view's own if not given.
    """
    layout = layout or view.layout
    if name in view.output_sections and name != "/DISCARD/":
        known = layout.section_start(name)
        if known is not None:
            return view.output_sections[name][0], known
    if name in view.assignments:
        node = view.assignments[name][-1]
        known = layout.symbol(name, with_assertions=True)
        offered = layout.value(node) if node.keyword.startswith("PROVIDE") else None
        if offered is not None and (known is None or known.anchor is None):
            known = offered
        if known is not None:
            return node, known
    for rule in naming(name, view):
        if not rule.discards:
            known = layout.first_input(rule.statement)
            if known is not None:
                return rule.pattern or rule.statement, known
    return None


def tried_ahead(rule: InputRule, earlier: InputRule, view: ScriptView) -> str:
    """What to look at where `rule` is to be tried ahead of `earlier`, which takes its sections."""
    behind, first = view.locate(rule.statement), view.locate(earlier.statement)
    narrow = f"narrow `{earlier.text}` so that it leaves these sections alone"
    if rule.section is not earlier.section:
        sections = (earlier.section, rule.section)
        bound = bound_to_order(sections[0], sections[1], view) if sections[0] and sections[1] else ""
        if bound:
            return f"{narrow}: in another order of {earlier.output} and {rule.output}, {bound} may mean something else"
        return f"look at the order of {earlier.output} and {rule.output}, or {narrow}"
    if behind.file == first.file and behind.line != first.line:
        return f"look at what stands between lines {first.line} and {behind.line}, whose order matters, or {narrow}"
    return f"look at the order of `{earlier.text}` and `{rule.text}`, or {narrow}"


def kept_by(rule: InputRule, section: str, view: ScriptView) -> str:
    """The ENTRY() or EXTERN() that may keep what a rule takes of a section without KEEP(); empty if none does.

    It does if the section is called after the symbol. The entry may also be in what comes first of all, unless it is
    by its name the code of a vector table that stands there.
    """
    from ldcheck.sections.roots import alike, entry, externs, meant, roots, words

    found = roots(view.tree, view.assignments, view.linker)
    named = next((symbol for symbol in found if alike(symbol, section)), "")
    if named:
        return f"{'EXTERN' if named in externs(view.tree) else 'ENTRY'}({named})"
    first = next((one for one in view.rules if not one.discards), None)
    start = entry(view.tree)
    if first is None or first.statement is not rule.statement or not start or not meant(start, view.assignments):
        return ""
    code_of_a_table = "vector" in words(section) and words(start) & {"reset", "handler", "main"}
    return "" if code_of_a_table else f"ENTRY({start})"


def unread(view: ScriptView) -> Judgement:
    """The judgement on what a script does not say, where a file that it INCLUDEs was not found."""
    return Judgement(Standing.UNKNOWN, reason=f"cannot find the file {view.unread}, which may say it")


def opened_section(assignment: Assignment, view: ScriptView) -> OutputSection | None:
    """The output section at whose very beginning an assignment stands, with at most other symbols ahead of it."""
    for node in reversed(view.statements[: view.positions[id(assignment)]]):
        if isinstance(node, OutputSection):
            return node if node.body_start < assignment.start < node.body_end else None
        if not isinstance(node, Assignment) or node.target.text == ".":
            return None
    return None


def merged_away(name: str, view: ImageView) -> str:
    """Why the map of lld does not tell where inputs of a name went: they may be part of what was merged."""
    where = listed(list(dict.fromkeys(section.name for section, _ in view.inputs.merged(name))))
    remedy = "give the map of a link with -O0" if view.inputs.unlisted.complete else "give all objects of the link"
    return f"{name} may be part of what lld merged in {where}, whose names its map does not have: {remedy}"


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
