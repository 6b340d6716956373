"""Macros of a preprocessed script of which nobody knows what they stand for, and what hangs on them.

A macro of a header that is missing, or one that a condition only asks about, is a name in the text, and a symbol to
whoever counts addresses. What is found against a script because nothing is known of such a name's value is no finding:
with some value it would not be there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from ldcheck.findings import Judgement, Problem, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.rule import Rule
from ldcheck.preprocess.undefined import looks_like_macro
from ldcheck.record import replace
from ldcheck.script.syntax import Name, walk
from ldcheck.words import listed

# An address and a size that scripts have, and a multiple of every boundary that they align to.
_SUPPOSED = 2 << 20
_BROKEN = (Standing.REFUTED, Standing.NOT_GUARANTEED)


def not_known(name: str, view: ScriptView) -> str:
    """Why nobody knows what a name stands for, and what would tell; empty if it is no macro, or its value is known."""
    told = view.preprocessed
    if told is None or name in view.params:
        return ""
    if name in told.unknown:
        return f"the script only asks about {name}: give what it stands for with -D"
    if told.missing and looks_like_macro(name) and name not in view.assignments:
        headers = listed([header.name for header in told.missing])
        are = "is" if len(told.missing) == 1 else "are"
        return f"{name} may be a macro of {headers}, which {are} missing: give its value with -D, or the folder with -I"
    return ""


def unless_it_hangs_on_macros(
    judge: Callable[[Rule, ScriptView], Judgement], rule: Rule, view: ScriptView, known: Judgement
) -> Judgement:
    """What a check has against a script, without what it has only because the values of macros are not known."""
    if known.standing not in _BROKEN or (supposed := _supposing(view)) is None:
        return known
    other = judge(rule, supposed)
    if other.standing is Standing.UNDECIDED:
        return known
    stay = {_key(problem) for problem in other.problems}
    left = tuple(problem for problem in known.problems if _key(problem) in stay)
    if left:
        standing = other.standing if known.standing is Standing.REFUTED else known.standing
        return replace(known, standing=standing, problems=left)
    name = next(iter(supposed.params.keys() - view.params.keys()))
    return Judgement(Standing.UNKNOWN, reason=f"it hangs on the value of a macro: {not_known(name, view)}")


def _key(problem: Problem) -> tuple[object, ...]:
    return problem.subject, problem.location, problem.severity


@lru_cache(maxsize=64)
def _supposing(view: ScriptView) -> ScriptView | None:
    """The same script with a plausible value for each macro that is a value in it; None if there are none."""
    if view.preprocessed is None or not (view.preprocessed.unknown or view.preprocessed.missing):
        return None
    named = dict.fromkeys(node.name for node in walk(view.tree) if isinstance(node, Name) and not node.quoted)
    values = {name: _SUPPOSED for name in named if not_known(name, view)}
    if not values:
        return None
    return ScriptView(view.tree, view.sources, view.arch, {**values, **view.params}, view.orphans, view.linkers)
