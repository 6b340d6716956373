"""Walks every way through the conditions of a script.

The walk follows the directives of all files as a preprocessor does, and leaves the text alone. Where a condition asks
for a symbol that is varied and not decided yet, the walk splits, one branch for each value. What arrives at the end is
a partial assignment: symbols that were never asked for decide nothing there.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from itertools import pairwise

from ldcheck.findings import CheckError, InputError
from ldcheck.preprocess.conditions import ConditionError, holds
from ldcheck.preprocess.configurations import Assignment, Value
from ldcheck.preprocess.files import SourceFile
from ldcheck.preprocess.inputs import Inputs, included_name
from ldcheck.preprocess.lexer import CONDITIONAL, WORD, Directive, Unbalanced, tokens
from ldcheck.preprocess.macros import Definition, Expander, ExpansionError, pieces
from ldcheck.preprocess.output import Chain
from ldcheck.preprocess.rendering import Renderer, Stretch, Unrenderable
from ldcheck.preprocess.standing import State, Undecided, World
from ldcheck.record import dataclass, field
from ldcheck.source import Location

MAX_INCLUDE_DEPTH = 200
MAX_INCLUDES = 20_000
MAX_WALKS = 2_000
SECONDS = 30.0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Walk:
    """One way through the conditions: the symbols that it asked for, and the files that it went through.

    `stopped` is the `#error` that the way ran into, if it did: the sources refuse this combination; `cause` is the part
    of the assignment that the conditions around the `#error` ask for. `missing` are CONFIG_ symbols that are neither
    varied nor defined, with the conditional that asked first (a file, and the index of the directive). `text` are the
    stretches of text that the way went through, each with the #include lines into it; None if that was not asked for,
    or only the compiler can tell. `macros` are defined at the end.
    """

    assignment: Assignment
    files: tuple[str, ...]
    stopped: InputError | None = None
    cause: Assignment = field(default_factory=dict)
    missing: Mapping[str, tuple[SourceFile, int]] = field(default_factory=dict)
    text: tuple[tuple[Stretch, Chain], ...] | None = None
    macros: Mapping[str, Definition] = field(default_factory=dict)


class Explorer:
    """Walks a script's conditions. `symbols` are what is varied, with their values.

    `renderer` keeps what was read. With `rendering` the walks bring their text, which then need not come from a
    compiler.
    """

    def __init__(
        self,
        inputs: Inputs,
        symbols: Mapping[str, tuple[Value, ...]],
        renderer: Renderer | None = None,
        *,
        rendering: bool = False,
    ) -> None:
        self._renderer = renderer or Renderer()
        self._rendering = rendering
        self._inputs = inputs
        self._symbols = symbols
        self._values = {
            (name, value): self._definition(f"#define {name} {value}\n")
            for name, values in symbols.items()
            for value in values
            if value is not None
        }
        self._start = self._initial()
        self._deadline = time.monotonic() + SECONDS

    def _initial(self) -> State:
        inputs = self._inputs
        script = inputs.files.get(inputs.script)
        if script is None:
            raise CheckError(InputError(f"there is no script {inputs.script}", Location(inputs.script)))
        state = State([(script, 0)], {}, {}, text=[] if self._rendering else None)
        for text in (inputs.predefined, _command_line(inputs.definitions)):
            file = self._renderer.given(text)
            for at, directive in enumerate(file.directives):
                if directive.keyword == "define" and (found := self._renderer.defined(file, at, directive)) is not None:
                    state.macros[found[0]] = found[1]
        for name, value in inputs.definitions.items():
            if value is None:
                state.macros.pop(name, None)
        for path in reversed(inputs.include_first):
            first = inputs.files.get(path)
            if first is None:
                raise CheckError(InputError(f"there is no file {path}, which is to be included first", Location(path)))
            state.frames.append((first, 0))
        for file, _ in state.frames:
            _balanced(file)
            state.files[file.name] = None
        return state

    def walk(self, limit: int, ask_first: Iterable[str] = ()) -> list[Walk] | None:
        """Every way through the conditions, or None if there are more than `limit`. Raises CheckError.

        `ask_first` are symbols whose value is seen in the text: they are decided before anything else.
        """
        found: list[Walk] = []
        pending = [self._start.copy()]
        for name in ask_first:
            pending = [split for state in pending for split in self._split(state, name)]
            if len(pending) > limit:
                return None
        pending.reverse()
        walks = 0
        while pending:
            state = pending.pop()
            try:
                stopped = self._run(state)
            except Undecided as undecided:
                walks += 1
                if walks > MAX_WALKS:
                    return None
                pending.extend(reversed(self._split(state, undecided.name)))
                continue
            found.append(_walked(state, stopped))
            if sum(walk.stopped is None for walk in found) > limit:
                return None
        return found

    def follow(self, assignment: Assignment) -> Walk:
        """The one way that a complete assignment takes; the result has only what was asked for."""
        state = self._start.copy()
        while True:
            try:
                stopped = self._run(state)
                return _walked(state, stopped)
            except Undecided as undecided:
                self._assign(state, undecided.name, assignment[undecided.name])

    def repeat(self, assignment: Assignment) -> Walk | None:
        """The way that an assignment led before; None where it does not decide any more which one that is."""
        state = self._start.copy()
        for name, value in assignment.items():
            if name not in self._symbols:
                return None
            self._assign(state, name, value)
        try:
            return _walked(state, self._run(state))
        except Undecided:
            return None

    def _split(self, state: State, name: str) -> list[State]:
        states = []
        for value in self._symbols[name]:
            split = state.copy()
            self._assign(split, name, value)
            states.append(split)
        return states

    def _assign(self, state: State, name: str, value: Value) -> None:
        state.assigned[name] = value
        if value is not None:
            state.macros[name] = self._values[name, value]
        else:
            state.macros.pop(name, None)

    def _run(self, state: State) -> InputError | None:
        """Go on until the end, or until an undecided symbol is asked for (the state then stands before it)."""
        world = World(self._inputs, self._symbols, state, self._deadline)
        frames, macros = state.frames, state.macros
        while frames:
            file, at = frames[-1]
            lines = file.directives
            count = len(lines)
            while at < count:
                if at in file.stretches and state.text is not None:
                    self._take_text(state, world, at)
                directive = lines[at]
                keyword = directive.keyword
                if keyword == "define":
                    if (defined := self._renderer.defined(file, at, directive)) is not None:
                        macros[defined[0]] = defined[1]
                elif keyword in CONDITIONAL and keyword[:2] == "if":
                    frames[-1] = (file, at)
                    at = _branch(file, at, world)
                    continue
                elif keyword in ("elif", "else", "elifdef", "elifndef"):
                    # Reached from above: the branch before was taken, so all others are skipped.
                    while lines[at].keyword != "endif":
                        at = lines[at].other
                elif keyword == "undef":
                    if match := WORD.search(file.code, directive.start, directive.end):
                        macros.pop(match.group(), None)
                elif keyword in ("include", "include_next"):
                    frames[-1] = (file, at)
                    found = self._included(state, world, file, directive)
                    frames[-1] = (file, at + 1)
                    if found is not None:
                        frames.append((found, 0))
                        state.told = None
                        break
                elif keyword == "error":
                    frames[-1] = (file, at)
                    message = file.code[directive.start : directive.end].strip()
                    return InputError(f"#error {message}", file.location(directive))
                elif keyword == "pragma" and file.code[directive.start : directive.end].strip() == "once":
                    state.once.add(file.name)
                at += 1
            else:
                if at in file.stretches and state.text is not None:
                    self._take_text(state, world, at)
                frames.pop()
                state.told = None
        return None

    def _definition(self, text: str) -> Definition:
        file = self._renderer.given(text)
        found = self._renderer.defined(file, 0, file.directives[0])
        assert found is not None
        return found[1]

    def _take_text(self, state: State, world: World, at: int) -> None:
        """Take up the text ahead of the directive `at` of the open file, once."""
        depth = len(state.frames)
        if state.told == (depth, at):
            return
        file = state.frames[-1][0]
        state.frames[-1] = (file, at)
        assert state.text is not None
        try:
            stretch = self._renderer.stretch(file, at, state.macros, world.macro)
        except Unrenderable:
            state.text = None
            return
        state.told = (depth, at)
        if stretch.lines:
            # A file that is open and has not begun was named beside this one, and does not include it.
            opened = [(outer.name, outer.directives[past - 1].line) for outer, past in state.frames[:-1] if past]
            state.text.append((stretch, tuple(opened)))

    def _included(self, state: State, world: World, file: SourceFile, directive: Directive) -> SourceFile | None:
        named = included_name(file, directive)
        if named is None:
            named = _computed(file, directive, world)
        found = self._inputs.find(*named, file.name)
        if found is None:
            advice = (
                "give its folder with -I, or under `includes` in .ldcheck.yaml; a header that only a build makes, "
                "under `generated` there"
            )
            raise CheckError(InputError(f"the header {named[0]} is not found", file.location(directive), help=advice))
        if found.name in state.once:
            return None
        state.includes += 1
        if len(state.frames) >= MAX_INCLUDE_DEPTH or state.includes > MAX_INCLUDES:
            raise CheckError(_loop(state, found, file.location(directive)))
        if found.name not in state.files:
            _balanced(found)
            state.files[found.name] = None
        return found


def _loop(state: State, found: SourceFile, otherwise: Location) -> InputError:
    """The #include that closes the loop for the first time."""
    seen: set[str] = set()
    for (including, at), (included, _) in pairwise(state.frames):
        seen.add(including.name)
        if included.name in seen:
            location = including.location(including.directives[at - 1])
            return InputError(f"{included.name} includes itself without end", location)
    return InputError(f"{found.name} is included without end", otherwise)


