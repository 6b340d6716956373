"""From a plan and its configurations to texts: what the compiler, or pcpp, gives for each.

Where the walk through the conditions has the texts already, the compiler is asked for one of them only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

from ldcheck.findings import CheckError, InputError
from ldcheck.preprocess.configurations import Assignment
from ldcheck.preprocess.explore import Walk
from ldcheck.preprocess.made_up import named
from ldcheck.preprocess.output import Output, Rendered, parse_output
from ldcheck.preprocess.plan import Plan
from ldcheck.source import Location, decode

_ERROR = re.compile(r"^(.*?):(\d+):(?:(\d+):)? (?:fatal )?error: (.*)$", re.MULTILINE)


def outputs_of(plan: Plan, walks: Sequence[Walk], *, trusted: bool = False) -> list[Output]:
    """The output for each configuration. Raises CheckError for the first that the preprocessor rejects.

    Of several, only the first is preprocessed by the compiler or by pcpp where the walks bring their own texts: if that
    is what the first walk brings, to the last blank, the others are taken at their word. All of them are `trusted`
    where that was so of the same files, but for edits.
    """
    texts = [walk.text for walk in walks]
    if (trusted or len(walks) > 1) and all(text is not None for text in texts):
        rendered: list[Output] = [
            Rendered(text, dict.fromkeys(walk.files))
            for walk, text in zip(walks, texts, strict=True)
            if text is not None
        ]
        if trusted:
            return rendered
        (first,) = _preprocessed(plan, walks[:1])
        if rendered[0].text.split() == first.text.split():
            return rendered
    return _preprocessed(plan, walks)


def _preprocessed(plan: Plan, walks: Sequence[Walk]) -> list[Output]:
    names = plan.made_up()
    if not plan.command:
        from ldcheck.preprocess.portable import run_pcpp

        return [run_pcpp(plan.inputs, walk.assignment, names) for walk in walks]
    from ldcheck.preprocess.compiler import run_all

    if plan.stubs.texts:
        plan.stubs.write()
    if plan.inputs.files.edited:
        return _edited(plan, walks)
    outputs = []
    for run in run_all([_command(plan, walk.assignment) for walk in walks]):
        if run.status != 0:
            raise _rejected(plan, run.errors)
        outputs.append(parse_output(named(decode(run.out), names)))
    return outputs


def _edited(plan: Plan, walks: Sequence[Walk]) -> list[Output]:
    """The same, of files that are not on disk as they are to be read."""
    from ldcheck.preprocess.compiler import run_all
    from ldcheck.preprocess.generated import temporary_folder
    from ldcheck.preprocess.shadow import Shadow

    files = plan.inputs.files
    shadow = Shadow(temporary_folder(), files.all(), files.edited)

    def path(name: str) -> str:
        return name if name == plan.stubs.folder else shadow.path(name)

    outputs = []
    names = plan.made_up()
    try:
        shadow.write()
        for run in run_all([_command(plan, walk.assignment, path) for walk in walks]):
            if run.status != 0:
                raise _rejected(plan, run.errors)
            outputs.append(parse_output(named(shadow.led_back(decode(run.out)), names)))
    finally:
        shadow.remove()
    return outputs


def _command(plan: Plan, given: Assignment, path: Callable[[str], str] = str) -> list[str]:
    """A command; `path` says where a file or folder is to be read."""
    inputs = plan.inputs
    command = [*plan.command, *(f"-I{path(folder)}" for folder in inputs.includes)]
    for name, value in {**inputs.definitions, **given}.items():
        command.append(f"-U{name}" if value is None else f"-D{name}={value}")
    for first in inputs.include_first:
        command += ["-include", path(first)]
    # A name that begins with a dash is a file's all the same.
    return [*command, path(os.path.join(".", inputs.script) if inputs.script.startswith("-") else inputs.script)]


def _rejected(plan: Plan, errors: str) -> CheckError:
    found = []
    for match in _ERROR.finditer(errors):
        name, line, column = match.group(1), int(match.group(2)), int(match.group(3) or 1)
        path = os.path.normpath(name)
        file = plan.inputs.files.get(path)
        location = Location(path, line, column, line, column + 1, file.source.line(line) if file else "")
        found.append(InputError(match.group(4), location))
    if not found:
        message = errors.strip().splitlines()[0] if errors.strip() else "the preprocessor failed"
        found.append(InputError(message, Location(plan.inputs.script)))
    return CheckError(*found)
