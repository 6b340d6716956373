"""One target through the gate: its policies, its scripts in every configuration, what was linked, and the verdicts.

`ldcheck.api` decides which targets there are and what the run's exit status is; here a target goes straight down, and
whatever cannot be read ends up in its errors.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ldcheck import judge, outcome
from ldcheck.findings import CheckError, EvidenceKind, Finding, InputError, RuleResult
from ldcheck.record import dataclass, field, replace
from ldcheck.sections.budget import BUDGET
from ldcheck.source import Location, Related, Source, SourceMap
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck import project
    from ldcheck.evidence import ScriptView
    from ldcheck.image.model import Image
    from ldcheck.picture import Picture
    from ldcheck.policy.load import Policies
    from ldcheck.policy.rule import Ignore, Rule
    from ldcheck.preprocess.run import Preprocessed
    from ldcheck.script.result import Diagnostic, Parse
    from ldcheck.script.syntax import Script

# A text that is no linker script has as many errors as lines; the first ones tell.
_MOST_ERRORS = 20
_MOST_WARNINGS = 5


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Asked:
    """What a run asks of every target.

    `select` and `ignore` are ids of rules or names of checks. `arch` is the option, which the target's own architecture
    must not contradict. `text` stands for the content of the script, `pictures` asks for what a report can draw.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    require: tuple[EvidenceKind, ...] = ()
    arch: str = ""
    text: str | None = None
    pictures: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Checked:
    """What came of one target. `accepted` are findings that a policy's `ignore` waives, each with the reason.

    `details` say how the verdicts came about. `sources` are the files that may hold allowances.
    """

    findings: tuple[Finding, ...] = ()
    results: tuple[RuleResult, ...] = ()
    errors: tuple[InputError, ...] = ()
    notes: tuple[str, ...] = ()
    accepted: tuple[tuple[Finding, str], ...] = ()
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    details: tuple[str, ...] = ()
    picture: Picture | None = None
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Scripts:
    """The distinct scripts of a target, parsed. `condition` words a choice of them.

    `described` tells the configurations of each, where it was preprocessed; `sources` are the files that people edit.
    """

    parses: tuple[Parse, ...] = ()
    definitions: tuple[tuple[Mapping[str, str], ...], ...] = ()
    condition: Callable[[Collection[int]], str] = lambda _: ""
    notes: tuple[str, ...] = ()
    described: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


def check_target(target: project.Target, asked: Asked, progress: Callable[[str], None]) -> Checked:
    """Judge one target. Never raises for bad input. `progress` is told of each step."""
    from ldcheck import checks
    from ldcheck.policy.load import load_policies

    BUDGET.renew()
    policies = load_policies(target.policies, declarations=checks)
    errors = list(policies.errors)
    scripts, image = _Scripts(), None
    progress(f"{target.name}: reading the script")
    try:
        scripts = _scripts(target, asked)
        errors += [error for parse in scripts.parses for error in script_errors(parse)]
    except CheckError as error:
        errors += error.errors
    progress(f"{target.name}: reading what was linked")
    try:
        image = _image(target)
    except CheckError as error:
        errors += error.errors
    inputs = _inputs(target, policies)
    # A verdict on half of what was given would be mistaken for a verdict on all of it.
    if len(errors) > len(policies.errors) or not policies.rules:
        return Checked(errors=tuple(errors), inputs=inputs)
    progress(f"{target.name}: judging {len(policies.rules):,} rules")
    try:
        return _judged(target, asked, policies, scripts, image, errors, inputs)
    except CheckError as error:
        return Checked(errors=(*errors, *error.errors), inputs=inputs)