def _walked(state: State, stopped: InputError | None) -> Walk:
    cause: dict[str, Value] = {}
    if stopped is not None:
        file, at = state.frames[-1]
        for opening in file.around(at):
            directive = file.directives[opening]
            for name in WORD.findall(file.code, directive.start, directive.end):
                if name in state.assigned:
                    cause[name] = state.assigned[name]
    return Walk(
        state.assigned,
        tuple(state.files),
        stopped,
        cause,
        state.missing,
        tuple(state.text) if state.text is not None else None,
        state.macros,
    )


def _branch(file: SourceFile, at: int, world: World) -> int:
    """The directive to go on with, for the #if at `at`: the first of the branch whose condition holds."""
    lines = file.directives
    while True:
        directive = lines[at]
        keyword = directive.keyword
        if keyword in ("else", "endif") or _true(file, directive, world):
            return at + 1
        at = directive.other


def _true(file: SourceFile, directive: Directive, world: World) -> bool:
    if directive.keyword in ("if", "elif"):
        if time.monotonic() > world.deadline:
            message = f"the conditions are not decided within {SECONDS:.0f} seconds"
            raise CheckError(InputError(message, file.location(directive)))
        try:
            return holds(file, directive.start, directive.end, world)
        except ConditionError as error:
            location = file.location(directive)
            if error.place is not None and error.place.file is file:
                location = file.source.locate(error.place.start, error.place.start + 1)
            raise CheckError(InputError(error.message, location)) from None
    match = WORD.search(file.code, directive.start, directive.end)
    if match is None:
        raise CheckError(InputError(f"#{directive.keyword} wants a name", file.location(directive)))
    return world.defined(match.group()) != directive.keyword.endswith("ndef")


def _computed(file: SourceFile, directive: Directive, world: World) -> tuple[str, bool]:
    """The name in an #include that is written as a macro."""
    written = pieces(file, tokens(file.code, directive.start, directive.end))
    try:
        text = "".join(piece.text for piece in Expander(world.macro, 10_000).expand(written))
    except ExpansionError as error:
        raise CheckError(InputError(error.message, file.location(directive))) from None
    if len(text) > 2 and (text[0], text[-1]) in (("<", ">"), ('"', '"')):
        return text[1:-1], text[0] == "<"
    raise CheckError(InputError('#include wants "name" or <name>', file.location(directive)))


def _balanced(file: SourceFile) -> None:
    if file.unbalanced:
        raise CheckError(*(_unbalanced(file, wrong) for wrong in file.unbalanced))


def _unbalanced(file: SourceFile, wrong: Unbalanced) -> InputError:
    keyword, location = wrong.directive.keyword, file.location(wrong.directive)
    if wrong.opening:
        return InputError(f"this #{keyword} is not closed", location, help="it wants an #endif")
    return InputError(f"#{keyword} without #if", location)


def _command_line(definitions: Mapping[str, Value]) -> str:
    return "".join(f"#define {name} {value}\n" for name, value in definitions.items() if value is not None)
