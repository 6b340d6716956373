"""`ldcheck test`: runs the tests written in policies, so that a rule is known to fire and to keep quiet."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ldcheck.cli.output import colored, emit, width
from ldcheck.findings import CheckError, InputError
from ldcheck.report.model import Report
from ldcheck.source import Location

if TYPE_CHECKING:
    from ldcheck.policy.testing.run import TestRun

PASSED, FAILED, NOT_TESTED = 0, 1, 2

_EXAMPLES = """\
examples:
  ldcheck test policies/            every policy below a folder
  ldcheck test xen/arm              a stock policy
  ldcheck test --coverage mine.yaml
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser(
        "test",
        description="Run the tests written in policies.",
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "policies", nargs="+", metavar="POLICY", help="a policy file, a stock policy's name, or a folder"
    )
    parser.add_argument(
        "--coverage",
        action="store_true",
        help="fail for a rule without a case in which it fires and one in which it holds",
    )
    parser.add_argument(
        "--rule", action="append", default=[], metavar="ID", help="only the tests of this rule (repeatable)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the tests; 0 if all pass, 1 if one fails, 2 if a policy is bad or there is no test."""
    from ldcheck.report.escape import log_text
    from ldcheck.report.options import Options
    from ldcheck.report.text import render

    failures: list[InputError] = []
    errors: list[InputError] = []
    lines: list[str] = []
    count = 0
    for name in _expanded(args.policies, errors):
        ran, failed, wrong = _test(name, args.rule, args.coverage, lines)
        count += ran
        failures += failed
        errors += wrong
    if not count and not errors:
        errors.append(InputError("there is no test to run", Location(args.policies[0]), help="see `tests` in rules"))
    status = NOT_TESTED if errors else FAILED if failures else PASSED
    told = tuple(dict.fromkeys((*errors, *failures)))
    options = Options(color=colored(sys.stdout), width=width(sys.stdout))
    emit(render(Report(status, errors=told), options) + ("\n" if told else "") + log_text("".join(lines)))
    return status


def _expanded(names: Sequence[str], errors: list[InputError]) -> list[str]:
    """The policies that are meant: of a folder every policy below it."""
    found: list[str] = []
    for name in names:
        if not os.path.isdir(name):
            found.append(name)
            continue
        inside = sorted(
            os.path.join(place, file)
            for place, _, files in os.walk(name)
            for file in files
            if file.endswith((".yaml", ".yml"))
        )
        if not inside:
            errors.append(InputError(f"there is no policy in {name}", Location(name)))
        found += inside
    return list(dict.fromkeys(found))


def _test(
    name: str, only: Sequence[str], coverage: bool, lines: list[str]
) -> tuple[int, list[InputError], list[InputError]]:
    """How many tests of one policy were run, what failed, and what is wrong with the policy."""
    from ldcheck import checks
    from ldcheck.policy.load import load_policies
    from ldcheck.policy.testing.run import run_tests, uncovered

    try:
        policies = load_policies([name], declarations=checks)
    except CheckError as error:
        return 0, [], list(error.errors)
    known = [rule.id for rule in policies.rules]
    errors = list(policies.errors)
    errors += [_no_rule(rule_id, name, known) for rule_id in only if rule_id not in known]
    rules = [rule for rule in policies.rules if not only or rule.id in only]
    runs = run_tests(rules)
    failures = [failure for test_run in runs for failure in test_run.failures]
    lacking = uncovered(runs, rules) if coverage else []
    lines.append(_line(name, len(rules), runs, len(lacking)))
    return len(runs), failures + lacking, errors


def _no_rule(rule_id: str, name: str, known: Sequence[str]) -> InputError:
    from ldcheck.words import did_you_mean

    return InputError(f"--rule: there is no rule {rule_id}", Location(name), help=did_you_mean(rule_id, known))


def _line(name: str, rules: int, runs: Sequence[TestRun], lacking: int) -> str:
    failed = sum(bool(test_run.failures) for test_run in runs)
    parts = [f"{rules:,} {'rule' if rules == 1 else 'rules'}", f"{len(runs):,} {'test' if len(runs) == 1 else 'tests'}"]
    if runs:
        parts.append(f"{failed:,} failed" if failed else "all passed")
    if lacking:
        parts.append(f"{lacking:,} without a case of each kind")
    return f"{name}: {', '.join(parts)}\n"
