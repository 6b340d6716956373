"""What holds for all tests: which ldcheck they run; and skips are counted, told, and forbidden where CI says so."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from ldcheck.sections.budget import BUDGET
from tests.support.cache import ROOT

pytest_plugins = ["tests.support.cases"]

# Programs that tests start run the ldcheck of this checkout, installed or not.
os.environ["PYTHONPATH"] = str(ROOT)
# What is shown is not cut to the terminal of whoever runs the tests.
os.environ.pop("COLUMNS", None)


@pytest.fixture(autouse=True)
def _budget() -> None:
    """Each test is a run of its own to what counts steps."""
    BUDGET.renew()


def _skips(config: pytest.Config) -> Counter[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reasons: Counter[str] = Counter()
    if reporter is not None:
        for report in reporter.stats.get("skipped", []):
            place = report.longrepr
            reasons[place[2] if isinstance(place, tuple) else str(place)] += 1
    return reasons


def pytest_sessionfinish(session: pytest.Session) -> None:
    if os.environ.get("LDCHECK_NO_SKIPS") == "1" and _skips(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = _skips(terminalreporter.config)
    if not reasons:
        return
    terminalreporter.section(f"{sum(reasons.values())} tests were skipped")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count:4} {reason.removeprefix('Skipped: ')}")
    if os.environ.get("LDCHECK_NO_SKIPS") == "1":
        terminalreporter.line("skips are forbidden in this run (LDCHECK_NO_SKIPS=1): it counts as failed")
