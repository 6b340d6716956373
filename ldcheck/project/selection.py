"""Where the configuration of a project is, and which of its targets a file belongs to."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from ldcheck.project.target import FILE_NAME, Project, Target


class Selection(NamedTuple):
    """The targets that some files belong to, and the files that belong to none."""

    targets: tuple[Target, ...]
    others: tuple[str, ...]


def find_project(folder: str = ".") -> str:
    """The path of the `.ldcheck.yaml` of a folder or, failing that, of the nearest one above it; empty if none."""
    current = os.path.abspath(folder)
    while True:
        path = os.path.join(current, FILE_NAME)
        if os.path.isfile(path):
            return os.path.relpath(path)
        above = os.path.dirname(current)
        # A repository's top is the end: what lies above belongs to somebody else.
        if above == current or os.path.exists(os.path.join(current, ".git")):
            return ""
        current = above


# By target, every file that its script includes in some branch: for the selection by a header.
Reached = Callable[[Sequence[Target]], Mapping[str, Collection[str]]]


def targets_for(project: Project, files: Sequence[str], reached: Reached) -> Selection:
    """The targets that files (as pre-commit hands them over) belong to; without files, all.

    A script belongs to its targets, a header to those whose script includes it in some configuration, and the
    configuration file to all. `reached` tells what scripts include. Raises CheckError for a script's file
    that cannot be read.
    """
    if not files:
        return Selection(project.targets, ())
    chosen: dict[str, Target] = {}
    others: list[str] = []
    reach: Mapping[str, Collection[str]] = {}
    for name in files:
        path = os.path.normpath(os.path.relpath(name))
        if path == os.path.normpath(project.path):
            return Selection(project.targets, ())
        found = [target for target in project.targets if path in _own_files(target)]
        if not found:
            if not reach:
                reach = reached(project.targets)
            found = [target for target in project.targets if path in reach[target.name]]
        chosen.update((target.name, target) for target in found)
        if not found:
            others.append(name)
    return Selection(tuple(target for target in project.targets if target.name in chosen), tuple(others))


def is_version_script(path: str) -> bool:
    """Whether a file is a version script, as far as it can be read."""
    from ldcheck.script import foreign

    try:
        if not os.path.isfile(path):
            return False
        with open(path, encoding="utf-8", errors="replace") as stream:
            return foreign.is_version_script(stream.read(1 << 16))
    except OSError:
        return False


def _own_files(target: Target) -> tuple[str, ...]:
    return (target.script, *target.include_first, target.command_file, target.config, *target.policies)
