"""The Python interface: `check` is the gate, `parse` reads a linker script, `image` what was linked.

The command line uses nothing else. Bad input never raises in `check`: it is told in the report's `errors`, and the
status is 2. What the parts of a report mean is said in `ldcheck.findings`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Never

from ldcheck import gate, outcome
from ldcheck.findings import CheckError, EvidenceKind, InputError, Report, Severity
from ldcheck.project import FILE_NAME, Project, Target, find_project, read_project, targets_for
from ldcheck.record import dataclass, replace
from ldcheck.source import Location

if TYPE_CHECKING:
    from ldcheck.image.model import Image
    from ldcheck.script.result import Parse

STOCK = "generic"
_NOTHING: Mapping[str, Never] = MappingProxyType({})


def check(
    scripts: Sequence[str] = (),
    *,
    policies: Sequence[str] = (),
    elf: str = "",
    map: str = "",  # noqa: A002 - named as the option, and as everybody calls the file
    objects: Sequence[str] = (),
    arch: str = "",
    includes: Sequence[str] = (),
    definitions: Mapping[str, str | None] = _NOTHING,
    include_first: Sequence[str] = (),
    kconfig: str = "",
    command_file: str = "",
    vary: Mapping[str, tuple[str | None, ...]] = _NOTHING,
    fail_on: Severity | None = Severity.ERROR,
    require: Collection[EvidenceKind] = (),
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    targets: Sequence[str] = (),
    config: str = "",
    baseline: str = "",
    since: str = "",
    text: str | None = None,
    pictures: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Judge policies on scripts, and on what was linked with them.

    Without scripts and images, the targets of `.ldcheck.yaml` are judged (of the file `config`, else of the one here or
    above), or those of them that are named in `targets`. A script that is a target's there, or a header that one
    includes, stands for that target; what is given beside it goes first. Other scripts are judged on their own, and an
    image without a script is judged alone. `policies` are names of stock policies or paths; the stock policy `generic`
    if there are none.

    A script whose name ends in `.S` is preprocessed, in every configuration that gives another script: `includes` are
    folders, `definitions` the symbols that have a value or (None) are not defined, `include_first` headers that come
    first, `kconfig` a .config or autoconf.h, `command_file` the command that the build recorded, and `vary` the values
    to be tried of a symbol, None for not defined.

    `arch` is the architecture where nothing else tells it. `select` and `ignore` are ids of rules or names of checks;
    `require` is evidence without which a target counts as not checked. `baseline` is a file of accepted findings, and
    with `since`, a revision, only findings in lines that changed since then are left. `text` stands for the content of
    the one script that is named, and is not preprocessed. The status of the report is 1 for findings of severity
    `fail_on` or heavier (None: for none), 2 for what could not be checked. `pictures` asks for what the
    HTML report draws of an image; `progress` is told of each step of the run.
    """
    given = _Given(
        tuple(scripts),
        Target(
            name="",
            script="",
            image=elf,
            map=map,
            objects=tuple(objects),
            policies=tuple(policies),
            includes=tuple(includes),
            definitions=definitions,
            include_first=tuple(include_first),
            config=kconfig,
            command_file=command_file,
            vary=vary,
        ),
        tuple(targets),
        config,
        text is not None,
    )
    asked = gate.Asked(tuple(select), tuple(ignore), tuple(require), arch, text, pictures)
    try:
        chosen = _targets(given)
    except CheckError as error:
        return Report(outcome.NOT_CHECKED, errors=error.errors)
    checked = [gate.check_target(target, asked, progress or _silent) for target in chosen.targets]
    report = _allowed(_report(checked, chosen.notes, fail_on), checked, chosen_rules=bool(select or ignore))
    try:
        if baseline:
            report = _without_baseline(report, baseline, chosen.files)
        if since:
            report = _touched(report, since)
    except CheckError as error:
        report = replace(report, errors=(*report.errors, *error.errors))
    return replace(report, status=outcome.status(report.findings, report.errors, fail_on))


def _allowed(report: Report, checked: Sequence[gate.Checked], *, chosen_rules: bool) -> Report:
    """The report without what comments in the sources allow, and with what is wrong with those comments.

    Where only some rules were judged, an allowance of the others is not reported as unused.
    """
    sources = [source for one in checked for source in one.sources if "ldcheck" in source.text]
    if not sources:
        return report
    from ldcheck.preprocess.allow import apply_allowances, read_allowances

    read = read_allowances(sources)
    judged = {name for result in report.rules for name in (result.rule, result.check)} if chosen_rules else None
    applied = apply_allowances(report.findings, read.found, judged)
    return replace(
        report,
        findings=(*applied.kept, *read.malformed, *applied.unused),
        accepted=(*report.accepted, *((finding, allowance.reason) for finding, allowance in applied.allowed)),
    )


