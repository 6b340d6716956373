"""The Python interface: `check` is the gate, `parse` reads a linker script, `image` what was linked.

The command line uses nothing else. Bad input never raises in `check`: it is told in the report's `errors`, and the
status is 2. What the parts of a report mean is said in `ldcheck.report.model`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Never

from ldcheck import checks
from ldcheck.findings import CheckError, EvidenceKind, Finding, InputError, Severity
from ldcheck.judging import exit_status, gate
from ldcheck.judging.meant import named_linkers
from ldcheck.judging.spent import TIME, seconds_of
from ldcheck.project.choice import Given, choose
from ldcheck.project.target import Target
from ldcheck.record import replace
from ldcheck.report.model import Report
from ldcheck.sections.budget import BUDGET
from ldcheck.source import Location
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck.accepted.before import Judged
    from ldcheck.compare.configurations import Comparison
    from ldcheck.compare.run import Read
    from ldcheck.image.model import Image
    from ldcheck.script.result import Parse

_NOTHING: Mapping[str, Never] = MappingProxyType({})


def check(
    scripts: Sequence[str] = (),
    *,
    policies: Sequence[str] = (),
    elf: str = "",
    map: str = "",  # noqa: A002 - named as the option, and as everybody calls the file
    objects: Sequence[str] = (),
    arch: str = "",
    linker: str = "",
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

    `arch` is the architecture where nothing else tells it, `linker` whose rules apply (`gnu`, `lld=19`, `both`).
    `select` and `ignore` are ids of rules or names of checks; `require` is evidence without which a target counts as
    not checked. `baseline` is a file of accepted findings, and with `since`, a revision, only findings in lines that
    changed since then are left, and others that were not said before. `text` stands for the content of the one script
    that is named, and is not preprocessed. The status of the report is 1 for findings of severity
    `fail_on` or heavier (None: for none), 2 for what could not be checked. `pictures` asks for what the
    HTML report draws of an image; `progress` is told of each step of the run.
    """
    try:
        linkers = named_linkers(linker)
    except CheckError as error:
        return Report(exit_status.NOT_CHECKED, errors=error.errors)
    given = Given(
        tuple(scripts),
        Target(
            name="",
            script="",
            image=elf,
            map=map,
            objects=tuple(objects),
            linkers=linkers,
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
        chosen = choose(given, _reached)
    except CheckError as error:
        return Report(exit_status.NOT_CHECKED, errors=error.errors)
    BUDGET.renew()
    TIME.start(seconds_of(chosen.targets))
    try:
        checked = [gate.check_target(target, asked, checks, progress or _silent) for target in chosen.targets]
    finally:
        TIME.stop()
    report = _allowed(_report(checked, chosen.notes, fail_on), checked, chosen_rules=bool(select or ignore))

    def told(one: gate.Checked) -> Sequence[Finding]:
        return _allowed(_report([one], (), fail_on), [one], chosen_rules=bool(select or ignore)).findings

    try:
        if baseline:
            report = _without_baseline(report, baseline, chosen.files)
        if since:
            from ldcheck.accepted.before import Judged

            report = _brought(report, since, Judged(chosen.targets, checked, asked, checks, told))
    except CheckError as error:
        report = replace(report, errors=(*report.errors, *error.errors))
    report = _with_fixes(report, checked)
    return replace(report, status=exit_status.status(report.findings, report.errors, fail_on))


def _with_fixes(report: Report, checked: Sequence[gate.Checked]) -> Report:
    """The report with the fixes that were proved, and without all others; what is accepted wants none."""
    if not any(finding.fix is not None for one in checked for finding in one.findings):
        return report
    from ldcheck.judging.trial import tried

    benches = [one.bench() for one in checked if one.bench is not None and not TIME.over]
    findings = tried(report.findings, benches)
    accepted = tuple((replace(finding, fix=None), reason) for finding, reason in report.accepted)
    return replace(report, findings=findings, accepted=accepted)


def _allowed(report: Report, checked: Sequence[gate.Checked], *, chosen_rules: bool) -> Report:
    """The report without what comments in the sources allow, and with what is wrong with those comments.

    Where only some rules were judged, an allowance of the others is not reported as unused.
    """
    sources = [source for one in checked for source in one.sources if "ldcheck" in source.text]
    if not sources:
        return report
    from ldcheck.accepted.allowances import apply_allowances, read_allowances

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


def _reached(targets: Sequence[Target]) -> Mapping[str, Collection[str]]:
    from ldcheck.preprocess.reached import reached

    return reached(targets)


def _waived(one: gate.Checked) -> tuple[gate.Checked, tuple[tuple[Finding, str], ...]]:
    """A target without what its policies accept, and those findings with the reason."""
    if not one.ignores and not one.overrides:
        return one, ()
    from ldcheck.accepted.ignores import waive

    waived = waive(one.findings, one.ignores, one.overrides)
    left = replace(one, findings=waived.findings, notes=one.notes + waived.notes)
    return left, tuple((finding, entry.reason) for finding, entry in waived.ignored)


def _report(checked: Sequence[gate.Checked], notes: Sequence[str], fail_on: Severity | None) -> Report:
    waived = [_waived(one) for one in checked]
    checked = [one for one, _ in waived]
    findings = tuple(finding for one in checked for finding in one.findings)
    # Targets that share a policy share its errors.
    errors = tuple(dict.fromkeys(error for one in checked for error in one.errors))
    inputs: dict[str, tuple[str, ...]] = {}
    for one in checked:
        for kind, names in one.inputs.items():
            inputs[kind] = tuple(dict.fromkeys((*inputs.get(kind, ()), *names)))
    return Report(
        exit_status.status(findings, errors, fail_on),
        findings,
        tuple(result for one in checked for result in one.results),
        errors,
        inputs,
        tuple(dict.fromkeys((*notes, *(note for one in checked for note in one.notes)))),
        tuple(entry for _, accepted in waived for entry in accepted),
        tuple(detail for one in checked for detail in one.details),
        tuple(one.picture for one in checked if one.picture is not None),
    )


def _without_baseline(report: Report, path: str, files: Sequence[str] | None) -> Report:
    from ldcheck.accepted import baseline

    applied = baseline.apply(report.findings, baseline.read(path), path, report.rules, files)
    return replace(report, findings=applied.findings, accepted=(*report.accepted, *applied.accepted))


def _brought(report: Report, since: str, judged: Judged) -> Report:
    from ldcheck.accepted.before import brought

    found = brought(report.findings, since, judged)
    if not found.others:
        return replace(report, findings=found.findings)
    note = f"{counted(found.others, 'finding')} outside of what changed since {since}"
    return replace(report, findings=found.findings, notes=(*report.notes, note))


def parse(path: str) -> Parse:
    """Read a linker script as GNU ld would, with what is wrong in it. Raises CheckError where it cannot be read."""
    from ldcheck.judging.scripts import parse_script

    return parse_script(path)


def image(elf: str = "", map: str = "", objects: Sequence[str] = ()) -> Image:  # noqa: A002 - as for `check`
    """Read what was linked: an ELF file, the linker's map, object files and archives; any of them.

    Raises CheckError where one of them cannot be read, or none is named.
    """
    from ldcheck.image.linked import read_image

    return read_image(elf, map, objects)


def diff(
    old: str = "",
    new: str = "",
    *,
    old_elf: str = "",
    new_elf: str = "",
    old_map: str = "",
    new_map: str = "",
    arch: str = "",
    linker: str = "",
    includes: Sequence[str] = (),
    definitions: Mapping[str, str | None] = _NOTHING,
    include_first: Sequence[str] = (),
    budgets: Sequence[str] = (),
    no_growth: bool = False,
    pictures: bool = False,
    objects: Sequence[str] = (),
    map: str = "",  # noqa: A002 - as for `check`
    link_options: Sequence[str] = (),
    verdicts: bool = False,
    policies: Sequence[str] = (),
    renamed: Mapping[str, str] = _NOTHING,
) -> Comparison:
    """What two linker scripts, two builds, or both do differently.

    `linker` is whose language the scripts are in, as for `check`. What is proved is so for GNU ld: where lld is meant,
    only scripts that read the same are.

    Of two scripts (`old`, `new`) it says whether it is proved that they give the same image. Those whose names end in
    `.S` are preprocessed, and compared configuration by configuration; `includes`, `definitions` and
    `include_first` are as for `check`. A build is an ELF file, the map of its link, or both.

    `budgets` (`FLASH=120K`, `FLASH=95%`, `memory=+1K`) and `no_growth` say what the new build is held to; what is not
    so is in `unmet`. `pictures` asks for what the HTML report draws.

    With `objects`, or the `map` of the old build, both scripts are played through with these inputs, by the rules of
    GNU ld 2.40 for a static link: `builds` is then what that comes to, without a link. `link_options` are those of
    ld's command line that change the layout (`-z`, `norelro`).

    With `verdicts` or `policies`, both sides are judged by these policies (else by those that apply), and `verdicts` of
    the comparison tells which rules are newly violated, mended, or no longer checked. `renamed`: macros, old to new.

    Raises CheckError for what cannot be read, is no linker script, is missing on one side, or is not predicted.
    """
    from ldcheck.compare.inputs import Inputs
    from ldcheck.compare.linkers import compare
    from ldcheck.compare.operands import without_files
    from ldcheck.compare.run import Asked, read, with_renamed

    options = without_files(arch, linker, includes, definitions, include_first)
    before = replace(options, name=old or old_elf or old_map, script=old, image=old_elf, map=old_map)
    after = replace(options, name=new or new_elf or new_map, script=new, image=new_elf, map=new_map)
    inputs = Inputs(tuple(objects), map, tuple(link_options))
    one, other = read(before), read(after)
    one = with_renamed(one, before, arch, other.scripts, renamed)
    found = compare(after, one, other, Asked(tuple(budgets), no_growth, pictures, inputs))
    judged = verdicts or policies
    return _with_verdicts(found, (before, one), (after, other), policies) if judged else found


def diff_since(
    revision: str,
    scripts: Sequence[str] = (),
    *,
    old_elf: str = "",
    new_elf: str = "",
    old_map: str = "",
    new_map: str = "",
    arch: str = "",
    linker: str = "",
    includes: Sequence[str] = (),
    definitions: Mapping[str, str | None] = _NOTHING,
    include_first: Sequence[str] = (),
    budgets: Sequence[str] = (),
    no_growth: bool = False,
    pictures: bool = False,
    objects: Sequence[str] = (),
    map: str = "",  # noqa: A002 - as for `check`
    link_options: Sequence[str] = (),
    verdicts: bool = False,
    policies: Sequence[str] = (),
    renamed: Mapping[str, str] = _NOTHING,
) -> dict[str, Comparison]:
    """What scripts do differently since a revision of git, by the names of the targets; the work tree stays as it is.

    The targets are those that `check` would choose for the scripts; without any, all of `.ldcheck.yaml`. Headers count
    as they were at the revision, too. Builds are those of the one target that is compared. What of one target cannot be
    read is in the `errors` of its comparison. Raises CheckError for a revision that git does not know, for scripts that
    are no target, and for builds of several. The other parameters are as for `diff`.
    """
    from ldcheck.compare.configurations import Comparison
    from ldcheck.compare.inputs import Inputs
    from ldcheck.compare.linkers import compare
    from ldcheck.compare.operands import without_files
    from ldcheck.compare.run import Asked, Read, read, read_before, read_build, sources_of, with_renamed
    from ldcheck.project.revisions import commit_of, is_new, texts_at

    commit = commit_of(revision)
    options = without_files(arch, linker, includes, definitions, include_first)
    chosen = choose(Given(tuple(scripts), options, (), "", inline=False), _reached)
    asked = Asked(tuple(budgets), no_growth, pictures, Inputs(tuple(objects), map, tuple(link_options)))
    builds = (old_elf, old_map, new_elf, new_map, map, *objects)
    images = (old_elf, old_map), (new_elf, new_map)
    if any(builds) and len(chosen.targets) != 1:
        names = ", ".join(target.name for target in chosen.targets)
        raise CheckError(InputError(f"builds are those of one target: name it, of {names}", Location(revision)))
    found: dict[str, Comparison] = {}
    for target in chosen.targets:
        try:
            if is_new(commit, target.script):
                message = f"{target.script} was not there at {revision}"
                raise CheckError(InputError(message, Location(target.script)))
            after = read(replace(target, arch=target.arch or arch, image=new_elf, map=new_map))
            texts = texts_at(commit, (target.script, *after.scripts.files()))
            before = read_before(target, arch, after.scripts, texts)
            sources = sources_of(target, arch, after.scripts, texts)
            side = Read(f"{target.name} at {revision}", before, read_build(old_elf, old_map), sources)
            side = with_renamed(side, target, arch, after.scripts, renamed, texts)
            comparison = compare(target, side, after, asked)
            if verdicts or policies:
                sides = (replace(target, arch=target.arch or arch, image=elf, map=mapped) for elf, mapped in images)
                old_target, new_target = sides
                comparison = _with_verdicts(comparison, (old_target, side), (new_target, after), policies)
            found[target.name] = comparison
        except CheckError as error:
            found[target.name] = Comparison((), (), False, "it could not be compared", 0, errors=error.errors)
    return found


def _with_verdicts(
    found: Comparison, old: tuple[Target, Read], new: tuple[Target, Read], policies: Sequence[str]
) -> Comparison:
    """A comparison with what becomes of the verdicts of policies: those named, else those that the new side is for."""
    from ldcheck.compare.verdicts import verdict_changes
    from ldcheck.judging.calls import with_policies

    named = tuple(policies) or new[0].policies or with_policies(new[0], new[1].scripts, new[1].image)[0].policies
    targets = [replace(target, policies=named) for target, _ in (old, new)]
    BUDGET.renew()
    TIME.start(seconds_of(targets))
    try:
        checked = [
            gate.check_target(target, gate.Asked(arch=target.arch), checks, _silent, scripts=side.scripts)
            for target, (_, side) in zip(targets, (old, new), strict=True)
        ]
    finally:
        TIME.stop()
    errors = [error for one in checked for error in one.errors]
    if errors:
        raise CheckError(*dict.fromkeys(errors))
    one, other = (_allowed(_report([side], (), Severity.ERROR), [side], chosen_rules=False) for side in checked)
    changes = verdict_changes((one.rules, one.findings), (other.rules, other.findings))
    return replace(found, verdicts=changes)
