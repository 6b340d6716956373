"""The table of verdicts: what the judgements of scripts and image come to together."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from ldcheck import checks
from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing, Verdict
from ldcheck.image.model import Elf, Image, ImageSection
from ldcheck.judging.applicable import ScriptCase, Target
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.judge import Judged, judge
from ldcheck.policy.declare import Declaration, Key, Kind, Names
from ldcheck.policy.rule import Named, Rule, When
from ldcheck.record import replace
from ldcheck.script.syntax import Script
from ldcheck.source import Location, SourceMap

PLACE = Location("policy.yaml", 3, 5)
HOLDS, DOUBT, REFUTED, UNKNOWN, UNDECIDED, ABSENT = (
    Standing.HOLDS,
    Standing.NOT_GUARANTEED,
    Standing.REFUTED,
    Standing.UNKNOWN,
    Standing.UNDECIDED,
    Standing.ABSENT,
)
NONE = ImageSection(0, "", "NULL", 0, 0, 0, 0, writable=False, allocated=False, executable=False)
ELF = Elf("xen-syms", "x86_64", 64, False, "EXEC", 0, (NONE,), (), {})


def rule(**changes: object) -> Rule:
    return Rule("r", "fake", (Named(".data", PLACE),), PLACE, **changes)  # type: ignore[arg-type] # any field


def judgement(standing: Standing) -> Judgement:
    doubted = standing in (DOUBT, REFUTED)
    return Judgement(standing, (Problem(".data", f"{standing.value}"),) if doubted else (), reason="because")


def outcome(
    monkeypatch: pytest.MonkeyPatch,
    scripts: Sequence[Standing],
    image: Standing | None,
    one_rule: Rule | None = None,
    definitions: Sequence[dict[str, str]] = (),
) -> Judged:
    """Judge a made-up check that says of each script, and of the image, what the caller wants it to say."""
    views = [ScriptView(Script((), start=0, end=0), SourceMap()) for _ in scripts]
    said = {id(view): judgement(standing) for view, standing in zip(views, scripts, strict=True)}
    check = SimpleNamespace(on_script=lambda _, view: said[id(view)])
    if image is not None:
        check.on_image = lambda *_: judgement(image)
    key = Key("fake", Kind.NAMES, "", names=Names.FREE)
    declared = Declaration(key, evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE))
    monkeypatch.setattr(checks, "module", lambda *_, **__: check)
    monkeypatch.setattr(checks, "declaration", lambda *_, **__: declared)
    known = list(definitions) or [{} for _ in scripts]
    target = Target(
        "xen",
        "x86_64",
        tuple(ScriptCase(view, (defined,)) for view, defined in zip(views, known, strict=True)),
        ImageView(Image(ELF)) if image is not None else None,
        condition=lambda cases, _: f"only in {sorted(cases)}",
    )
    return judge([one_rule or rule()], target, checks)


@pytest.mark.parametrize(
    ("script", "image", "verdict"),
    [
        (HOLDS, None, Verdict.HELD),
        (HOLDS, HOLDS, Verdict.HELD),
        (HOLDS, UNKNOWN, Verdict.HELD),
        (HOLDS, REFUTED, Verdict.VIOLATED),
        (DOUBT, None, Verdict.VIOLATED),
        (DOUBT, HOLDS, Verdict.UNPROVEN),
        (DOUBT, UNKNOWN, Verdict.VIOLATED),
        (DOUBT, REFUTED, Verdict.VIOLATED),
        (REFUTED, HOLDS, Verdict.VIOLATED),
        (UNKNOWN, None, Verdict.NOT_CHECKED),
        (UNKNOWN, HOLDS, Verdict.HELD),
        (UNKNOWN, UNKNOWN, Verdict.NOT_CHECKED),
        (UNKNOWN, REFUTED, Verdict.VIOLATED),
        (UNDECIDED, None, Verdict.NOT_CHECKED),
        (UNDECIDED, HOLDS, Verdict.NOT_CHECKED),
        (UNDECIDED, REFUTED, Verdict.VIOLATED),
        (ABSENT, None, Verdict.NOT_CHECKED),
        (ABSENT, HOLDS, Verdict.HELD),
        (ABSENT, ABSENT, Verdict.NOT_CHECKED),
        (ABSENT, REFUTED, Verdict.VIOLATED),
        (HOLDS, ABSENT, Verdict.HELD),
    ],
)
def test_verdict(monkeypatch: pytest.MonkeyPatch, script: Standing, image: Standing | None, verdict: Verdict) -> None:
    judged = outcome(monkeypatch, [script], image)
    assert judged.results[0].verdict is verdict
    assert bool(judged.findings) is (verdict in (Verdict.VIOLATED, Verdict.UNPROVEN))
    assert bool(judged.errors) is (script is ABSENT and image in (None, ABSENT))


@pytest.mark.parametrize("standing", [UNDECIDED, UNKNOWN])
def test_what_one_configuration_leaves_open_is_not_held(monkeypatch: pytest.MonkeyPatch, standing: Standing) -> None:
    judged = outcome(monkeypatch, [HOLDS, standing, HOLDS], None)
    assert (judged.results[0].verdict, judged.results[0].reason) == (Verdict.NOT_CHECKED, "because (only in [1])")
    assert outcome(monkeypatch, [REFUTED, standing], None).results[0].verdict is Verdict.VIOLATED


def test_unproven_is_a_warning_unless_the_policy_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcome(monkeypatch, [DOUBT], HOLDS).findings[0].severity is Severity.WARNING
    strict = rule(unproven=Severity.ERROR)
    assert outcome(monkeypatch, [DOUBT], HOLDS, strict).findings[0].severity is Severity.ERROR
    silent = rule(unproven=Severity.OFF)
    assert outcome(monkeypatch, [DOUBT], HOLDS, silent).findings == ()


def test_an_absent_subject_is_allowed_where_the_policy_says_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = outcome(monkeypatch, [ABSENT], None, rule(optional=True))
    assert judged.results[0].verdict is Verdict.NOT_APPLICABLE
    assert judged.errors == ()


def test_equal_problems_of_several_configurations_are_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere = outcome(monkeypatch, [DOUBT, DOUBT], None)
    assert [finding.configurations for finding in everywhere.findings] == [""]
    somewhere = outcome(monkeypatch, [HOLDS, DOUBT], None)
    assert [finding.configurations for finding in somewhere.findings] == ["only in [1]"]


def test_the_image_speaks_for_its_own_configuration_only(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = outcome(monkeypatch, [HOLDS, DOUBT], HOLDS)
    assert judged.results[0].verdict is Verdict.VIOLATED


def test_a_condition_on_the_configuration_selects_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    split = rule(when=When(config=("CONFIG_SPLIT",)))
    known: list[dict[str, str]] = [{"CONFIG_SPLIT": "1"}, {}]
    assert outcome(monkeypatch, [HOLDS, DOUBT], None, split, known).results[0].verdict is Verdict.HELD
    assert outcome(monkeypatch, [DOUBT, HOLDS], None, split, known).results[0].verdict is Verdict.VIOLATED
    without = rule(when=When(config=("!CONFIG_SPLIT", "CONFIG_OTHER=2")))
    judged = outcome(monkeypatch, [DOUBT, DOUBT], None, without, known)
    assert judged.results[0].verdict is Verdict.NOT_APPLICABLE


def test_a_rule_for_another_architecture_does_not_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = outcome(monkeypatch, [REFUTED], None, rule(when=When(arch=("arm",))))
    assert judged.results[0].verdict is Verdict.NOT_APPLICABLE
    assert "arm" in judged.results[0].reason
    assert outcome(monkeypatch, [REFUTED], None, rule(when=When(arch=("x86",)))).findings


def test_evidence_that_the_policy_insists_on_and_nobody_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = outcome(monkeypatch, [HOLDS], None, rule(evidence=(EvidenceKind.IMAGE,)))
    assert judged.results[0].verdict is Verdict.NOT_CHECKED
    assert judged.results[0].reason == "no ELF, give --elf"


def graded(
    monkeypatch: pytest.MonkeyPatch,
    script: Problem,
    image: Judgement | None = None,
    standing: Standing = DOUBT,
    **changes: object,
) -> Judged:
    """Judge a made-up check that weighs its problems itself."""
    view = ScriptView(Script((), start=0, end=0), SourceMap())
    check = SimpleNamespace(on_script=lambda *_: Judgement(standing, (script,)))
    if image is not None:
        check.on_image = lambda *_: image
    declared = Declaration(
        Key("fake", Kind.NAMES, "", names=Names.FREE), evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE)
    )
    monkeypatch.setattr(checks, "module", lambda *_, **__: check)
    monkeypatch.setattr(checks, "declaration", lambda *_, **__: declared)
    linked = ImageView(Image(ELF)) if image is not None else None
    return judge([rule(**changes)], Target("xen", "x86_64", (ScriptCase(view),), linked), checks)


LIKELY = Problem(".sbss", "nothing takes .sbss", severity=Severity.WARNING)
SURE = Problem(".sbss", "nothing takes .sbss", severity=Severity.ERROR)


def test_a_problem_is_as_heavy_as_the_check_says_unless_the_policy_does(monkeypatch: pytest.MonkeyPatch) -> None:
    assert graded(monkeypatch, LIKELY).findings[0].severity is Severity.WARNING
    assert graded(monkeypatch, SURE, severity=Severity.WARNING).findings[0].severity is Severity.ERROR
    chosen = {"severity": Severity.ERROR, "given": ("severity",)}
    assert graded(monkeypatch, LIKELY, **chosen).findings[0].severity is Severity.ERROR  # type: ignore[arg-type]


@pytest.mark.parametrize("standing", [DOUBT, REFUTED])
def test_the_link_takes_back_what_was_only_likely(monkeypatch: pytest.MonkeyPatch, standing: Standing) -> None:
    judged = graded(monkeypatch, LIKELY, Judgement(HOLDS), standing)
    assert judged.results[0].verdict is Verdict.UNPROVEN
    assert [(one.severity, one.facts) for one in judged.findings] == [(Severity.NOTE, ("not so in the link at hand",))]
    strict = graded(monkeypatch, LIKELY, Judgement(HOLDS), unproven=Severity.ERROR, given=("unproven",))
    assert strict.findings[0].severity is Severity.ERROR
    assert graded(monkeypatch, LIKELY, Judgement(HOLDS), unproven=Severity.OFF).findings == ()


def test_the_link_takes_back_nothing_that_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = graded(monkeypatch, SURE, Judgement(HOLDS), REFUTED)
    assert (judged.results[0].verdict, judged.findings[0].severity) == (Verdict.VIOLATED, Severity.ERROR)


def test_a_link_that_was_not_looked_at_takes_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert graded(monkeypatch, LIKELY, Judgement(UNKNOWN)).findings[0].severity is Severity.WARNING


def test_what_the_link_shows_of_a_likely_problem_makes_it_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Judgement(REFUTED, (Problem(".sbss", ".sbss is an orphan", facts=("4 bytes at 0x10",)),))
    (finding,) = graded(monkeypatch, LIKELY, shown).findings
    assert (finding.severity, finding.facts) == (Severity.ERROR, ("4 bytes at 0x10",))


def test_the_link_answers_each_likely_problem_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Judgement(REFUTED, (Problem(".sdata", ".sdata is an orphan"),))
    judged = graded(monkeypatch, LIKELY, shown)
    assert judged.results[0].verdict is Verdict.VIOLATED
    assert [(one.message, one.severity) for one in judged.findings] == [
        (".sdata is an orphan", Severity.ERROR),
        ("nothing takes .sbss", Severity.NOTE),
    ]


def test_what_several_rules_find_in_one_place_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Location("script.lds", 7, 3)
    told = Judgement(REFUTED, (Problem(".data", "it is wrong", location=place), Problem(".bss", "without a place")))
    check = SimpleNamespace(on_script=lambda *_: told)
    declared = Declaration(Key("fake", Kind.NAMES, "", names=Names.FREE), evidence=(EvidenceKind.SCRIPT,))
    monkeypatch.setattr(checks, "module", lambda *_, **__: check)
    monkeypatch.setattr(checks, "declaration", lambda *_, **__: declared)
    view = ScriptView(Script((), start=0, end=0), SourceMap())
    target = Target("xen", "x86_64", (ScriptCase(view, ({},)),))
    rules = [
        rule(severity=Severity.WARNING),
        replace(rule(), id="of-another-check", check="other", place=Location("other.yaml", 9, 5), policy="other.yaml"),
        replace(rule(severity=Severity.NOTE), id="of-the-pack", place=Location("pack.yaml", 9, 5), policy="pack.yaml"),
    ]
    found = judge(rules, target, checks)
    assert [(one.rule, one.message, one.severity, one.also) for one in found.findings] == [
        ("of-the-pack", "it is wrong", Severity.ERROR, ("r", "of-another-check")),
        ("of-the-pack", "without a place", Severity.WARNING, ("r",)),
        ("of-another-check", "without a place", Severity.ERROR, ()),
    ]
    assert [result.verdict for result in found.results] == [Verdict.VIOLATED] * 3


def test_two_rules_of_one_policy_both_say_what_they_find(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Judgement(REFUTED, (Problem(".data", "it is wrong", location=Location("script.lds", 7, 3)),))
    declared = Declaration(Key("fake", Kind.NAMES, "", names=Names.FREE), evidence=(EvidenceKind.SCRIPT,))
    monkeypatch.setattr(checks, "module", lambda *_, **__: SimpleNamespace(on_script=lambda *_: told))
    monkeypatch.setattr(checks, "declaration", lambda *_, **__: declared)
    view = ScriptView(Script((), start=0, end=0), SourceMap())
    rules = [rule(), replace(rule(), id="too", place=Location(PLACE.file, 9, 5))]
    found = judge(rules, Target("xen", "x86_64", (ScriptCase(view, ({},)),)), checks)
    assert [(one.rule, one.also) for one in found.findings] == [("r", ()), ("too", ())]
