"""Which files take part in a target's script: the headers that it includes under some condition."""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.preprocess.files import Files
from ldcheck.preprocess.inputs import Inputs, survey
from ldcheck.preprocess.recorded import dependencies
from ldcheck.project.target import Target


def reached(targets: Sequence[Target]) -> dict[str, frozenset[str]]:
    """By target, every file that its script includes in some branch.

    Raises CheckError for a file that cannot be read.
    """
    files = Files()
    found = {}
    for target in targets:
        inputs = Inputs(target.script, files, target.includes, {}, target.include_first)
        found[target.name] = frozenset(file.name for file in survey(inputs).files)
        if target.command_file:
            found[target.name] |= dependencies(target.command_file)
    return found
