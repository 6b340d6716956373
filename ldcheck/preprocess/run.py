"""From a target to its scripts: every distinct text that its configurations give, each with the way back.

The ways of preprocessing, in this order: the command that the build recorded, the target's compiler, pcpp. Which
configurations there are is worked out from the conditions of the sources (see `explore`); what each of them gives is
always the preprocessor's own output.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ldcheck.findings import CheckError, InputError
from ldcheck.preprocess.configurations import Assignment, Configuration, Value
from ldcheck.preprocess.explore import Explorer, Walk
from ldcheck.preprocess.files import Files
from ldcheck.preprocess.generated import Stubs, stand_in
from ldcheck.preprocess.inputs import Inputs, Survey, is_linker_script
from ldcheck.preprocess.origin import MacroOrigin
from ldcheck.preprocess.output import Output, parse_output
from ldcheck.preprocess.predefined import is_known
from ldcheck.preprocess.symbols import deciding_symbols, used_in_text
from ldcheck.preprocess.undefined import undefined_calls
from ldcheck.preprocess.unknown import unknown_choices
from ldcheck.preprocess.ways import Way, choose
from ldcheck.project.target import Target
from ldcheck.record import dataclass
from ldcheck.source import Location, Source, decode
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck.preprocess.compiler import Running

# How often combinations are made anew that avoid what an #error was found to refuse.
MAX_ROUNDS = 6
# Three times as many as the scripts of Linux have.
MAX_SYMBOLS = 128
_ERROR = re.compile(r"^(.*?):(\d+):(?:(\d+):)? (?:fatal )?error: (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Preprocessed:
    """One distinct script: the configurations that give it, its text, and where each part of it came from.

    `defined` are, for each configuration, all CONFIG_ and other symbols that are known to be defined; `headers` are the
    files that were included. `notes` are what people should know of how the text came about, equal for all scripts
    of a target but for what concerns this one.
    """

    configurations: tuple[Configuration, ...]
    source: Source
    origin: MacroOrigin
    notes: tuple[str, ...]
    defined: tuple[Mapping[str, str], ...]
    headers: tuple[str, ...]

    def sources(self) -> tuple[Source, ...]:
        """The files that people edit to change this script: it and the headers for linker scripts."""
        read = [self.origin.files.get(name) for name in self.headers if is_linker_script(name)]
        return tuple(file.source for file in read if file is not None)


def preprocess(target: Target) -> tuple[Preprocessed, ...]:
    """All distinct scripts of a target, the one with the fewest symbols defined first. Raises CheckError."""
    if not os.path.isfile(target.script):
        place = target.location
        raise CheckError(InputError(f"there is no script {target.script}", place))
    plan = _plan(target)
    try:
        return _run(target, plan)
    finally:
        plan.stubs.remove()


@dataclass(slots=True, eq=False, repr=False)
class _Plan:
    """How a target is preprocessed: `command` with includes, definitions and the script behind it; empty for pcpp.

    `known` are Kconfig's choices; `unconfigured` says that there are none at hand.
    """

    inputs: Inputs
    survey: Survey
    stubs: Stubs
    symbols: Mapping[str, tuple[Value, ...]]
    known: Mapping[str, str]
    unconfigured: bool
    command: tuple[str, ...]
    notes: list[str]


def _plan(target: Target) -> _Plan:
    way = choose(target)
    asked = _ask(way)
    config = None
    if target.config:
        from ldcheck.preprocess.kconfig import read_config

        config = {name: value for name, value in read_config(target.config).items() if name not in target.vary}
    definitions = _definitions(target, way, configured=config is not None)
    inputs = Inputs(target.script, Files(), way.includes, definitions, way.include_first, way.predefined)
    inputs, found, stubs = stand_in(inputs, config, target.generated)
    known = dict(config or {})
    real = next((file for file in found.files if file.name.endswith("autoconf.h") and not file.virtual), None)
    if real is not None:
        definitions = _definitions(target, way, configured=True)
        inputs = inputs.with_definitions(definitions)
    unconfigured = not way.recorded and config is None and real is None
    symbols: dict[str, tuple[Value, ...]] = {}
    if not way.recorded:
        decided = {**definitions, **known}
        symbols = deciding_symbols(found, decided, is_known(target.arch))
        if not unconfigured:
            symbols = {name: values for name, values in symbols.items() if not name.startswith("CONFIG_")}
    symbols.update(target.vary)
    left_over = list(symbols)[MAX_SYMBOLS:]
    if config is not None and not any(text for text in stubs.texts.values()):
        inputs = inputs.with_definitions({**definitions, **config})
    if asked is not None:
        inputs = inputs.with_predefined(asked.result().out.decode("utf-8", "replace"))
    notes = list(way.notes)
    if left_over:
        symbols = {name: values for name, values in symbols.items() if name not in left_over}
        notes.append(f"{len(left_over):,} symbols beyond the first {MAX_SYMBOLS} that decide something are not varied")
    return _Plan(inputs, found, stubs, symbols, known, unconfigured, way.command, notes)


def _definitions(target: Target, way: Way, configured: bool) -> dict[str, str | None]:
    """What is defined from the outset. A build knows better than the target's pins what it was configured with."""
    definitions = dict(way.definitions)
    if not way.recorded:
        pins = target.pin.items()
        definitions.update({name: value for name, value in pins if not (configured and name.startswith("CONFIG_"))})
    return {name: value for name, value in definitions.items() if name not in target.vary}


