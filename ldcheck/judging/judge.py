"""From rules and evidence to verdicts: the only place where judgements of different evidence meet.

Every applicable rule is put to its check, once for each distinct script and once for the image; the judgements become
one verdict by the table in `_combine`, and equal problems of several configurations become one finding that carries
the smallest condition under which it occurs. What only a script made likely, the link confirms or takes back. What a
check does is its own business, and so is how a finding looks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Protocol

from ldcheck.findings import (
    EvidenceKind,
    Finding,
    InputError,
    Judgement,
    Problem,
    RuleResult,
    Severity,
    Standing,
    Verdict,
    undecided,
)
from ldcheck.judging.absence import UNWANTED, demands
from ldcheck.judging.applicable import Target, config_holds, excluded, lacks, unvalued
from ldcheck.judging.asking import decided, of_script
from ldcheck.judging.existence import Lack, lacking
from ldcheck.judging.parts import unless_in_parts
from ldcheck.judging.repeated import once
from ldcheck.judging.shown import in_script
from ldcheck.judging.spent import TIME, OutOfTimeError
from ldcheck.judging.worded import finding_of, is_likely
from ldcheck.policy.declare import Checks
from ldcheck.policy.rule import Rule, names_of
from ldcheck.record import dataclass, replace
from ldcheck.sections.budget import TooComplexError


class CheckModules(Checks, Protocol):
    """The checks with their code; the module `ldcheck.checks` is it, and is handed in."""

    def module(self, name: str, lint: bool = False) -> ModuleType:
        """The code of a check or lint: `on_script`, `on_image`, or both."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Judged:
    """The outcome for one target. `errors` are rules that speak of what does not exist."""

    findings: tuple[Finding, ...]
    results: tuple[RuleResult, ...]
    errors: tuple[InputError, ...]


def judge(rules: Sequence[Rule], target: Target, checks: CheckModules) -> Judged:
    """The verdict on each rule for one target, in the order of the rules; `checks` is where those of the rules are."""
    findings: list[Finding] = []
    results: list[RuleResult] = []
    errors: list[InputError] = []
    for rule in rules:
        if rule.severity is Severity.OFF:
            continue
        outcome = _in_time(rule, target, checks)
        results.append(replace(outcome.result, target=target.name))
        findings.extend(outcome.findings)
        errors.extend(outcome.errors)
    return Judged(once(findings, rules), tuple(results), tuple(errors))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Outcome:
    result: RuleResult
    findings: tuple[Finding, ...] = ()
    errors: tuple[InputError, ...] = ()


def _in_time(rule: Rule, target: Target, checks: CheckModules) -> _Outcome:
    """The outcome of a rule that may take what time and memory are left; it is not decided where that is not enough."""
    try:
        with TIME:
            return _judge_rule(rule, target, checks)
    except OutOfTimeError:
        reason = f"not decided: the run has spent its {TIME.seconds:.0f} seconds of processor time"
    except MemoryError:
        reason = "not decided: there is not enough memory"
    except TooComplexError:
        # Whether the rule applies at all is a question about names as well.
        reason = undecided(1).reason
    return _Outcome(RuleResult(rule.id, rule.check, Verdict.NOT_CHECKED, reason))


def _judge_rule(rule: Rule, target: Target, checks: CheckModules) -> _Outcome:
    if why := excluded(rule, target):
        return _Outcome(RuleResult(rule.id, rule.check, Verdict.NOT_APPLICABLE, why))
    cases = [at for at, case in enumerate(target.scripts) if config_holds(rule.when.config, case.definitions)]
    if target.scripts and not cases:
        reason = f"no configuration with {' and '.join(rule.when.config)}"
        return _Outcome(RuleResult(rule.id, rule.check, Verdict.NOT_APPLICABLE, reason))
    reasons = [lacks(rule, target, at) for at in cases or (None,)]
    cases = [at for at, reason in zip(cases, reasons, strict=False) if not reason]
    if not cases and (reason := reasons[0]):
        return _Outcome(RuleResult(rule.id, rule.check, Verdict.NOT_APPLICABLE, reason))

    reasons = [unvalued(rule, target, at) for at in cases or (None,)]
    cases = [at for at, reason in zip(cases, reasons, strict=False) if not reason]
    if not cases and (why := reasons[0]):
        return _Outcome(RuleResult(rule.id, rule.check, Verdict.NOT_CHECKED, why))
    check = checks.module(rule.check, lint=rule.lint)
    declaration = checks.declaration(rule.check, lint=rule.lint)
    asked = rule.evidence or declaration.evidence
    scripts: dict[int, Judgement] = {}
    if EvidenceKind.SCRIPT in asked and hasattr(check, "on_script"):
        scripts = {at: of_script(check.on_script, rule, target.scripts[at].view) for at in cases}
    image = None
    # The image shows nothing of configurations that it was not linked with.
    linked_here = not target.scripts or target.image_case in cases
    if target.image is not None and linked_here and hasattr(check, "on_image") and set(asked) - {EvidenceKind.SCRIPT}:
        image = unless_in_parts(decided(check.on_image, rule, target.image), target.image, declaration)
        image = in_script(image, target.image) if rule.lint else image
    missing = _missing(rule, asked, target)
    outcome = _combine(rule, target, scripts, image, missing)
    if rule.optional:
        return outcome
    views = [target.scripts[at].view for at in scripts]
    seen = target.image if image is not None else None
    if seen is not None and seen.script is not None and seen.script not in views:
        views.append(seen.script)
    try:
        absent = lacking(rule, declaration, views, seen)
    except TooComplexError:
        if outcome.result.verdict is not Verdict.HELD:
            return outcome
        return _Outcome(RuleResult(rule.id, rule.check, Verdict.NOT_CHECKED, undecided(1).reason))
    return _without_passing_over(rule, target, cases, outcome, absent)


