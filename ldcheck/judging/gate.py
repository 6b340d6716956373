"""One target through the gate: its policies, its scripts in every configuration, what was linked, and the verdicts.

`ldcheck.api` decides which targets there are and what the run's exit status is; here a target goes straight down, and
whatever cannot be read ends up in its errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ldcheck.findings import CheckError, EvidenceKind, Finding, InputError, RuleResult
from ldcheck.judging import applicable, exit_status, judge
from ldcheck.judging.architecture import declared, find_arch
from ldcheck.judging.calls import with_policies
from ldcheck.judging.details import details, picture
from ldcheck.judging.linked import image_of, linked_with, present
from ldcheck.judging.meant import Meant, meant_by
from ldcheck.judging.refused import refuses_orphans
from ldcheck.judging.scripts import Scripts, all_errors, read_scripts, views_of, warnings
from ldcheck.judging.spent import TIME, OutOfTimeError, spent
from ldcheck.linker import GNU
from ldcheck.record import dataclass, field, replace
from ldcheck.sections.budget import BUDGET
from ldcheck.source import Location, Source
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck.image.model import Image
    from ldcheck.judging.trial import Bench
    from ldcheck.layout.picture import Picture
    from ldcheck.policy.load import Policies
    from ldcheck.policy.rule import Ignore, Override, Rule
    from ldcheck.project.target import Target


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Asked:
    """What a run asks of every target.

    `select` and `ignore` are ids of rules or names of checks. `arch` is the option, which the target's own architecture
    must not contradict. `text` stands for the content of the script, `pictures` asks for what a report can draw.
    `policy_texts` stand for what policy files hold, by their real paths.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    require: tuple[EvidenceKind, ...] = ()
    arch: str = ""
    text: str | None = None
    pictures: bool = False
    policy_texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Checked:
    """What came of one target. `details` say how the verdicts came about.

    `ignores` and `overrides` are what its policies want taken otherwise; `sources` are the files that may hold
    allowances. Nothing of that has been applied here. `bench` makes what fixes can be tried on. `files` are all
    that the scripts were read from.
    """

    findings: tuple[Finding, ...] = ()
    results: tuple[RuleResult, ...] = ()
    errors: tuple[InputError, ...] = ()
    notes: tuple[str, ...] = ()
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    details: tuple[str, ...] = ()
    picture: Picture | None = None
    sources: tuple[Source, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    overrides: tuple[Override, ...] = ()
    bench: Callable[[], Bench] | None = None
    files: frozenset[str] = frozenset()


def check_target(
    target: Target,
    asked: Asked,
    checks: judge.CheckModules,
    progress: Callable[[str], None],
    scripts: Scripts | None = None,
) -> Checked:
    """Judge one target. Never raises for bad input.

    `checks` are all that a policy can use; `progress` is told of each step. `scripts` are those of the target where
    they were read before.
    """
    try:
        with TIME:
            return _checked(target, asked, checks, progress, scripts)
    except OutOfTimeError:
        message = f"the run has spent its {TIME.seconds:.0f} seconds of processor time"
    except MemoryError:
        message = "there is not enough memory"
    error = InputError(f"{target.name} is not decided: {message}", Location(target.script or target.image))
    return Checked(errors=(error,))


def _checked(
    target: Target,
    asked: Asked,
    checks: judge.CheckModules,
    progress: Callable[[str], None],
    given: Scripts | None,
) -> Checked:
    from ldcheck.policy.load import load_policies

    if target.errors:
        return Checked(errors=target.errors)
    try:
        meant = meant_by(target)
    except CheckError as error:
        return Checked(errors=error.errors)
    target = replace(target, linkers=meant.linkers)
    scripts, image = Scripts(), None
    unreadable: list[InputError] = []
    begin = spent()
    progress(f"{target.name}: reading the script")
    try:
        scripts = read_scripts(target, asked.arch, asked.text) if given is None else given
        unreadable += all_errors(scripts)
    except CheckError as error:
        unreadable += error.errors
    reading = spent() - begin
    progress(f"{target.name}: reading what was linked")
    try:
        image = image_of(target)
    except CheckError as error:
        unreadable += error.errors
    remarks: tuple[str, ...] = ()
    if not target.policies:
        target, remarks = with_policies(target, scripts, image)
    if meant.is_guess and meant.linkers[0].kind != GNU.kind:
        remarks += (f"{target.name}: taken as linked by {meant.describe()}",)
    policies = load_policies(target.policies, declarations=checks, tests=False, texts=asked.policy_texts)
    errors = [*policies.errors, *unreadable]
    inputs = _inputs(target, policies, meant)
    # A verdict on half of what was given would be mistaken for a verdict on all of it.
    if len(errors) > len(policies.errors) or not policies.rules:
        return Checked(errors=tuple(errors), inputs=inputs)
    progress(f"{target.name}: judging {len(policies.rules):,} rules")
    try:
        judged = _judged(target, asked, checks, policies, scripts, image, reading)
    except CheckError as error:
        return Checked(errors=(*errors, *error.errors), inputs=inputs)
    return replace(judged, errors=(*errors, *judged.errors), inputs=inputs, notes=(*remarks, *judged.notes))


def _judged(
    target: Target,
    asked: Asked,
    checks: judge.CheckModules,
    policies: Policies,
    scripts: Scripts,
    image: Image | None,
    reading: float,
) -> Checked:
    from ldcheck.image.arches import file_format
    from ldcheck.judging.evidence import ImageView

    output_arch, output_format = declared(scripts.parses[0].tree) if scripts.parses else ("", "")
    arch = find_arch(target, asked.arch, image, output_arch, output_format)
    rules, errors = _chosen(policies.rules, asked, target.location)
    refused = refuses_orphans(rules, arch)
    views = views_of(scripts, policies, arch, orphans=not refused, linkers=target.linkers)
    definitions = scripts.definitions or ((),) * len(views)
    linked, remarks = linked_with(target, views, image, policies.params, whole=not scripts.missing)
    known = views[linked].params if views else policies.params
    judgeable = applicable.Target(
        name=target.name,
        arch=arch,
        scripts=tuple(applicable.ScriptCase(view, defined) for view, defined in zip(views, definitions, strict=True)),
        image=(
            ImageView(image, arch, views[linked] if views else None, known, target.linkers)
            if image is not None
            else None
        ),
        image_case=linked,
        condition=scripts.condition,
        format="elf" if image is not None and image.elf is not None else file_format(output_format),
        linkers=tuple(dict.fromkeys(linker.name for linker in target.linkers)),
        paths=(target.script,) if target.script else (),
    )
    begin = spent()
    judged = judge.judge(rules, judgeable, checks)
    seconds = reading + spent() - begin
    drafts = any(finding.fix is not None for finding in judged.findings)
    errors += judged.errors
    errors += exit_status.lacking(asked.require, present(scripts, image), target.name, target.location)
    # What is wrong with a policy explains why nothing was checked.
    if not policies.errors and not errors:
        unchecked = exit_status.unchecked(judged.results, target.name, target.location)
        errors += [unchecked] if unchecked else []
    said = [note for parse in scripts.parses for note in warnings(parse)]
    if TIME.over:
        said.append(f"the run has spent its {TIME.seconds:.0f} seconds of processor time: what was left is not decided")
    if BUDGET.undecided:
        whom = counted(BUDGET.undecided, "question")
        said.append(f"{whom} about which pattern takes what were not decided: too complex for the budget of a run")
    return Checked(
        tuple(replace(finding, target=target.name) for finding in judged.findings),
        judged.results,
        tuple(errors),
        scripts.notes + remarks + tuple(dict.fromkeys(said)) + (image.notes if image is not None else ()),
        details=tuple(details(target, scripts, image, arch, judged.results)),
        picture=picture(target, image, views[linked].tree if views else None) if asked.pictures else None,
        sources=scripts.sources,
        ignores=policies.ignores,
        overrides=policies.overrides,
        bench=_bench(target, asked, checks, policies, scripts, judgeable, rules, seconds, drafts=drafts),
        files=scripts.files(),
    )


def _bench(
    target: Target,
    asked: Asked,
    checks: judge.CheckModules,
    policies: Policies,
    scripts: Scripts,
    judgeable: applicable.Target,
    rules: Sequence[Rule],
    seconds: float,
    *,
    drafts: bool,
) -> Callable[[], Bench] | None:
    """Makes the bench when a fix is to be tried. Without drafts on this target, nothing large is kept for it."""
    if not scripts.parses:
        return None
    files = scripts.files()
    kept = scripts if drafts else None
    judged = replace(judgeable, image=None, scripts=judgeable.scripts if drafts else ())

    def bench() -> Bench:
        from ldcheck.judging.trial import Bench

        return Bench(target, asked.arch, kept, judged, policies, rules, checks, files, seconds)

    return bench


def _chosen(rules: Sequence[Rule], asked: Asked, place: Location) -> tuple[list[Rule], list[InputError]]:
    """The rules that `select` and `ignore` leave, and an error for each name there that means no rule."""
    known = {name for rule in rules for name in (rule.id, rule.check)}
    errors = []
    for option, names in (("--select", asked.select), ("--ignore", asked.ignore)):
        for name in names:
            if name not in known:
                from ldcheck.words import did_you_mean

                message = f"{option}: there is no rule or check {name}"
                errors.append(InputError(message, place, help=did_you_mean(name, known)))
    chosen = [
        rule
        for rule in rules
        if (not asked.select or {rule.id, rule.check} & set(asked.select))
        and not {rule.id, rule.check} & set(asked.ignore)
    ]
    return chosen, errors


def _inputs(target: Target, policies: Policies, meant: Meant) -> dict[str, tuple[str, ...]]:
    named = {
        "script": (target.script,),
        "image": (target.image,),
        "map": (target.map,),
        "objects": target.objects,
        "policy": policies.files,
        "linker": (meant.describe(),) if target.script or meant.linkers else (),
    }
    return {kind: names for kind, names in named.items() if any(names)}