def _run(target: Target, plan: _Plan) -> tuple[Preprocessed, ...]:
    explorer = Explorer(plan.inputs, plan.symbols)
    walks = explorer.walk(target.limit, used_in_text(plan.survey, plan.symbols))
    if walks is None:
        walks = _cover(target, plan, explorer)
    possible = [walk for walk in walks if walk.stopped is None]
    stops = list(dict.fromkeys(walk.stopped for walk in walks if walk.stopped is not None))
    if not possible:
        raise CheckError(*stops[:3])
    for stop in stops:
        count = sum(walk.stopped == stop for walk in walks)
        place = f"{stop.location.file}:{stop.location.line}"
        plan.notes.append(f"{counted(count, 'combination')} left out, refused by {stop.message} ({place})")
    if plan.unconfigured and (note := unknown_choices(plan.survey, possible[0].missing)):
        plan.notes.append(note)
    return _distinct(plan, target, possible, _outputs(plan, [walk.assignment for walk in possible]))


def _cover(target: Target, plan: _Plan, explorer: Explorer) -> list[Walk]:
    from ldcheck.preprocess.covering import covering_rows

    refused: list[Assignment] = []
    walks: dict[tuple[tuple[str, Value], ...], Walk] = {}
    for _ in range(MAX_ROUNDS):
        walks.clear()
        causes: list[Assignment] = []
        for row in covering_rows(plan.symbols, refused):
            walk = explorer.follow(row)
            walks.setdefault(tuple(sorted(walk.assignment.items(), key=lambda item: item[0])), walk)
            if walk.cause and walk.cause not in causes:
                causes.append(walk.cause)
        # What an #error refuses covers nothing: other rows must.
        refused += causes
        if not causes:
            break
    plan.notes.append(
        f"{len(plan.symbols)} symbols decide in more than {target.limit} ways what the script is: {len(walks)} "
        f"configurations were checked, which cover every pair of their values; combinations of three and more "
        f"were left out ({', '.join(plan.symbols)})"
    )
    return list(walks.values())


def _distinct(
    plan: _Plan, target: Target, walks: Sequence[Walk], outputs: Sequence[Output]
) -> tuple[Preprocessed, ...]:
    merged: dict[str, tuple[Output, list[Walk]]] = {}
    for walk, output in zip(walks, outputs, strict=True):
        merged.setdefault(output.text, (output, []))[1].append(walk)
    result = []
    seen: set[str] = set()
    for text, (output, same) in merged.items():
        source = Source(target.script, text)
        notes = (*plan.notes, *plan.stubs.notes(output.read))
        configurations = tuple(Configuration(walk.assignment) for walk in same)
        defined = tuple(known for walk in same for known in _known(plan, walk))
        headers = tuple(name for name in output.read if not name.startswith(plan.stubs.folder))
        origin = MacroOrigin(output, plan.inputs.files)
        if errors := undefined_calls(source, origin, plan.survey.defines, seen):
            raise CheckError(*errors)
        result.append(Preprocessed(configurations, source, origin, notes, defined, headers))
    return tuple(result)


def _known(plan: _Plan, walk: Walk) -> list[Mapping[str, str]]:
    """What is defined in a configuration; once with what decides nothing there left out, and once with it defined."""
    given = {name: value for name, value in plan.inputs.definitions.items() if value is not None}
    given.update(plan.known)
    given.update({name: value for name, value in walk.assignment.items() if value is not None})
    free = {
        name: value
        for name, values in plan.symbols.items()
        if name not in walk.assignment and (value := values[-1]) is not None
    }
    return [given, {**given, **free}] if free else [given]


def _ask(way: Way) -> Running | None:
    """A run that tells the compiler's own macros; None where they are given."""
    if not way.command or "-undef" in way.command:
        return None
    from ldcheck.preprocess.compiler import Running

    return Running([*(option for option in way.command if option != "-dD"), "-dM", os.devnull])


def _outputs(plan: _Plan, assignments: Sequence[Assignment]) -> list[Output]:
    """The output for each assignment. Raises CheckError for the first that the preprocessor rejects."""
    if not plan.command:
        from ldcheck.preprocess.portable import run_pcpp

        return [run_pcpp(plan.inputs, given) for given in assignments]
    from ldcheck.preprocess.compiler import run_all

    if plan.stubs.texts:
        plan.stubs.write()
    outputs = []
    for run in run_all([_command(plan, given) for given in assignments]):
        if run.status != 0:
            raise _rejected(plan, run.errors)
        outputs.append(parse_output(decode(run.out)))
    return outputs


def _command(plan: _Plan, given: Assignment) -> list[str]:
    inputs = plan.inputs
    command = [*plan.command, *(f"-I{path}" for path in inputs.includes)]
    for name, value in {**inputs.definitions, **given}.items():
        command.append(f"-U{name}" if value is None else f"-D{name}={value}")
    for path in inputs.include_first:
        command += ["-include", path]
    # A name that begins with a dash is a file's all the same.
    return [*command, os.path.join(".", inputs.script) if inputs.script.startswith("-") else inputs.script]


def _rejected(plan: _Plan, errors: str) -> CheckError:
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


def undistinguished(scripts: Collection[Preprocessed]) -> tuple[Configuration, ...]:
    """Every configuration behind some scripts, for `smallest_condition`."""
    return tuple(configuration for script in scripts for configuration in script.configurations)
