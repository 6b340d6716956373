"""Where a walk through the conditions of a script stands, and what it knows there."""

from __future__ import annotations

from collections.abc import Mapping

from ldcheck.preprocess.configurations import Value
from ldcheck.preprocess.files import SourceFile
from ldcheck.preprocess.inputs import Inputs
from ldcheck.preprocess.macros import Definition, Macro
from ldcheck.preprocess.output import Chain
from ldcheck.preprocess.rendering import Stretch
from ldcheck.record import dataclass, field


class Undecided(Exception):  # noqa: N818  # no error: it asks for a symbol
    """A symbol that is varied is asked for, and has no value yet."""

    def __init__(self, name: str) -> None:
        self.name = name


@dataclass(slots=True, eq=False, repr=False)
class State:
    """Where a walk stands: the files that are open, each with the next directive, and what is defined.

    `text` is what it went through so far, None where that is not wanted or cannot be told. `told` is what was taken up
    last: the number of open files, and the directive ahead of which it stands.
    """

    frames: list[tuple[SourceFile, int]]
    macros: dict[str, Definition]
    assigned: dict[str, Value]
    files: dict[str, None] = field(default_factory=dict)
    once: set[str] = field(default_factory=set)
    missing: dict[str, tuple[SourceFile, int]] = field(default_factory=dict)
    includes: int = 0
    text: list[tuple[Stretch, Chain]] | None = None
    told: tuple[int, int] | None = None

    def copy(self) -> State:
        """The same place, from which another walk goes on."""
        return State(
            list(self.frames),
            dict(self.macros),
            dict(self.assigned),
            dict(self.files),
            set(self.once),
            dict(self.missing),
            self.includes,
            list(self.text) if self.text is not None else None,
            self.told,
        )


class World:
    """What a walk knows at the place where it stands (see `conditions.World`)."""

    def __init__(self, inputs: Inputs, symbols: Mapping[str, tuple[Value, ...]], state: State, deadline: float) -> None:
        self.deadline = deadline
        self._inputs = inputs
        self._symbols = symbols
        self._state = state

    def defined(self, name: str) -> bool:
        """Whether `defined(name)` holds. Raises Undecided."""
        if name in self._state.macros:
            return True
        self._undefined(name)
        return name in ("__has_include", "__FILE__", "__LINE__", "__COUNTER__")

    def macro(self, name: str) -> Macro | None:
        """The macro of that name, if there is one. Raises Undecided."""
        definition = self._state.macros.get(name)
        if definition is not None:
            return definition.macro
        if name in self._symbols or name.startswith("CONFIG_"):
            self._undefined(name)
        return None

    def _undefined(self, name: str) -> None:
        """Ask for a symbol that is varied; keep in mind a CONFIG_ symbol of which nothing is known."""
        if name in self._symbols:
            if name not in self._state.assigned:
                raise Undecided(name)
        elif name.startswith("CONFIG_") and name not in self._inputs.definitions:
            self._state.missing.setdefault(name, self._state.frames[-1])

    def includable(self, name: str, angled: bool) -> bool:
        """Whether `__has_include` holds."""
        file, _ = self._state.frames[-1]
        return self._inputs.find(name, angled, file.name) is not None
