"""The targets of one run: chosen by name or by file, with the options of the run, or made of the options alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from ldcheck.findings import CheckError, InputError
from ldcheck.project.selection import Reached, find_project, is_version_script, targets_for
from ldcheck.project.target import FILE_NAME, Project, Target
from ldcheck.record import dataclass, replace
from ldcheck.source import Location
from ldcheck.words import did_you_mean


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Given:
    """What names the targets of a run: scripts, names of configured targets, and options that go with all of them."""

    scripts: tuple[str, ...]
    options: Target
    names: tuple[str, ...]
    config: str
    inline: bool

    @property
    def linked(self) -> str:
        """A file that was linked, if one is given."""
        named = (self.options.image, self.options.map, *self.options.objects)
        return next((name for name in named if name), "")


class Chosen(NamedTuple):
    """The targets of a run, and the files that they are about if they are not the whole project."""

    targets: tuple[Target, ...]
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] | None = None


def choose(given: Given, reached: Reached) -> Chosen:
    """The targets of a run: configured ones, scripts that no target has, or an image alone. Raises CheckError.

    `reached` tells which headers scripts include (see `selection.targets_for`).
    """
    options = given.options
    path = given.config or find_project()
    if given.inline or (given.linked and not given.scripts and not given.names):
        return Chosen(_one_image(given, _unconfigured(given, given.scripts)), files=_normal(given.scripts))
    if not path:
        if given.names:
            message = f"there is no target {given.names[0]}, as there is no {FILE_NAME} here or above"
            raise CheckError(InputError(message, Location(FILE_NAME), help="`ldcheck init` writes one"))
        project = _implied(given)
    else:
        # Most hooks run without a configuration, and need not wait for what reads one.
        from ldcheck.project.read import read_project

        project = read_project(path)
    # The configuration itself, as a hook names it when it has changed, stands for all targets.
    scripts = tuple(name for name in given.scripts if not path or os.path.realpath(name) != os.path.realpath(path))
    selected, others = targets_for(project, scripts, reached) if project.targets else ((), scripts)
    if len(scripts) < len(given.scripts):
        selected = project.targets
    if given.names:
        selected = _named(project, given.names)
        others = ()
    headers = tuple(name for name in others if name.endswith(".h"))
    versions = tuple(name for name in others if name not in headers and is_version_script(name))
    others = tuple(name for name in others if name not in (*headers, *versions))
    passed = tuple(f"{name} is included by no script that is known here, and is passed over" for name in headers)
    passed += tuple(f"{name} is a version script (ld --version-script), and is passed over" for name in versions)
    targets = tuple(_with_options(target, options) for target in selected)
    targets += _unconfigured(given, others) if others or not (passed or path or targets) else ()
    if not targets and not passed:
        left_out = "; ".join(project.left_out)
        message = f"there is nothing to check: {left_out or 'no target'}"
        raise CheckError(InputError(message, Location(path), help="add a target, or name a linker script"))
    notes = (*project.left_out, *(note for target in targets for note in target.notes), *passed)
    part = bool(scripts or given.names)
    return Chosen(_one_image(given, targets), notes, _normal(scripts) if part else None)


def _implied(given: Given) -> Project:
    """The targets that a tree of a known project has without a configuration, as far as the scripts ask for them.

    Where the options say how a script is preprocessed, nothing is implied.
    """
    nothing = Project("", ())
    named = [name for name in given.scripts if name.endswith((".S", ".h"))]
    if not named or given.options.includes or given.options.command_file:
        return nothing
    from ldcheck.project.discover import discover, known_top

    top = known_top(named[0])
    if not top:
        return nothing
    from ldcheck.project.read import project_of
    from ldcheck.project.write import written
    from ldcheck.source import Source

    # As if `ldcheck init` had been run; what no build left here was never asked for.
    implied = project_of(Source(os.path.relpath(os.path.join(top, FILE_NAME)), written(discover(top))))
    return Project("", tuple(replace(target, notes=(), policies=()) for target in implied.targets))


def _normal(files: Sequence[str]) -> tuple[str, ...]:
    return tuple(os.path.normpath(file) for file in files)


def _unconfigured(given: Given, scripts: Sequence[str]) -> tuple[Target, ...]:
    """Targets made of options alone: one for each script, or one for an image without a script."""
    names = scripts or ((given.linked,) if given.linked else ())
    if not names:
        message = f"there is nothing to check: no script, no image, and no {FILE_NAME} that names targets"
        raise CheckError(InputError(message, Location("."), help="name a linker script"))
    return tuple(
        replace(given.options, name=name, script=name if scripts else "", location=Location(name)) for name in names
    )


def _with_options(target: Target, options: Target) -> Target:
    """A configured target with the options of this run, which go first where both say something."""
    return replace(
        target,
        image=options.image or target.image,
        map=options.map or target.map,
        objects=options.objects or target.objects,
        linkers=options.linkers or target.linkers,
        policies=options.policies or target.policies,
        includes=(*options.includes, *target.includes),
        definitions={**target.definitions, **options.definitions},
        include_first=(*target.include_first, *options.include_first),
        config=options.config or target.config,
        command_file=options.command_file or target.command_file,
        vary={**target.vary, **options.vary},
    )


def _named(project: Project, names: Sequence[str]) -> tuple[Target, ...]:
    known = {target.name: target for target in project.targets}
    errors = []
    for name in names:
        if name not in known:
            advice = did_you_mean(name, known, "the file names no targets")
            errors.append(InputError(f"there is no target {name}", Location(project.path), help=advice))
    if errors:
        raise CheckError(*errors)
    return tuple(target for name, target in known.items() if name in names)


def _one_image(given: Given, targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """The targets; where something linked was given, the one that it belongs to by its architecture."""
    if len(targets) < 2 or not given.linked:
        return targets
    from ldcheck.image.arches import expand
    from ldcheck.image.machine import machine_of

    machine = machine_of(given.options.image)
    found = [target for target in targets if machine and machine in expand(target.arch)]
    scripts = {target.script for target in found}
    # Of several that share a script and a machine (an ELF and an EFI image), the first is the ordinary one.
    if len(scripts) == 1:
        return (found[0],)
    message = f"{given.linked} belongs to one target, and there are {len(targets)}"
    advice = f"choose one with --target, or give each its image in {FILE_NAME}"
    raise CheckError(InputError(message, Location(given.linked), help=advice))
