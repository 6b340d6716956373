"""From a target to its scripts: every distinct text that its configurations give, each with the way back.

The ways of preprocessing, in this order: the command that the build recorded, the target's compiler, pcpp. Which
configurations there are is worked out from the conditions of the sources (see `explore`). What the first of them gives
is the preprocessor's own output; the others are expanded here where that is what the first expands to (see `texts`).
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence

from ldcheck.findings import CheckError, InputError
from ldcheck.preprocess.configurations import Configuration, Value
from ldcheck.preprocess.explore import Walk
from ldcheck.preprocess.files import Files
from ldcheck.preprocess.generated import Missing
from ldcheck.preprocess.inputs import is_linker_script
from ldcheck.preprocess.macros import Definition
from ldcheck.preprocess.made_up import is_spelled, plain
from ldcheck.preprocess.origin import MacroOrigin
from ldcheck.preprocess.output import Output, Rendered
from ldcheck.preprocess.plan import Plan, make_plan
from ldcheck.preprocess.rendering import Renderer
from ldcheck.preprocess.texts import outputs_of
from ldcheck.preprocess.undefined import undefined_calls
from ldcheck.preprocess.walks import Walks, possible_walks, repeated_walks
from ldcheck.project.target import Target
from ldcheck.record import dataclass
from ldcheck.source import Source


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Preprocessed:
    """One distinct script: the configurations that give it, its text, and where each part of it came from.

    `defined` are, for each configuration, all CONFIG_ and other symbols that are known to be defined; `headers` are the
    files that were included. `macros` are those of the first configuration. `lines` are the identities of the lines,
    where it is known which ones the configurations share. `notes` are what people should know of how the text came
    about, equal for all scripts of a target but for what concerns this one. `complete` says that no configuration of
    the target was left out. `assumed` says which symbols were taken as not defined because nothing is known of them,
    and `missing` are headers that were taken as empty because they are not there, so that nobody knows their macros.
    `unknown` are symbols that are only asked about, so that nobody knows what stands for them in the text.
    `renderer` keeps what was read, for when the same is read with edits.
    """

    configurations: tuple[Configuration, ...]
    source: Source
    origin: MacroOrigin
    notes: tuple[str, ...]
    defined: tuple[Mapping[str, str], ...]
    headers: tuple[str, ...]
    macros: Mapping[str, Definition]
    lines: tuple[Hashable, ...] = ()
    complete: bool = True
    assumed: str = ""
    missing: tuple[Missing, ...] = ()
    unknown: frozenset[str] = frozenset()
    renderer: Renderer | None = None

    @property
    def unread(self) -> str:
        """The name of a header that is missing and may hold statements; empty if there is none."""
        return next((header.name for header in self.missing if header.has_statements), "")

    def constant(self, name: str) -> int | None:
        """The number that a macro of the sources stands for; None where it is none, or not defined."""
        from ldcheck.preprocess.constants import constant

        return constant(name, self.macros)

    def sources(self) -> tuple[Source, ...]:
        """The files that people edit to change this script: it and the headers for linker scripts."""
        read = [self.origin.files.get(name) for name in self.headers if is_linker_script(name)]
        return tuple(file.source for file in read if file is not None)


def preprocess(
    target: Target, files: Files | None = None, earlier: Sequence[Preprocessed] = ()
) -> tuple[Preprocessed, ...]:
    """All distinct scripts of a target, the one with the fewest symbols defined first. Raises CheckError.

    What `files` has is not read again: what of it is edited counts as it is there (see `Files.with_edits`). `earlier`
    are the scripts without the edits, of which nothing is found out again that these leave alone.
    """
    if not os.path.isfile(target.script):
        place = target.location
        raise CheckError(InputError(f"there is no script {target.script}", place))
    plan = make_plan(target, files)
    renderer = (earlier[0].renderer if earlier else None) or Renderer()
    walks = None
    try:
        if earlier and files is not None and _same_directives(earlier[0].origin.files, files):
            assignments = [configuration.definitions for one in earlier for configuration in one.configurations]
            known = earlier[0]
            walks = repeated_walks(plan, renderer, assignments, complete=known.complete, assumed=known.assumed)
        again = walks is not None
        walks = walks or possible_walks(plan, renderer)
        outputs = outputs_of(plan, walks.possible, trusted=again and all(one.lines for one in earlier))
        return _distinct(plan, walks, outputs, renderer)
    finally:
        plan.stubs.remove()


def _same_directives(before: Files, after: Files) -> bool:
    """Whether no edit touches what decides which configurations there are."""
    for name in after.edited:
        old, new = before.get(name), after.get(name)
        if old is None or new is None or len(old.directives) != len(new.directives):
            return False
        for one, other in zip(old.directives, new.directives, strict=True):
            if one.keyword != other.keyword or old.code[one.start : one.end] != new.code[other.start : other.end]:
                return False
    return True


def _distinct(plan: Plan, walks: Walks, outputs: Sequence[Output], renderer: Renderer) -> tuple[Preprocessed, ...]:
    merged: dict[str, tuple[Output, list[Walk]]] = {}
    for walk, output in zip(walks.possible, outputs, strict=True):
        merged.setdefault(output.text, (output, []))[1].append(walk)
    result = []
    seen: set[str] = set()
    for text, (output, same) in merged.items():
        source = Source(plan.inputs.script, text)
        notes = (*plan.notes, *walks.notes, *plan.stubs.notes(output.read))
        configurations = tuple(Configuration(walk.assignment, plan.meanings) for walk in same)
        defined = tuple(known for walk in same for known in _known(plan, walk))
        headers = tuple(name for name in output.read if not name.startswith(plan.stubs.folder))
        origin = MacroOrigin(output, plan.inputs.files)
        if errors := undefined_calls(source, origin, plan.survey.defines, seen):
            raise CheckError(*errors)
        lines = tuple(output.identities()) if isinstance(output, Rendered) else ()
        result.append(
            Preprocessed(
                configurations,
                source,
                origin,
                notes,
                defined,
                headers,
                same[0].macros,
                lines,
                walks.complete,
                walks.assumed,
                plan.stubs.missing(output.read),
                frozenset(name for walk in same for name, value in walk.assignment.items() if _is_unknown(name, value)),
                renderer,
            )
        )
    return tuple(result)


def _is_unknown(name: str, value: Value) -> bool:
    return value == name or is_spelled(value)


def _known(plan: Plan, walk: Walk) -> list[Mapping[str, str]]:
    """What is defined in a configuration; once with what decides nothing there left out, and once with it defined."""
    given = {name: value for name, value in plan.inputs.definitions.items() if value is not None}
    given.update(plan.known)
    given.update({name: plain(value) for name, value in walk.assignment.items() if value is not None})
    free = {
        name: plain(value)
        for name, values in plan.symbols.items()
        if name not in walk.assignment and (value := values[-1]) is not None
    }
    return [given, {**given, **free}] if free else [given]