def _judged(
    target: project.Target,
    asked: Asked,
    policies: Policies,
    scripts: _Scripts,
    image: Image | None,
    errors: list[InputError],
    inputs: Mapping[str, tuple[str, ...]],
) -> Checked:
    from ldcheck.evidence import ImageView, ScriptView
    from ldcheck.policy.arches import file_format

    output_arch, output_format = _declared(scripts.parses[0].tree) if scripts.parses else ("", "")
    arch = _arch(target, asked, image, output_arch, output_format)
    refused = judge.refuses_orphans(policies.rules)
    views = [ScriptView(parse.tree, parse.sources, arch, policies.params, not refused) for parse in scripts.parses]
    definitions = scripts.definitions or ((),) * len(views)
    linked, remarks = _linked(target, views, image, policies.params)
    judgeable = judge.Target(
        name=target.name,
        arch=arch,
        scripts=tuple(judge.ScriptCase(view, defined) for view, defined in zip(views, definitions, strict=True)),
        image=ImageView(image, arch, views[linked] if views else None, policies.params) if image is not None else None,
        image_case=linked,
        condition=scripts.condition,
        format="elf" if image is not None and image.elf is not None else file_format(output_format),
        linker=image.map.linker if image is not None and image.map is not None else "",
        paths=(target.script,) if target.script else (),
    )
    rules, unknown = _chosen(policies.rules, asked, target.location)
    errors += unknown
    judged = judge.judge(rules, judgeable)
    errors += judged.errors
    present = _present(scripts, image)
    errors += outcome.lacking(asked.require, present, target.name, target.location)
    if not errors and (error := outcome.unchecked(judged.results, target.name, target.location)):
        errors.append(error)
    findings = tuple(replace(finding, target=target.name) for finding in judged.findings)
    accepted: tuple[tuple[Finding, Ignore], ...] = ()
    warnings = [note for parse in scripts.parses for note in _warnings(parse)]
    notes = scripts.notes + remarks + tuple(dict.fromkeys(warnings)) + (image.notes if image is not None else ())
    if BUDGET.undecided:
        whom = counted(BUDGET.undecided, "question")
        notes += (f"{whom} about which pattern takes what were not decided: too complex for the budget of a run",)
    if policies.ignores or policies.overrides:
        from ldcheck.policy.waive import waive

        waived = waive(findings, policies.ignores, policies.overrides)
        findings, accepted, notes = waived.findings, waived.ignored, notes + waived.notes
    return Checked(
        findings,
        judged.results,
        tuple(errors),
        notes,
        tuple((finding, entry.reason) for finding, entry in accepted),
        inputs,
        tuple(_details(target, scripts, image, arch, judged.results)),
        _picture(target, image, views[linked].tree if views else None) if asked.pictures else None,
        scripts.sources,
    )


def _picture(target: project.Target, image: Image | None, tree: Script | None) -> Picture | None:
    if image is None:
        return None
    from ldcheck.layout.drawing import draw

    return draw(target.name, image, tree)


def _details(
    target: project.Target, scripts: _Scripts, image: Image | None, arch: str, results: Sequence[RuleResult]
) -> Iterator[str]:
    """How each script came about, and what each verdict rests on."""
    yield f"{target.name}: architecture {arch or 'not known'}, policies {', '.join(target.policies)}"
    for at, described in enumerate(scripts.described, 1):
        yield f"{target.name}: script {at} of {len(scripts.described)}: {described}"
    if scripts.parses and not scripts.described:
        yield f"{target.name}: {target.script} is taken as it is"
    if image is not None:
        parts = [("ELF file", target.image), ("map", target.map), ("objects", ", ".join(target.objects))]
        yield f"{target.name}: " + ", ".join(f"{what} {name}" for what, name in parts if name)
    for result in results:
        evidence = " and ".join(kind.value for kind in result.evidence)
        basis = f", by {evidence}" if evidence else ""
        reason = f" ({result.reason})" if result.reason else ""
        yield f"{target.name}: {result.rule}: {result.verdict.value}{basis}{reason}"


def _image(target: project.Target) -> Image | None:
    if not (target.image or target.map or target.objects):
        return None
    from ldcheck.image.linked import read_linked

    return read_linked(target.image, target.map, target.objects)


