"""Asks a check what it says of one piece of evidence: of a script once, and for every linker that is meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import TypeVar

from ldcheck.findings import Judgement, Standing, undecided
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.linker import Linker
from ldcheck.policy.rule import Rule, names_of
from ldcheck.record import replace
from ldcheck.sections.budget import TooComplexError
from ldcheck.words import listed

_View = TypeVar("_View", ScriptView, ImageView)
_WORD = re.compile(r"[\w.$]+")
# So many symbols are named.
_MOST = 4


def of_script(judge: Callable[[Rule, ScriptView], Judgement], rule: Rule, view: ScriptView) -> Judgement:
    """What a check says of a script, for every linker that is meant; asked once."""
    known = view.judgements.get(rule)
    if known is None:
        view.asked_layout = False
        known = decided(judge, rule, view)
        if view.linkers and view.asked_layout:
            known = _for_linkers(judge, rule, view, known)
        if known.problems and view.preprocessed is not None:
            from ldcheck.judging.unsettled import unless_it_hangs_on_macros

            known = unless_it_hangs_on_macros(partial(decided, judge), rule, view, known)
        if known.standing is Standing.HOLDS and (condition := _unless_defined(rule, view)):
            known = replace(known, reason="; ".join(filter(None, (known.reason, condition))))
        view.judgements[rule] = known
    return known


def _unless_defined(rule: Rule, view: ScriptView) -> str:
    """The condition on which a script decides of symbols that it only PROVIDEs; empty if it names none of them."""
    if not view.asked_layout:
        return ""
    named = [*names_of(rule.subject), *(one for value in rule.keys.values() for one in names_of(value))]
    # Of `start..end` both are named.
    texts = [text for one in named for text in (one.text, *one.text.split(".."))]
    words = dict.fromkeys(word for text in texts for word in _WORD.findall(text))
    provided = [word for word in words if _is_provided(word, view)]
    return f"unless an object defines {listed(provided, _MOST, joint='or')}" if provided else ""


def _is_provided(name: str, view: ScriptView) -> bool:
    nodes = view.assignments.get(name, ())
    return bool(nodes) and all(node.keyword.startswith("PROVIDE") for node in nodes)


def _for_linkers(
    judge: Callable[[Rule, ScriptView], Judgement], rule: Rule, view: ScriptView, known: Judgement
) -> Judgement:
    """What a check says of addresses where some linkers are meant: it holds if it does for each of them."""
    # Slow to import, and asked only where somebody names a linker.
    from ldcheck.judging.differing import not_followed, not_read_for

    if known.standing is Standing.NOT_GUARANTEED and (why := not_followed(view)):
        return Judgement(Standing.UNKNOWN, reason=why)
    if known.standing is not Standing.HOLDS:
        return known
    for linker in view.linkers:
        if why := not_read_for(view, linker):
            return Judgement(Standing.UNKNOWN, reason=why)
    for linker in view.linkers[1:]:
        other = of_script(judge, rule, _read_for(view, linker))
        if other.standing is not Standing.HOLDS:
            said = (f"so for {linker}, not for {view.linker}",)
            problems = tuple(replace(problem, facts=problem.facts + said) for problem in other.problems)
            return replace(other, problems=problems)
    return known


@lru_cache(maxsize=64)
def _read_for(view: ScriptView, linker: Linker) -> ScriptView:
    """The same script for one of the linkers that are meant, by whose numbers it was read already."""
    return ScriptView(view.tree, view.sources, view.arch, view.params, view.orphans, (linker,))


def decided(judge: Callable[[Rule, _View], Judgement], rule: Rule, view: _View) -> Judgement:
    """What a check says; where a question was too complex for it to say anything, that."""
    try:
        return judge(rule, view)
    except TooComplexError:
        return undecided(1)
