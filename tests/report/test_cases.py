"""Whole reports in every format: `cases/<name>/report.py` beside the wanted text of each."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from ldcheck.report.formats import FORMATS, render
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from tests.support.cases import Wanted

CASES = sorted(path.parent for path in Path(__file__).parent.glob("cases/*/report.py"))


def load(case: Path) -> Report:
    report = runpy.run_path(str(case / "report.py"))["REPORT"]
    assert isinstance(report, Report)
    return report


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path, name: str, wanted: Wanted) -> None:
    text = render(name, load(case), Options())
    if name in ("sarif", "gitlab", "rdjson"):
        # One line there; here people are to read it.
        text = json.dumps(json.loads(text), indent=2) + "\n"
    wanted(case / f"{name}.out", text)


@pytest.mark.parametrize("name", FORMATS)
def test_empty_report(name: str) -> None:
    first = render(name, Report(0), Options())
    assert first == render(name, Report(0), Options())


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_order_of_findings_does_not_show(case: Path, name: str) -> None:
    report = load(case)
    turned = Report(report.status, report.findings[::-1], report.rules, report.errors, report.inputs, report.notes)
    assert render(name, turned, Options()) == render(name, report, Options())
