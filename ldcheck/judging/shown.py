"""Where a lint's problem with an image is shown, if the script has no statement of that name: an orphan, a segment.

The rule says nothing of it, for a lint speaks of no name, and its policy may be one that came with the program.
"""

from __future__ import annotations

from ldcheck.findings import Judgement, Problem
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.record import replace
from ldcheck.script.syntax import Node, Sections


def in_script(judgement: Judgement, view: ImageView) -> Judgement:
    """The judgement with its problems at what the linker put in front of them, or else at SECTIONS."""
    script = view.script
    if script is None or all(problem.location is not None for problem in judgement.problems):
        return judgement
    problems = (one if one.location is not None else _placed(one, view, script) for one in judgement.problems)
    return replace(judgement, problems=tuple(problems))


def _placed(problem: Problem, view: ImageView, script: ScriptView) -> Problem:
    front = _in_front(problem.subject, view, script)
    if front is not None:
        label = problem.label or "it lies behind this, and the script does not name it"
        return replace(problem, location=script.locate(front), label=label, route=script.route(front))
    node = next((one for one in script.tree.statements if isinstance(one, Sections)), None)
    return problem if node is None else replace(problem, location=script.locate(node))


def _in_front(name: str, view: ImageView, script: ScriptView) -> Node | None:
    """The output section of the script that ends last below an output section of the image."""
    address = next((one.address for one in view.loaded_sections if one.name == name), None)
    if address is None:
        return None
    ends = [
        (one.end, one.name)
        for one in view.loaded_sections
        if one.room and one.end <= address and one.name in script.output_sections
    ]
    return script.output_sections[max(ends)[1]][0] if ends else None
