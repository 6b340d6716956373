"""Runs the tests that policies hold: a rule, a small script or a described image, and the verdict that must come out.

A test is judged by the same code as a real target. What is not the rule's own doing (a script that does not parse, a
file that is missing) is told as such, so that a test cannot pass for the wrong reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ldcheck import checks
from ldcheck.documents.files import read_source
from ldcheck.documents.inline_text import InlineText, inline_text
from ldcheck.documents.nodes import ScalarNode
from ldcheck.findings import CheckError, Finding, InputError, Severity, Verdict
from ldcheck.judging.applicable import ScriptCase, Target
from ldcheck.judging.judge import judge
from ldcheck.policy.rule import Rule, RuleTest
from ldcheck.policy.sizes import evaluate_params
from ldcheck.record import dataclass, replace
from ldcheck.source import Related, Source

_FIRES = frozenset((Verdict.VIOLATED, Verdict.UNPROVEN))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TestRun:
    """What came of one test. `failures` say what is not as the test wants it; none for a passed test."""

    rule: Rule
    test: RuleTest
    verdict: Verdict | None
    failures: tuple[InputError, ...] = ()

    # The name is pytest's own pattern for what it collects.
    __test__ = False


def run_tests(rules: Iterable[Rule]) -> tuple[TestRun, ...]:
    """Run every test of the rules."""
    return tuple(run_test(rule, test) for rule in rules for test in rule.tests)


def run_test(rule: Rule, test: RuleTest) -> TestRun:
    """Run one test. Never raises for bad input: what is wrong is in `failures`."""
    try:
        target = _target(rule, test)
    except CheckError as error:
        return TestRun(rule, test, None, error.errors)
    # A rule that a policy switches off is still as good as its tests.
    judged = judge([replace(rule, severity=Severity.ERROR)], target, checks)
    result = judged.results[0]
    failures = _compare(rule, test, result.verdict, result.reason, judged.findings, judged.errors)
    return TestRun(rule, test, result.verdict, failures)


def uncovered(runs: Sequence[TestRun], rules: Iterable[Rule]) -> list[InputError]:
    """An error for each rule without a passed test in which it fires, or without one in which it holds."""
    passed: dict[str, set[bool]] = {}
    for run in runs:
        if not run.failures and (run.verdict in _FIRES or run.verdict is Verdict.HELD):
            passed.setdefault(run.rule.id, set()).add(run.verdict in _FIRES)
    errors = []
    for rule in rules:
        lacking = {True, False} - passed.get(rule.id, set())
        words = [
            word for fires, word in ((True, "in which it fires"), (False, "in which it holds")) if fires in lacking
        ]
        if words:
            message = f"the rule {rule.id} has no test " + " and none ".join(words)
            errors.append(
                InputError(message, rule.location, help="add one under `tests: {valid: [...], invalid: [...]}`")
            )
    return errors


def _target(rule: Rule, test: RuleTest) -> Target:
    """What the test is about. Where it does not say otherwise, it is a target for which the rule is meant."""
    from ldcheck.image.arches import canonical, some_allowed
    from ldcheck.judging.evidence import ImageView, ScriptView

    params, errors = evaluate_params({**rule.params, **test.params}, rule.constants)
    if errors:
        raise CheckError(*errors)
    arch = canonical(test.arch) or test.arch or some_allowed(rule.when.arch)
    source = _script(test)
    view = None
    if source is not None:
        from ldcheck.script.parser import parse

        parsed = parse(source, origin=_origin(test))
        if not parsed.ok:
            worst = next(problem for problem in parsed.problems if problem.severity == "error")
            place = parsed.sources.locate(worst.start, worst.end)
            message = f"the test's script is no linker script: {worst.message}"
            raise CheckError(InputError(message, place, help=worst.hint, related=(_where(test),)))
        view = ScriptView(parsed.tree, parsed.sources, arch, params)
    image = None
    if test.image is not None:
        from ldcheck.policy.testing.described_image import image_of

        image = ImageView(image_of(test.image, params, arch), arch, view, params)
    wanted = [word for word in rule.when.config if not word.startswith("!")]
    definitions = dict(_definition(word) for word in test.config or wanted)
    return Target(
        name="",
        arch=arch,
        # Without any definition the configuration counts as unknown, and `when: {config: ...}` would always hold.
        scripts=(ScriptCase(view, (definitions or {"": ""},)),) if view is not None else (),
        image=image,
        format=test.format or next(iter(rule.when.format), ""),
        linkers=(test.linker,) if test.linker else rule.when.linker[:1],
        paths=(test.path,) if test.path else rule.when.paths,
    )


def _script(test: RuleTest) -> Source | None:
    if test.file:
        try:
            return read_source(test.file, "linker script")
        except CheckError as error:
            raise CheckError(*(InputError(one.message, test.location) for one in error.errors)) from None
    if test.script is None:
        return None
    return Source(f"{test.location.file}:{test.location.line} (script)", test.script)


def _origin(test: RuleTest) -> InlineText | None:
    """Where the characters of a test's script stand in the policy, if they stand there as they are."""
    return inline_text(test.place) if test.script is not None and isinstance(test.place, ScalarNode) else None


def _definition(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    return name.strip(), value.strip() if equals else "1"


def _compare(
    rule: Rule,
    test: RuleTest,
    verdict: Verdict,
    reason: str,
    findings: Sequence[Finding],
    errors: Sequence[InputError],
) -> tuple[InputError, ...]:
    wanted = Verdict(test.verdict) if test.verdict else Verdict.HELD if test.valid else Verdict.VIOLATED
    if verdict is not wanted:
        message = f"{rule.id} must be {wanted.value} here and is {verdict.value}"
        said = [error.message for error in errors] or ([] if findings else [reason])
        found = tuple(Related(finding.location, finding.message) for finding in findings[:3])
        return (_failure(rule, test, message, "; ".join(said[:3]), found),)
    texts = [" ".join((finding.message, finding.label, *finding.facts, finding.help)) for finding in findings]
    failures = [
        _failure(rule, test, f"no finding of {rule.id} says `{words}`", "; ".join(texts)[:500])
        for words in test.finds
        if not any(words in text for text in texts)
    ]
    origin = _origin(test)
    first = origin.locate(Source("", test.script or ""), 0, 0).line if origin is not None else 1
    lines = sorted({finding.location.line - first + 1 for finding in findings})
    if test.line and test.line not in lines:
        where = ", ".join(map(str, lines)) or "none"
        failures.append(
            _failure(rule, test, f"{rule.id} must have a finding at line {test.line}", f"the lines are {where}")
        )
    return tuple(failures)


def _failure(rule: Rule, test: RuleTest, message: str, advice: str, found: tuple[Related, ...] = ()) -> InputError:
    kind = "valid" if test.valid else "invalid"
    label = f"{kind}: {test.name}" if test.name else f"this case is listed as {kind}"
    return InputError(message, test.location, label, advice, (Related(rule.location, "the rule"), *found))


def _where(test: RuleTest) -> Related:
    return Related(test.location, "the test")
