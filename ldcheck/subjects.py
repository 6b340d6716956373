"""What a name in a policy means in a script and in an image.

A name is looked up in the order in which a person means it: an output section, a symbol that the script assigns, and
at last a pattern of an input section description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldcheck.evidence import ImageView, ScriptView
from ldcheck.findings import Judgement, Problem, Standing
from ldcheck.policy.rule import Named
from ldcheck.script.syntax import Node
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


def naming(name: str, view: ScriptView) -> tuple[InputRule, ...]:
    """The rules whose section pattern is the name, or lies within it if the name is a pattern itself."""
    from ldcheck.sections.globs import section_glob
    from ldcheck.sections.reach import names

    wanted = section_glob(name)
    return tuple(rule for rule in view.rules if rule.pattern is not None and names(rule.names, wanted))


def address_of(name: str, view: ScriptView) -> tuple[Node, Known] | None:
    """Where a name is established in the script, and what is guaranteed of its address; None if there is no such name."""
    if name in view.output_sections and name != "/DISCARD/":
        known = view.layout.section_start(name)
        if known is not None:
            return view.output_sections[name][0], known
    if name in view.assignments:
        known = view.layout.symbol(name)
        if known is not None:
            return view.assignments[name][-1], known
    for rule in naming(name, view):
        if not rule.discards:
            known = view.layout.first_input(rule.statement)
            if known is not None:
                return rule.pattern or rule.statement, known
    return None


def first_address(name: str, view: ImageView) -> int | None:
    """The lowest address of an input section of that name (or pattern) in the map."""
    from ldcheck.sections.globs import section_glob

    glob = section_glob(name)
    return min((part.address for _, part in view.inputs() if part.size and glob.matches(part.name)), default=None)


def obstacles(known: Known, view: ScriptView, most: int = 2) -> tuple[Related, ...]:
    """The statements because of which no more is known of an address, as related places."""
    return tuple(
        Related(view.locate(reason.node), reason.text) for reason in known.obstacles[:most] if reason.node is not None
    )