def _silent(_: str) -> None:
    """Nobody wants to know how far the run is."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Given:
    """What names the targets of a run: scripts, names of configured targets, and options that go with all of them."""

    scripts: tuple[str, ...]
    options: Target
    names: tuple[str, ...]
    config: str
    inline: bool

    @property
    def linked(self) -> str:
        """A file that was linked, if one is given."""
        return next(iter((self.options.image, self.options.map, *self.options.objects)), "")


class _Chosen(NamedTuple):
    """The targets of a run, and the files that they are about if they are not the whole project."""

    targets: tuple[Target, ...]
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] | None = None


def _targets(given: _Given) -> _Chosen:
    """The targets of a run: configured ones, scripts that no target has, or an image alone. Raises CheckError."""
    options = given.options
    path = given.config or find_project()
    if not path or given.inline or (given.linked and not given.scripts and not given.names):
        if given.names:
            message = f"there is no target {given.names[0]}, as there is no {FILE_NAME} here or above"
            raise CheckError(InputError(message, Location(FILE_NAME)))
        return _Chosen(_one_image(given, _unconfigured(given, given.scripts)), files=_normal(given.scripts))
    project = read_project(path)
    # The configuration itself, as a hook names it when it has changed, stands for all targets.
    scripts = tuple(name for name in given.scripts if os.path.realpath(name) != os.path.realpath(path))
    selected, others = targets_for(project, scripts)
    if len(scripts) < len(given.scripts):
        selected = project.targets
    if given.names:
        selected = _named(project, given.names)
        others = ()
    header = next((name for name in others if name.endswith(".h")), "")
    if header:
        advice = f"name a script that includes it as a target in {path}"
        raise CheckError(InputError("no target includes this header", Location(header), help=advice))
    targets = tuple(_with_options(target, options) for target in selected)
    targets += _unconfigured(given, others) if others else ()
    if not targets:
        left_out = "; ".join(project.left_out)
        message = f"there is nothing to check: {left_out or 'no target'}"
        raise CheckError(InputError(message, Location(path), help="add a target, or name a linker script"))
    notes = (*project.left_out, *(note for target in targets for note in target.notes))
    part = bool(scripts or given.names)
    return _Chosen(_one_image(given, targets), notes, _normal(scripts) if part else None)


def _normal(files: Sequence[str]) -> tuple[str, ...]:
    return tuple(os.path.normpath(file) for file in files)


def _unconfigured(given: _Given, scripts: Sequence[str]) -> tuple[Target, ...]:
    """Targets made of options alone: one for each script, or one for an image without a script."""
    names = scripts or ((given.linked,) if given.linked else ())
    if not names:
        message = f"there is nothing to check: no script, no image, and no {FILE_NAME} that names targets"
        raise CheckError(InputError(message, Location("."), help="name a linker script"))
    policies = given.options.policies or (STOCK,)
    return tuple(
        replace(given.options, name=name, script=name if scripts else "", policies=policies, location=Location(name))
        for name in names
    )


def _with_options(target: Target, options: Target) -> Target:
    """A configured target with the options of this run, which go first where both say something."""
    return replace(
        target,
        image=options.image or target.image,
        map=options.map or target.map,
        objects=options.objects or target.objects,
        policies=options.policies or target.policies or (STOCK,),
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
            from ldcheck.documents import did_you_mean

            advice = did_you_mean(name, known, "the file names no targets")
            errors.append(InputError(f"there is no target {name}", Location(project.path), help=advice))
    if errors:
        raise CheckError(*errors)
    return tuple(target for name, target in known.items() if name in names)


def _one_image(given: _Given, targets: tuple[Target, ...]) -> tuple[Target, ...]:
    if len(targets) > 1 and given.linked:
        message = f"{given.linked} belongs to one target, and there are {len(targets)}"
        advice = f"choose one with --target, or give each its image in {FILE_NAME}"
        raise CheckError(InputError(message, Location(given.linked), help=advice))
    return targets


def _report(checked: Sequence[gate.Checked], notes: Sequence[str], fail_on: Severity | None) -> Report:
    findings = tuple(finding for one in checked for finding in one.findings)
    # Targets that share a policy share its errors.
    errors = tuple(dict.fromkeys(error for one in checked for error in one.errors))
    inputs: dict[str, tuple[str, ...]] = {}
    for one in checked:
        for kind, names in one.inputs.items():
            inputs[kind] = tuple(dict.fromkeys((*inputs.get(kind, ()), *names)))
    return Report(
        outcome.status(findings, errors, fail_on),
        findings,
        tuple(result for one in checked for result in one.results),
        errors,
        inputs,
        tuple(dict.fromkeys((*notes, *(note for one in checked for note in one.notes)))),
        tuple(accepted for one in checked for accepted in one.accepted),
        tuple(detail for one in checked for detail in one.details),
        tuple(one.picture for one in checked if one.picture is not None),
    )


def _without_baseline(report: Report, path: str, files: Sequence[str] | None) -> Report:
    from ldcheck import baseline

    applied = baseline.apply(report.findings, baseline.read(path), path, report.rules, files)
    return replace(report, findings=applied.findings, accepted=(*report.accepted, *applied.accepted))


def _touched(report: Report, since: str) -> Report:
    from ldcheck.changes import touched

    kept, others = touched(report.findings, since)
    if not others:
        return report
    note = f"{others:,} {'finding' if others == 1 else 'findings'} outside of what changed since {since}"
    return replace(report, findings=kept, notes=(*report.notes, note))


def parse(path: str) -> Parse:
    """Read a linker script as GNU ld would; what is wrong with it is in the result.

    Raises CheckError where the file cannot be read.
    """
    return gate.parse_script(path)


def image(elf: str = "", map: str = "", objects: Sequence[str] = ()) -> Image:  # noqa: A002 - as for `check`
    """Read what was linked: an ELF file, the linker's map, object files and archives; any of them.

    Raises CheckError where one of them cannot be read, or none is named.
    """
    from ldcheck.image.linked import read_linked

    found = read_linked(elf, map, objects)
    if found is None:
        raise CheckError(InputError("there is no image to read", Location("."), help="name an ELF file, or a map"))
    return found
