"""Scripts as large as ESP-IDF generates them, and larger: how time and memory grow, against a loop of plain Python."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from math import log2
from pathlib import Path

from benchmarks.paired import PRINT_PEAK, Result, least_cpu, loop
from ldcheck.script.parser import parse
from ldcheck.sections.budget import BUDGET
from ldcheck.sections.left import State
from ldcheck.sections.reach import reaches
from ldcheck.sections.rules import input_rules
from ldcheck.source import Source
from tests.sections.espidf import Form, generate

_SIZES = (1_250, 2_500, 5_000, 10_000)
# Look-ups in the loop that the bars are ratios to: some 0.3 s on a machine that is not slow.
_LOOP = 10_000_000
# Prints the largest memory of a process that checks a script, in kilobytes.
_CHECK = (
    """
import contextlib, io, sys
from ldcheck.cli.main import main
with contextlib.redirect_stdout(io.StringIO()):
    status = main(["check", "--policy", "generic", "--policy", "firmware", sys.argv[1]])
if status not in (0, 1):
    sys.exit("not checked")
"""
    + PRINT_PEAK
)


def measure() -> Iterator[Result]:
    """Judge all rules of generated scripts of up to 10,000 statements."""
    base = least_cpu(partial(loop, _LOOP), 3)
    taken: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in _SIZES:
            text = generate(random.Random(1), Form(size)).script
            taken[size] = least_cpu(partial(_judge, text), 3)
            name = f"{size:,} statements in the form of ESP-IDF"
            bar = 10 if size == _SIZES[-1] else None
            note = f"of a loop of {base * 1000:.0f} ms in plain Python"
            yield Result(name, taken[size] / base, bar=bar, note=note)
            path = Path(folder) / "generated.ld"
            path.write_text(text)
            done = subprocess.run([sys.executable, "-c", _CHECK, path], check=True, capture_output=True, text=True)
            yield Result("  memory of a check", int(done.stdout) * 1024 / 1e6, "MB", 400)
    small, large = _SIZES[0], _SIZES[-1]
    growth = taken[large] / taken[small] / (large * log2(large) / (small * log2(small)))
    yield Result("growth of the time, against n log n", growth, bar=1.3)


def _judge(text: str) -> None:
    BUDGET.renew()
    tree = parse(Source("generated.ld", text)).tree
    if any(reach.state is State.UNDECIDED for reach in reaches(input_rules(tree))):
        sys.exit("a rule of a generated script is undecided")