def _without_passing_over(
    rule: Rule, target: Target, cases: Sequence[int], outcome: _Outcome, lacks: Sequence[Lack]
) -> _Outcome:
    """The outcome of a rule that speaks of names which nothing has: never held, but a finding or an error for each."""
    is_partial = any(target.scripts[at].view.unread for at in cases)
    if not lacks:
        # The file that was not found may have the name.
        return replace(outcome, errors=()) if is_partial else outcome
    result = outcome.result
    if result.verdict is Verdict.HELD:
        result = replace(result, verdict=Verdict.NOT_CHECKED, reason=lacks[0].reason, evidence=())
    # What the check itself has found about a name is not said again.
    about = " ".join(finding.message for finding in outcome.findings)
    told = [lack for lack in lacks if lack.told and not re.search(rf"(?<![\w.]){re.escape(lack.name)}(?![\w.])", about)]
    if not told and is_partial:
        return replace(outcome, result=result, errors=())
    errors, judgements = demands(rule, told, {at: target.scripts[at].view for at in cases})
    used = (EvidenceKind.SCRIPT,)
    verdict = Verdict.NOT_CHECKED if rule.check in UNWANTED else Verdict.VIOLATED
    findings = _findings(rule, target, verdict, judgements, sorted(judgements), None, used)
    if findings and verdict is Verdict.VIOLATED:
        result = _result(rule, Verdict.VIOLATED, findings[0].message, used)
    return _Outcome(result, outcome.findings + findings, errors if told else outcome.errors)


_GIVE = {
    EvidenceKind.SCRIPT: ("no script", "the script"),
    EvidenceKind.IMAGE: ("no ELF", "--elf"),
    EvidenceKind.MAP: ("no map", "--map"),
    EvidenceKind.OBJECTS: ("no objects", "--objects"),
}


def _present(kind: EvidenceKind, target: Target) -> bool:
    if kind is EvidenceKind.SCRIPT:
        return bool(target.scripts)
    image = target.image.image if target.image is not None else None
    if image is None:
        return False
    found = {EvidenceKind.IMAGE: image.elf, EvidenceKind.MAP: image.map, EvidenceKind.OBJECTS: image.objects}[kind]
    return found is not None


def _missing(rule: Rule, asked: Sequence[EvidenceKind], target: Target) -> str:
    """What evidence the rule insists on and does not have, or the kinds of which it would need one."""
    lacking = [kind for kind in asked if not _present(kind, target)]
    if not lacking or (not rule.evidence and len(lacking) < len(asked)):
        return ""
    missing = " and ".join(_GIVE[kind][0] for kind in lacking)
    return f"{missing}, give {(' and ' if rule.evidence else ' or ').join(_GIVE[kind][1] for kind in lacking)}"