def _scripts(target: project.Target, asked: Asked) -> _Scripts:
    if not target.script:
        return _Scripts()
    if asked.text is None and is_preprocessed(target):
        # The architecture decides with which compiler, or with whose macros, a script is preprocessed.
        return _preprocessed(target if target.arch else replace(target, arch=asked.arch))
    parsed = parse_script(target.script, asked.text, target.includes)
    return _Scripts((parsed,), sources=parsed.sources.sources)


def is_preprocessed(target: project.Target) -> bool:
    """Whether the script goes through a preprocessor: by its suffix `.S`, or because the target says how."""
    return target.script.endswith(".S") or bool(target.command_file) or target.preprocessor != "auto"


def _preprocessed(target: project.Target) -> _Scripts:
    from ldcheck.preprocess.configurations import smallest_condition
    from ldcheck.preprocess.run import preprocess
    from ldcheck.script.includes import searched
    from ldcheck.script.parser import parse

    found = preprocess(target)
    every = [configuration for one in found for configuration in one.configurations]

    def condition(chosen: Collection[int]) -> str:
        return smallest_condition(every, [configuration for at in chosen for configuration in found[at].configurations])

    include = searched(target.includes)
    return _Scripts(
        tuple(parse(one.source, origin=one.origin, include=include) for one in found),
        tuple(one.defined for one in found),
        condition,
        tuple(dict.fromkeys(note for one in found for note in one.notes)),
        tuple(_described(one) for one in found),
        tuple(source for one in found for source in one.sources()),
    )


def _described(script: Preprocessed) -> str:
    named = [configuration.describe() or "the only configuration" for configuration in script.configurations[:8]]
    more = len(script.configurations) - len(named)
    return "; or ".join(named) + (f"; or {more:,} others" if more else "")


def parse_script(path: str, text: str | None = None, folders: Sequence[str] = ()) -> Parse:
    """Parse a script as it stands; line markers in it lead back to the files that they name.

    `text` stands for the content of the file. `folders` are looked through for INCLUDE, like those of `ld -L`.
    """
    from ldcheck.linemarkers import origin_of
    from ldcheck.script.includes import searched
    from ldcheck.script.parser import parse

    source = Source(path, text) if text is not None else read_script(path)
    origin = origin_of(source, (os.path.dirname(path),))
    return parse(source, origin=origin, include=searched(folders))


def read_script(path: str) -> Source:
    """The text of a linker script. Raises CheckError for what cannot be read."""
    from ldcheck.documents import read_source

    return read_source(path, "linker script", 64 << 20)


def script_errors(parse: Parse) -> list[InputError]:
    """The errors of a script as errors of the run, at the lines that people edit.

    Beyond what GNU ld refuses, these are a file without any statement, and one with NUL characters (which ld skips).
    """
    errors = [problem for problem in parse.problems if problem.severity == "error"]
    if not errors:
        return _no_script(parse)
    shown = [_script_error(parse.sources, problem) for problem in errors[:_MOST_ERRORS]]
    if len(errors) > _MOST_ERRORS:
        last = shown[-1]
        more = f"{len(errors) - _MOST_ERRORS:,} more errors follow; is this a linker script?"
        shown[-1] = replace(last, help=f"{last.help}; {more}" if last.help else more)
    return shown


def _no_script(parse: Parse) -> list[InputError]:
    source = parse.sources.sources[0]
    at = source.text.find("\0")
    if at >= 0:
        message = "this is a binary file, not a linker script"
        return [InputError(message, source.locate(at, at + 1), label="a NUL character")]
    if not parse.tree.statements:
        return [
            InputError("there is nothing in this linker script", Location(source.name), help="is this the right file?")
        ]
    return []


