"""Paired runs: the command and its reference alternate, so that both see the same machine."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

# What any Python tool pays that reads YAML and prints JSON.
REFERENCE = (sys.executable, "-c", "import yaml, argparse, re, json, dataclasses")
# Steps of the loop that bars are ratios to: some 30 ms on a machine that is not slow.
LOOP = 1_000_000

# Prints the most memory that the process had, in kilobytes. What getrusage() tells is never less than what the process
# had that started it.
PRINT_PEAK = """
import re
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table. `value` is in `unit`; `bar` is what it is held to: at most, or with `least` at least."""

    name: str
    value: float
    unit: str = "x"
    bar: float | None = None
    least: bool = False
    note: str = ""

    @property
    def within(self) -> bool:
        """Whether the bar is kept; true where there is none."""
        if self.bar is None:
            return True
        return self.value >= self.bar if self.least else self.value <= self.bar


def seconds(command: Sequence[str | Path], cwd: Path | None = None, statuses: Sequence[int] = (0, 1)) -> float:
    """Wall-clock time of one run. One with another exit status, or that complains, ends the benchmark.

    Findings are no complaint, they go to standard output; Python's own failures have exit status 1 as well.
    """
    started = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    taken = time.perf_counter() - started
    if done.returncode not in statuses or (done.returncode and done.stderr):
        said = done.stderr.decode(errors="replace")
        sys.exit(f"exit status {done.returncode}: {' '.join(map(str, command))}\n{said}")
    return taken


def ratio(
    name: str,
    command: Sequence[str | Path],
    reference: Sequence[str | Path] = REFERENCE,
    *,
    bar: float | None = None,
    pairs: int = 11,
    cwd: Path | None = None,
    reference_cwd: Path | None = None,
) -> Result:
    """The median over pairs of runs of `command`'s time divided by that of `reference`."""
    # The reference first: it may make what the command reads.
    seconds(reference, reference_cwd)
    seconds(command, cwd)
    runs = [(seconds(command, cwd), seconds(reference, reference_cwd)) for _ in range(pairs)]
    taken = statistics.median(run for run, _ in runs)
    return Result(
        name,
        statistics.median(run / base for run, base in runs),
        bar=bar,
        note=f"{taken * 1000:.0f} ms against {statistics.median(base for _, base in runs) * 1000:.0f} ms",
    )


def cpu_ms(name: str, work: Callable[[], object], bar: float, rounds: int = 5) -> Result:
    """Milliseconds of processor time, the least of some rounds."""
    return Result(name, least_cpu(work, rounds) * 1000, "ms", bar, note="of processor time")


def of_loop(name: str, work: Callable[[], object], bar: float, steps: int = LOOP, rounds: int = 5) -> Result:
    """Processor time as a ratio to that of a loop of so many look-ups in plain Python, in turns: the least of each."""
    runs = [(least_cpu(work, 1), least_cpu(partial(loop, steps), 1)) for _ in range(rounds)]
    taken, base = min(run for run, _ in runs), min(base for _, base in runs)
    return Result(name, taken / base, bar=bar, note=f"{taken * 1000:.0f} ms against a loop of {base * 1000:.0f} ms")


def loop(steps: int = LOOP) -> None:
    """What ratios are to, where no other program does the same: look-ups in a dictionary."""
    seen: dict[int, int] = {}
    for number in range(steps):
        seen[number & 1023] = number


def cpu_rate(name: str, work: Callable[[], object], size: int, bar: float | None = None, rounds: int = 5) -> Result:
    """Megabytes (10**6 bytes) that `work` goes through in a second of processor time, the best of some rounds."""
    rate = size / 1e6 / least_cpu(work, rounds)
    return Result(name, rate, "MB/s", bar, least=True, note=f"{size:,} bytes, of processor time")


def least_cpu(work: Callable[[], object], rounds: int = 5) -> float:
    """Seconds of processor time, the least of some rounds: what others do on the machine does not count."""
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)