def _combine(
    rule: Rule, target: Target, scripts: Mapping[int, Judgement], image: Judgement | None, missing: str
) -> _Outcome:
    """One verdict from the judgements of every script and of the image."""
    scripts, answered = _answered(scripts, image, target)
    present = {at: judgement for at, judgement in scripts.items() if judgement.standing is not Standing.ABSENT}
    shown = image if image is not None and image.standing is not Standing.ABSENT else None
    used = _used(target, present, shown)

    refuted = shown is not None and shown.standing is Standing.REFUTED
    broken = [at for at, judgement in present.items() if judgement.standing is Standing.REFUTED]
    doubtful = [at for at, judgement in present.items() if judgement.standing is Standing.NOT_GUARANTEED]
    satisfied = shown is not None and shown.standing is Standing.HOLDS
    unproven = [at for at in doubtful if satisfied and at == target.image_case]
    broken += [at for at in doubtful if at not in unproven]

    if refuted or broken:
        findings = _findings(rule, target, Verdict.VIOLATED, scripts, sorted(broken), shown, used)
        if refuted and shown is not None and not _concerned(target, broken):
            findings = _image_findings(rule, shown, used) + findings
        reason = findings[0].message if findings else ""
        return _Outcome(_result(rule, Verdict.VIOLATED, reason, used), findings + _notes(rule, answered, scripts, used))
    if unproven or answered:
        findings = _findings(rule, target, Verdict.UNPROVEN, scripts, unproven, shown, used)
        findings += _notes(rule, answered, scripts, used)
        reason = "the image satisfies it, the script does not guarantee it"
        if rule.unproven is Severity.OFF:
            findings = ()
        return _Outcome(_result(rule, Verdict.UNPROVEN, reason, used), findings)
    if missing:
        return _Outcome(_result(rule, Verdict.NOT_CHECKED, missing, used))
    others = [*present.values(), *((shown,) if shown is not None else ())]
    hidden = target.image is not None and target.image.stripped
    told_absent = (scripts and not present and not hidden) or (image is not None and shown is None)
    # Evidence that can tell nothing does not stand for what the other says is nowhere.
    if not others or (told_absent and all(judgement.standing is Standing.UNKNOWN for judgement in others)):
        return _absent(rule, scripts, image, missing)
    # What one configuration leaves open, the others do not answer.
    open_standings = (Standing.UNDECIDED,) if satisfied else _SILENT
    left_open = [at for at, judgement in present.items() if judgement.standing in open_standings]
    if left_open:
        reason = present[left_open[0]].reason
        condition = target.condition(left_open, ()) if len(left_open) < len(target.scripts) else ""
        reasons = [f"{reason} ({condition})" if condition else reason, shown.reason if shown is not None else ""]
        return _Outcome(_result(rule, Verdict.NOT_CHECKED, "; ".join(dict.fromkeys(filter(None, reasons))), used))
    if shown is not None and shown.standing is Standing.UNDECIDED:
        return _Outcome(_result(rule, Verdict.NOT_CHECKED, shown.reason, used))
    decided = [judgement for judgement in present.values() if judgement.standing is Standing.HOLDS]
    if satisfied or decided:
        agreeing = [*decided, *((shown,) if satisfied and shown is not None else ())]
        reason = next((judgement.reason for judgement in agreeing if judgement.reason), "")
        # What a check remarks on the rule itself is no violation of it.
        remarks = shown.problems if satisfied and shown is not None else ()
        findings = tuple(finding_of(rule, remark, Verdict.HELD, used, "") for remark in remarks)
        return _Outcome(_result(rule, Verdict.HELD, reason, used), findings)
    reasons = [judgement.reason for judgement in others if judgement.reason]
    return _Outcome(_result(rule, Verdict.NOT_CHECKED, "; ".join(dict.fromkeys(reasons)), used))


def _answered(
    scripts: Mapping[int, Judgement], image: Judgement | None, target: Target
) -> tuple[Mapping[int, Judgement], tuple[Problem, ...]]:
    """The judgements without what is only likely by the script and not so in the link, and what that was."""
    linked = scripts.get(target.image_case)
    if image is None or linked is None or image.standing not in (Standing.HOLDS, Standing.REFUTED):
        return scripts, ()
    seen = {problem.subject for problem in image.problems}
    answered = [one for one in linked.problems if is_likely(one) and one.subject not in seen]
    if not answered:
        return scripts, ()
    left = tuple(problem for problem in linked.problems if problem not in answered)
    standing = linked.standing if left else Standing.HOLDS
    return {**scripts, target.image_case: replace(linked, standing=standing, problems=left)}, tuple(answered)


def _notes(
    rule: Rule, answered: Sequence[Problem], scripts: Mapping[int, Judgement], used: tuple[EvidenceKind, ...]
) -> tuple[Finding, ...]:
    """What the script made likely and the link takes back; not what is told of another configuration anyway."""
    if rule.unproven is Severity.OFF:
        return ()
    told = {(one.subject, one.message, one.location) for judgement in scripts.values() for one in judgement.problems}
    facts = ("not so in the link at hand",)
    return tuple(
        finding_of(rule, replace(problem, facts=problem.facts + facts), Verdict.UNPROVEN, used, "")
        for problem in answered
        if (problem.subject, problem.message, problem.location) not in told
    )


def _concerned(target: Target, broken: Sequence[int]) -> bool:
    """Whether the image's own script is among the broken ones, so that its finding tells the image's side as well."""
    return bool(target.scripts) and target.image_case in broken


_SILENT = (Standing.UNKNOWN, Standing.UNDECIDED)


