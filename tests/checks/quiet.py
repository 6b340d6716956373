"""What the stock policy `generic` says of linker scripts that are in use: findings per thousand scripts, by lint.

The scripts are those that the parser is tested on: the default ones of every GNU ld that Debian packages, ld's own test
suite, and those in the sources of kernels, boot loaders and C libraries, as they are, without a build. What is no
linker script ahead of a preprocessor is left out. Equal scripts count once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ldcheck import checks
from ldcheck.findings import Finding
from ldcheck.judging.applicable import ScriptCase, Target
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.judge import judge
from ldcheck.policy.load import load_policies
from ldcheck.script.parser import parse
from ldcheck.source import Source, decode
from tests.script.agreement import BINUTILS, SOURCES, ldscripts, source_scripts

PACKAGES = tuple(SOURCES)
DEFAULTS = "default scripts of GNU ld"
TESTS = "test suite of GNU ld"


@dataclass
class Survey:
    """The findings on the scripts of one origin."""

    name: str
    scripts: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[Path, Finding]] = field(default_factory=list)

    def look(self, paths: Iterable[Path], seen: set[bytes]) -> None:
        """Judge the scripts whose content is not in `seen` yet."""
        rules = load_policies(["generic"], declarations=checks).rules
        for path in paths:
            data = path.read_bytes()
            if data in seen:
                continue
            seen.add(data)
            parsed = parse(Source(path.name, decode(data)))
            if not parsed.ok or not parsed.tree.statements:
                continue
            self.scripts += 1
            view = ScriptView(parsed.tree, parsed.sources)
            for finding in judge(rules, Target("", "", (ScriptCase(view),)), checks).findings:
                self.counts[finding.check] += 1
                self.findings.append((path, finding))

    def share(self, lint: str) -> int:
        """Findings per thousand scripts, rounded up so that 0 means none."""
        return -(-self.counts[lint] * 1000 // max(self.scripts, 1))


def surveys(every: int = 1) -> list[Survey]:
    """All origins; only each `every`-th file of each package."""
    seen: set[bytes] = set()
    defaults = Survey(DEFAULTS)
    for package in BINUTILS:
        defaults.look(ldscripts(package)[::every], seen)
    found = [defaults]
    for package in PACKAGES:
        found.append(Survey(TESTS if package == "binutils" else package))
        found[-1].look(source_scripts(package)[::every], seen)
    return [survey for survey in found if survey.scripts]


def table(found: list[Survey]) -> str:
    """A row for each lint of the policy and a column for each origin, in Markdown."""
    lints = sorted(rule.check for rule in load_policies(["generic"], declarations=checks).rules)
    rows = [["lint", *(survey.name for survey in found)], ["---", *("---:" for _ in found)]]
    rows.append(["*scripts*", *(str(survey.scripts) for survey in found)])
    rows += [[f"`{lint}`", *(str(survey.share(lint)) for survey in found)] for lint in lints]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
