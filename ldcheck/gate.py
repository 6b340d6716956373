"""One target through the gate: its policies, its scripts in every configuration, what was linked, and the verdicts.

`ldcheck.api` decides which targets there are and what the run's exit status is; here a target goes straight down, and
whatever cannot be read ends up in its errors.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ldcheck import outcome
from ldcheck.findings import CheckError, EvidenceKind, Finding, InputError, RuleResult
from ldcheck.judge import ScriptCase, Target, judge
from ldcheck.source import Location, Related, Source, SourceMap

if TYPE_CHECKING:
    from ldcheck.image.model import Image
    from ldcheck.policy.load import Policies
    from ldcheck.policy.rule import Ignore, Rule
    from ldcheck.script.parser import Diagnostic, Parse
    from ldcheck.script.syntax import Script

# A text that is no linker script has as many errors as lines; the first ones tell.
_MOST_ERRORS = 20


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class Request:
    """What one target is to be checked with; paths are as people gave them.

    `text` is the script's text where it is at hand already. `base` is the folder that policies are relative to, `place`
    is where errors of the target as a whole are shown.
    """

    name: str
    place: Location
    script: str = ""
    text: str | None = None
    policies: tuple[str, ...] = ()
    base: str = ""
    elf: str = ""
    map: str = ""
    objects: tuple[str, ...] = ()
    arch: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    require: tuple[EvidenceKind, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Checked:
    """What came of one target. `accepted` are findings that a policy's `ignore` waives, each with the reason."""

    findings: tuple[Finding, ...] = ()
    results: tuple[RuleResult, ...] = ()
    errors: tuple[InputError, ...] = ()
    notes: tuple[str, ...] = ()
    accepted: tuple[tuple[Finding, str], ...] = ()
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Scripts:
    """The distinct scripts of a target, parsed. `condition` words a choice of them."""

    parses: tuple[Parse, ...] = ()
    definitions: tuple[tuple[Mapping[str, str], ...], ...] = ()
    condition: Callable[[Collection[int]], str] = lambda _: ""
    notes: tuple[str, ...] = ()


def check_target(request: Request) -> Checked:
    """Judge one target. Never raises for bad input."""
    from ldcheck import checks
    from ldcheck.policy.load import load_policies

    policies = load_policies(request.policies, base=request.base, params=request.params, declarations=checks)
    errors = list(policies.errors)
    scripts, image = _Scripts(), None
    try:
        scripts = _scripts(request)
        errors += [error for parse in scripts.parses for error in script_errors(parse)]
    except CheckError as error:
        errors += error.errors
    try:
        image = read_image(request.elf, request.map, request.objects)
    except CheckError as error:
        errors += error.errors
    inputs = _inputs(request, policies)
    # A verdict on half of what was given would be mistaken for a verdict on all of it.
    if len(errors) > len(policies.errors) or not policies.rules:
        return Checked(errors=tuple(errors), inputs=inputs)
    try:
        return _judged(request, policies, scripts, image, errors, inputs)
    except CheckError as error:
        return Checked(errors=(*errors, *error.errors), inputs=inputs)


def _judged(
    request: Request,
    policies: Policies,
    scripts: _Scripts,
    image: Image | None,
    errors: list[InputError],
    inputs: Mapping[str, tuple[str, ...]],
) -> Checked:
    from ldcheck.evidence import ImageView, ScriptView

    output_arch, output_format = _declared(scripts.parses[0].tree) if scripts.parses else ("", "")
    arch = _arch(request, image, output_arch, output_format)
    views = [ScriptView(parse.tree, parse.sources, arch, policies.params) for parse in scripts.parses]
    definitions = scripts.definitions or ((),) * len(views)
    target = Target(
        name=request.name,
        arch=arch,
        scripts=tuple(ScriptCase(view, defined) for view, defined in zip(views, definitions, strict=True)),
        image=ImageView(image, arch, views[0] if views else None, policies.params) if image is not None else None,
        condition=scripts.condition,
        format=output_format,
        linker=image.map.linker if image is not None and image.map is not None else "",
        paths=(request.script,) if request.script else (),
    )
    rules, unknown = _chosen(policies.rules, request)
    errors += unknown
    judged = judge(rules, target)
    errors += judged.errors
    present = _present(scripts, image)
    errors += outcome.lacking(request.require, present, request.name, request.place)
    if not errors and (error := outcome.unchecked(judged.results, request.name, request.place)):
        errors.append(error)
    findings = tuple(replace(finding, target=request.name) for finding in judged.findings)
    accepted: tuple[tuple[Finding, Ignore], ...] = ()
    notes = scripts.notes + (image.notes if image is not None else ())
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
    )


