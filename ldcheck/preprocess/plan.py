"""From a target to a plan: the way to preprocess it, all files that take part, and the symbols that are varied."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ldcheck.preprocess.configurations import Value
from ldcheck.preprocess.files import Files, SourceFile
from ldcheck.preprocess.generated import Stubs, stand_in
from ldcheck.preprocess.inputs import Inputs, Survey
from ldcheck.preprocess.made_up import is_spelled
from ldcheck.preprocess.options import not_known
from ldcheck.preprocess.predefined import is_known
from ldcheck.preprocess.varied import deciding_symbols
from ldcheck.preprocess.ways import Way, choose
from ldcheck.project.target import Target
from ldcheck.record import dataclass

if TYPE_CHECKING:
    from ldcheck.preprocess.compiler import Running

# Three times as many as the scripts of Linux have.
MAX_SYMBOLS = 128


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Plan:
    """How a target is preprocessed: `command` with includes, definitions and the script behind it; empty for pcpp.

    `symbols` are what is varied, with their values, and `meanings` what a value says of its symbol. `limit` is the
    number of scripts above which pairs of values are covered. `renders` allows that texts are expanded here: nobody
    insists on a preprocessor. `known` are Kconfig's choices; `unconfigured` says that there are none at hand.
    """

    inputs: Inputs
    survey: Survey
    stubs: Stubs
    symbols: Mapping[str, tuple[Value, ...]]
    meanings: Mapping[tuple[str, Value], str]
    known: Mapping[str, str]
    unconfigured: bool
    command: tuple[str, ...]
    limit: int
    renders: bool
    notes: tuple[str, ...]

    def made_up(self) -> Mapping[str, str]:
        """The symbols by the spelling of each value that was made up for them and must not be seen."""
        return {value: name for name, values in self.symbols.items() for value in values if value and is_spelled(value)}


def make_plan(target: Target, files: Files | None = None) -> Plan:
    """Choose the way, find all files, and what is varied. Raises CheckError for what is missing or wrong.

    What `files` has is not read again.
    """
    way = choose(target)
    asked = _ask(way.command)
    config = None
    if target.config:
        from ldcheck.preprocess.kconfig import read_config

        config = {name: value for name, value in read_config(target.config).items() if name not in target.vary}
    definitions = _definitions(target, way, configured=config is not None)
    inputs = Inputs(target.script, files or Files(), way.includes, definitions, way.include_first, way.predefined)
    inputs, found, stubs = stand_in(inputs, config, target.generated)
    real = _configured(found)
    notes = list(way.notes)
    if real is not None and config is None and _is_of_another(real, target.arch):
        # The tree was built for another machine last: what that left decides nothing here.
        notes.append(f"{real.name} is of another architecture's build, and is left out")
        way = choose(target, recorded=False)
        notes += way.notes
        asked = _ask(way.command)
        definitions = _definitions(target, way, configured=False)
        inputs = Inputs(target.script, Files(), way.includes, definitions, way.include_first, way.predefined)
        inputs, found, stubs = stand_in(inputs, {}, target.generated)
        real = None
    known = dict(config or {})
    if real is not None:
        definitions = _definitions(target, way, configured=True)
        inputs = inputs.with_definitions(definitions)
    unconfigured = not way.recorded and config is None and real is None
    symbols: dict[str, tuple[Value, ...]] = {}
    meanings: Mapping[tuple[str, Value], str] = {}
    if not way.recorded:
        decided = {**definitions, **known}
        varied, meanings = deciding_symbols(found, decided, is_known(target.arch))
        symbols = dict(varied)
        # What people vary has the values that they say.
        meanings = {key: told for key, told in meanings.items() if key[0] not in target.vary}
        if not unconfigured:
            symbols = {name: values for name, values in symbols.items() if not name.startswith("CONFIG_")}
    symbols.update(target.vary)
    left_over = list(symbols)[MAX_SYMBOLS:]
    if config is not None and not any(text for text in stubs.texts.values()):
        inputs = inputs.with_definitions({**definitions, **config})
    command = way.command
    if asked is not None:
        told, left_out = _told(command, asked)
        inputs = inputs.with_predefined(told)
        if left_out:
            command = tuple(option for option in command if option not in left_out)
            options = ", ".join(sorted(left_out))
            notes.append(f"{os.path.basename(command[0])} here does not know {options}, and preprocesses without")
    if left_over:
        symbols = {name: values for name, values in symbols.items() if name not in left_over}
        notes.append(f"{len(left_over):,} symbols beyond the first {MAX_SYMBOLS} that decide something are not varied")
    renders = target.preprocessor == "auto"
    return Plan(
        inputs, found, stubs, symbols, meanings, known, unconfigured, command, target.limit, renders, tuple(notes)
    )  # fmt: skip


def _configured(found: Survey) -> SourceFile | None:
    """The header that Kconfig wrote, if it is there."""
    return next((file for file in found.files if file.name.endswith("autoconf.h") and not file.virtual), None)


def _is_of_another(header: SourceFile, arch: str) -> bool:
    from ldcheck.preprocess.kconfig import is_of_another, read_config

    return is_of_another(read_config(header.name), arch)


def _definitions(target: Target, way: Way, configured: bool) -> dict[str, str | None]:
    """What is defined from the outset. A build knows better than the target's pins what it was configured with."""
    definitions = dict(way.definitions)
    if not way.recorded:
        pins = target.pin.items()
        definitions.update({name: value for name, value in pins if not (configured and name.startswith("CONFIG_"))})
    return {name: value for name, value in definitions.items() if name not in target.vary}


def _ask(command: Sequence[str]) -> Running | None:
    """A run that tells the compiler's own macros; None where they are given."""
    if not command or "-undef" in command:
        return None
    from ldcheck.preprocess.compiler import Running

    return Running([*(option for option in command if option != "-dD"), "-dM", os.devnull])


def _told(command: Sequence[str], asked: Running) -> tuple[str, frozenset[str]]:
    """The compiler's own macros, and the options of the command that it does not know and was asked without."""
    run, left_out = asked.result(), frozenset[str]()
    while run.status != 0 and (unknown := not_known(run.errors, command) - left_out):
        left_out |= unknown
        again = _ask([option for option in command if option not in left_out])
        assert again is not None
        run = again.result()
    return run.out.decode("utf-8", "replace"), left_out
