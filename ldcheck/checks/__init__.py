"""The checks: one module a check, and what there is of them.

A head key `no-wildcard-may-shadow` is `no_wildcard_may_shadow.py`, a lint `shadowed-pattern` is
`lints/shadowed_pattern.py`; what a module declares is its `DECLARATION`, its docstring is the documentation. Which
checks there are is read from the folder, and only those that a policy uses are imported: there is no other registry.
"""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ldcheck.policy.declare import Declaration

_FOLDER = os.path.dirname(os.path.abspath(__file__))


def names() -> tuple[str, ...]:
    """The head keys of all checks, sorted; `lint` is not among them."""
    return _listed(_FOLDER)


def lint_names() -> tuple[str, ...]:
    """The names of all lints, sorted."""
    return _listed(os.path.join(_FOLDER, "lints"))


def exists(name: str, lint: bool = False) -> bool:
    """Whether there is a check (or lint) of that name; nothing is imported to find out."""
    return name in (lint_names() if lint else names())


def module(name: str, lint: bool = False) -> ModuleType:
    """The module of a check (or lint). Raises KeyError for a name that does not exist."""
    if not exists(name, lint):
        raise KeyError(name)
    package = "ldcheck.checks.lints" if lint else "ldcheck.checks"
    return import_module(f"{package}.{name.replace('-', '_')}")


def declaration(name: str, lint: bool = False) -> Declaration:
    """What a check (or lint) declares. Raises KeyError for a name that does not exist."""
    declared: Declaration = module(name, lint).DECLARATION
    return declared


_LISTED: dict[str, tuple[str, ...]] = {}


def _listed(folder: str) -> tuple[str, ...]:
    if folder not in _LISTED:
        files = (entry for entry in os.listdir(folder) if entry.endswith(".py") and not entry.startswith("_"))
        _LISTED[folder] = tuple(sorted(entry[:-3].replace("_", "-") for entry in files))
    return _LISTED[folder]
