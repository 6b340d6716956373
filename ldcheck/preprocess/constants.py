"""The value of a macro at the end of a configuration: `PAGE_SIZE`, where the headers of the script define it."""

from __future__ import annotations

from collections.abc import Mapping

from ldcheck.preprocess.conditions import ConditionError, number
from ldcheck.preprocess.macros import Definition, Macro


class _Macros:
    """The macros of a configuration that was walked to its end; nothing is left to ask for."""

    def __init__(self, macros: Mapping[str, Definition]) -> None:
        self._macros = macros

    def defined(self, name: str) -> bool:
        return name in self._macros

    def macro(self, name: str) -> Macro | None:
        definition = self._macros.get(name)
        return definition.macro if definition is not None else None

    def includable(self, name: str, angled: bool) -> bool:  # noqa: ARG002 - the protocol's
        return False


def constant(name: str, macros: Mapping[str, Definition]) -> int | None:
    """The number that the macro `name` expands to, from 0 to 2^64-1; None where it is no number, or not defined."""
    definition = macros.get(name)
    if definition is None or definition.macro.parameters is not None:
        return None
    try:
        return number(definition.macro.body, _Macros(macros))
    except ConditionError:
        return None