def _scripts(request: Request) -> _Scripts:
    if not request.script:
        return _Scripts()
    from ldcheck.script.parser import parse

    text = request.text
    source = Source(request.script, text) if text is not None else read_script(request.script)
    return _Scripts((parse(source),))


def read_script(path: str) -> Source:
    """The text of a linker script. Raises CheckError for what cannot be read."""
    from ldcheck.documents import read_source

    return read_source(path, "linker script", 64 << 20)


def read_image(elf: str, map: str, objects: Sequence[str]) -> Image | None:  # noqa: A002 - as everybody calls the file
    """What was linked; None where nothing is given. Raises CheckError with the errors of all that cannot be read."""
    if not elf and not map and not objects:
        return None
    from ldcheck.image.model import Image

    errors: list[InputError] = []
    found_elf = found_map = None
    try:
        if elf:
            from ldcheck.image.elf import read_elf

            found_elf = read_elf(elf)
    except CheckError as error:
        errors += error.errors
    try:
        if map:
            from ldcheck.image.maps import read_map

            found_map = read_map(map)
    except CheckError as error:
        errors += error.errors
    if errors:
        raise CheckError(*errors)
    notes = [f"{part.path}: {text}" for part in (found_elf, found_map) if part is not None for text in part.incomplete]
    return Image(found_elf, found_map, None, tuple(notes))


def script_errors(parse: Parse) -> list[InputError]:
    """The errors of a script as errors of the run, at the lines that people edit."""
    errors = [problem for problem in parse.problems if problem.severity == "error"]
    shown = [_script_error(parse.sources, problem) for problem in errors[:_MOST_ERRORS]]
    if len(errors) > _MOST_ERRORS:
        last = shown[-1]
        more = f"{len(errors) - _MOST_ERRORS:,} more errors follow; is this a linker script?"
        shown[-1] = replace(last, help=f"{last.help}; {more}" if last.help else more)
    return shown


def _script_error(sources: SourceMap, problem: Diagnostic) -> InputError:
    related = [Related(sources.locate(start, end), label) for start, end, label in problem.related]
    related += sources.related(problem.start, problem.end)
    label = f"expected {problem.expected}" if problem.expected else ""
    return InputError(
        problem.message, sources.locate(problem.start, problem.end), label, problem.hint, tuple(related)
    )


def _declared(tree: Script) -> tuple[str, str]:
    """The architecture and the format that a script declares with OUTPUT_ARCH and OUTPUT_FORMAT."""
    from ldcheck.script.syntax import Command

    said = {"OUTPUT_ARCH": "", "OUTPUT_FORMAT": ""}
    for statement in tree.statements:
        if isinstance(statement, Command) and statement.keyword in said and statement.arguments:
            said[statement.keyword] = statement.arguments[0].text
    return said["OUTPUT_ARCH"], said["OUTPUT_FORMAT"]


def _arch(request: Request, image: Image | None, output_arch: str, output_format: str) -> str:
    from ldcheck.policy.arches import from_script, resolve_arch

    return resolve_arch(
        option=request.arch,
        elf=image.elf.arch if image is not None and image.elf is not None else "",
        script=from_script(output_arch, output_format),
        place=request.place,
    )


def _present(scripts: _Scripts, image: Image | None) -> list[EvidenceKind]:
    found = [EvidenceKind.SCRIPT] if scripts.parses else []
    if image is not None:
        parts = ((EvidenceKind.IMAGE, image.elf), (EvidenceKind.MAP, image.map), (EvidenceKind.OBJECTS, image.objects))
        found += [kind for kind, part in parts if part is not None]
    return found


def _chosen(rules: Sequence[Rule], request: Request) -> tuple[list[Rule], list[InputError]]:
    """The rules that `select` and `ignore` leave, and an error for each name there that means no rule."""
    known = {name for rule in rules for name in (rule.id, rule.check)}
    errors = []
    for option, names in (("--select", request.select), ("--ignore", request.ignore)):
        for name in names:
            if name not in known:
                from ldcheck.documents import did_you_mean

                message = f"{option}: there is no rule or check {name}"
                errors.append(InputError(message, request.place, help=did_you_mean(name, known)))
    chosen = [
        rule
        for rule in rules
        if (not request.select or {rule.id, rule.check} & set(request.select))
        and not {rule.id, rule.check} & set(request.ignore)
    ]
    return chosen, errors


def _inputs(request: Request, policies: Policies) -> dict[str, tuple[str, ...]]:
    named = {
        "script": (request.script,),
        "image": (request.elf,),
        "map": (request.map,),
        "objects": request.objects,
        "policy": policies.files,
    }
    return {kind: names for kind, names in named.items() if any(names)}