def _used(target: Target, scripts: Mapping[int, Judgement], image: Judgement | None) -> tuple[EvidenceKind, ...]:
    used: list[EvidenceKind] = []
    if any(judgement.standing not in _SILENT for judgement in scripts.values()):
        used.append(EvidenceKind.SCRIPT)
    if image is not None and image.standing not in _SILENT:
        kinds = image.evidence or (EvidenceKind.IMAGE,)
        used += [kind for kind in kinds if _present(kind, target)]
    return tuple(used)


def _result(rule: Rule, verdict: Verdict, reason: str, used: tuple[EvidenceKind, ...]) -> RuleResult:
    return RuleResult(rule.id, rule.check, verdict, reason, used)


def _absent(rule: Rule, scripts: Mapping[int, Judgement], image: Judgement | None, missing: str) -> _Outcome:
    """A rule whose subject exists nowhere: an error, unless the policy allows it."""
    judgements = [*scripts.values(), *((image,) if image is not None else ())]
    if not judgements:
        return _Outcome(RuleResult(rule.id, rule.check, Verdict.NOT_CHECKED, missing or "no evidence that it can use"))
    absent = [judgement for judgement in judgements if judgement.standing is Standing.ABSENT] or judgements
    reason = absent[0].reason or "its subject does not exist here"
    # A lint speaks of no name that somebody could have misspelled.
    if rule.optional or rule.lint:
        return _Outcome(RuleResult(rule.id, rule.check, Verdict.NOT_APPLICABLE, reason))
    problem = absent[0].problems[0] if absent[0].problems else None
    named = names_of(rule.subject)
    location = named[0].location if named else rule.location
    if problem is not None and problem.location is not None:
        location = problem.location
    label = (problem.label if problem is not None else "") or "nothing has this name"
    help_text = problem.help if problem is not None and problem.help else "correct the name, or say `optional: true`"
    error = InputError(f"{reason} [{rule.id}]", location, label=label, help=help_text)
    return _Outcome(RuleResult(rule.id, rule.check, Verdict.NOT_CHECKED, reason), errors=(error,))


def _findings(
    rule: Rule,
    target: Target,
    verdict: Verdict,
    scripts: Mapping[int, Judgement],
    cases: Sequence[int],
    image: Judgement | None,
    used: tuple[EvidenceKind, ...],
) -> tuple[Finding, ...]:
    """The findings of the scripts at `cases`: equal problems merged, with what the image says of the same subject."""
    merged: dict[tuple[object, ...], tuple[Problem, list[int]]] = {}
    for at in cases:
        for problem in scripts[at].problems:
            # Which number of its output section a statement has, other statements ahead of it decide.
            route = tuple(part for part in problem.route.split("/") if not part.isdigit())
            key = (problem.subject, problem.message, problem.location, route)
            where = merged.setdefault(key, (problem, []))[1]
            if at not in where:
                where.append(at)
    findings = []
    told: set[str] = set()
    for problem, where in merged.values():
        if image is not None and (not target.scripts or target.image_case in where):
            problem = _confirmed(problem, image, rule)
            told.add(problem.subject)
        judged = [at for at in scripts if scripts[at].standing is not Standing.ABSENT]
        places = [problem.location, *(related.location for related in problem.related)]
        known = [place for place in places if place is not None]
        condition = "" if len(where) == len(judged) == len(target.scripts) else target.condition(where, known)
        findings.append(finding_of(rule, problem, verdict, used, condition))
    if image is not None and image.standing is Standing.REFUTED and _concerned(target, cases):
        rest = tuple(problem for problem in image.problems if problem.subject not in told)
        findings.extend(_image_findings(rule, replace(image, problems=rest), used))
    return tuple(findings)


def _confirmed(problem: Problem, image: Judgement, rule: Rule) -> Problem:
    """A problem of the script with what the image says of its subject, as heavy as it is there."""
    facts = problem.facts + _image_facts(image, problem.subject)
    shown = [other for other in image.problems if other.subject == problem.subject]
    if not shown or not is_likely(problem):
        return replace(problem, facts=facts)
    # What was a condition is a fact here.
    worst = min(shown, key=lambda other: (other.severity or rule.severity).rank)
    return replace(problem, facts=facts, message=worst.message, severity=worst.severity or rule.severity)


def _image_facts(image: Judgement, subject: str) -> tuple[str, ...]:
    """What the image says of a subject, as sentences for a finding of the script."""
    said = [sentence for about, sentence in image.facts if about == subject]
    for problem in image.problems:
        if problem.subject == subject:
            said.extend(problem.facts or (f"in the image: {problem.message}",))
    return tuple(dict.fromkeys(said))


def _image_findings(rule: Rule, image: Judgement, used: tuple[EvidenceKind, ...]) -> tuple[Finding, ...]:
    return tuple(finding_of(rule, problem, Verdict.VIOLATED, used, "") for problem in image.problems)
