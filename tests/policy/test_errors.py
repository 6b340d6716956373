"""What people are told about a bad policy: `cases/<name>/policy.yaml` and the whole text beside it, as `errors.out`."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck import checks
from ldcheck.cli.main import main
from ldcheck.policy.declare import Declaration
from ldcheck.policy.load import Policies, load_policies
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.report.text import render
from tests.support.cases import Wanted

CASES = sorted(path.parent for path in Path(__file__).parent.glob("cases/*/policy.yaml"))


class SomeChecks:
    """A few of the real checks, so that the texts stay as they are when checks are added."""

    def names(self) -> tuple[str, ...]:
        return ("align", "empty", "no-wildcard-may-shadow", "order", "place")

    def lint_names(self) -> tuple[str, ...]:
        return ("shadowed-pattern",)

    def declaration(self, name: str, lint: bool = False) -> Declaration:
        return checks.declaration(name, lint)


def load(case: Path, monkeypatch: pytest.MonkeyPatch) -> Policies:
    monkeypatch.chdir(case)
    return load_policies(["policy.yaml"], declarations=SomeChecks())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path, wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    policies = load(case, monkeypatch)
    assert policies.errors
    sound = ", ".join(rule.id for rule in policies.rules)
    wanted(
        case / "errors.out",
        render(Report(2, errors=policies.errors), Options()) + f"\nsound rules: {sound or 'none'}\n",
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_error_has_its_place(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, line and column, and the excerpt is that line; only what concerns a whole file goes without."""
    for error in load(case, monkeypatch).errors:
        place = error.location
        if place.line:
            assert place.column >= 1
            text = (case / place.file).read_text()
            assert (text.split("\n")[place.line - 1] if text else "") == place.excerpt
        else:
            assert case.name == "no-rules"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_gate_does_not_pass(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2 with the place of what is wrong, and the sound rules are judged all the same."""
    monkeypatch.chdir(case)
    script = tmp_path / "a.lds"
    script.write_text(
        "SECTIONS { .text : { *(.text) } _start = .; _end = .; .got : { *(.got) } .data : { *(.data) } }\n"
    )
    assert main(["check", str(script), "--policy", "policy.yaml"]) == 2
    told = capsys.readouterr()
    assert ".yaml:" in told.out
    assert "internal error" not in told.out + told.err
