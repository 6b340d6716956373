"""What is said of scripts in use, and what a person who read them thought of it.

`labels.jsonl` has one finding a line, by its place (repository, commit, path, line) and its rule, with a verdict and
the reason: `mend` if the maintainer would mend it, `harmless` if it is true and breaks nothing, `false` if it is not
true. `sample` tells the scripts that lints were written with (`field`) from those that nobody had looked at (`unseen`).
What the scripts say themselves is not here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent / "labels.jsonl"
VERDICTS = ("mend", "harmless", "false")
SEVERITIES = ("error", "warning")
SAMPLES = {"field": "scripts in use", "unseen": "not looked at before"}


@dataclass(frozen=True)
class Label:
    """One finding, and what was thought of it. `rule` is the id in the policy, `lint` the check."""

    repository: str
    commit: str
    path: str
    line: int
    rule: str
    lint: str
    severity: str
    verdict: str
    why: str
    sample: str


def labels() -> list[Label]:
    """All labels, in the order of the file."""
    return [Label(**json.loads(line)) for line in FILE.read_text().splitlines()]


def table(found: Iterable[Label]) -> str:
    """How many findings of each lint and severity were read, and with which verdicts, in Markdown."""
    rows = [["lint", "severity", "sample", "read", *VERDICTS], ["---", "---", "---", *("---:" for _ in range(4))]]
    found = list(found)
    for sample, told in SAMPLES.items():
        for severity in SEVERITIES:
            chosen = [one for one in found if (one.sample, one.severity) == (sample, severity)]
            lints = sorted({one.lint for one in chosen})
            rows += [_row(f"`{lint}`", severity, told, [one for one in chosen if one.lint == lint]) for lint in lints]
            rows += [_row("*all*", severity, told, chosen)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(name: str, severity: str, sample: str, found: list[Label]) -> list[str]:
    counts = Counter(one.verdict for one in found)
    return [name, severity, sample, str(len(found)), *(str(counts[verdict]) for verdict in VERDICTS)]