def _warnings(parse: Parse) -> list[str]:
    """What GNU ld would warn of, as notes; of many, the first."""
    warnings = [problem for problem in parse.problems if problem.severity != "error"]
    notes = []
    for problem in warnings[:_MOST_WARNINGS]:
        place = parse.sources.locate(problem.start, problem.end)
        notes.append(f"{place.file}:{place.line}:{place.column}: {problem.message}")
    if len(warnings) > _MOST_WARNINGS:
        notes.append(f"{parse.sources.sources[0].name}: {len(warnings) - _MOST_WARNINGS:,} more such remarks")
    return notes


def _script_error(sources: SourceMap, problem: Diagnostic) -> InputError:
    related = [Related(sources.locate(start, end), label) for start, end, label in problem.related]
    related += sources.related(problem.start, problem.end)
    label = f"expected {problem.expected}" if problem.expected else ""
    return InputError(problem.message, sources.locate(problem.start, problem.end), label, problem.hint, tuple(related))


def _declared(tree: Script) -> tuple[str, str]:
    """The architecture and the format that a script declares with OUTPUT_ARCH and OUTPUT_FORMAT."""
    from ldcheck.script.syntax import Command

    said = {"OUTPUT_ARCH": "", "OUTPUT_FORMAT": ""}
    for statement in tree.statements:
        if isinstance(statement, Command) and statement.keyword in said and statement.arguments:
            said[statement.keyword] = statement.arguments[0].text
    return said["OUTPUT_ARCH"], said["OUTPUT_FORMAT"]


def _arch(target: project.Target, asked: Asked, image: Image | None, output_arch: str, output_format: str) -> str:
    from ldcheck.policy.arches import from_script, resolve_arch

    return resolve_arch(
        target=target.arch,
        option=asked.arch,
        elf=image.elf.arch if image is not None and image.elf is not None else "",
        script=from_script(output_arch, output_format),
        place=target.location,
    )


def _present(scripts: _Scripts, image: Image | None) -> list[EvidenceKind]:
    found = [EvidenceKind.SCRIPT] if scripts.parses else []
    if image is not None:
        parts = ((EvidenceKind.IMAGE, image.elf), (EvidenceKind.MAP, image.map), (EvidenceKind.OBJECTS, image.objects))
        found += [kind for kind, part in parts if part is not None]
    return found


def _linked(
    target: project.Target, views: Sequence[ScriptView], image: Image | None, params: Mapping[str, int]
) -> tuple[int, tuple[str, ...]]:
    """Which configuration the image was linked with, and a remark if it was none of them."""
    if not views or image is None or image.elf is None:
        return 0, ()
    from ldcheck.layout.agreement import made_by

    linked, agreement = made_by([view.tree for view in views], image.elf, image.map, params)
    if agreement.belongs:
        return linked, ()
    return linked, (f"{target.script} did not make {image.elf.path}: {agreement.describe()}",)


def _chosen(rules: Sequence[Rule], asked: Asked, place: Location) -> tuple[list[Rule], list[InputError]]:
    """The rules that `select` and `ignore` leave, and an error for each name there that means no rule."""
    known = {name for rule in rules for name in (rule.id, rule.check)}
    errors = []
    for option, names in (("--select", asked.select), ("--ignore", asked.ignore)):
        for name in names:
            if name not in known:
                from ldcheck.documents import did_you_mean

                message = f"{option}: there is no rule or check {name}"
                errors.append(InputError(message, place, help=did_you_mean(name, known)))
    chosen = [
        rule
        for rule in rules
        if (not asked.select or {rule.id, rule.check} & set(asked.select))
        and not {rule.id, rule.check} & set(asked.ignore)
    ]
    return chosen, errors


def _inputs(target: project.Target, policies: Policies) -> dict[str, tuple[str, ...]]:
    named = {
        "script": (target.script,),
        "image": (target.image,),
        "map": (target.map,),
        "objects": target.objects,
        "policy": policies.files,
    }
    return {kind: names for kind, names in named.items() if any(names)}
