"""The processor time that a run has spent, and what becomes of the rest when it is more than it may.

Steps are counted where they are known to add up, in the languages of patterns. Time is for all else: whatever a script
holds, a run ends. What is cut short is not decided, and neither is anything behind it, for what was being made then may
be half done.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ldcheck.project.target import Target

# Some sixty times what the largest scripts in use take.
SECONDS = 15.0
SECONDS_OF_A_TARGET = 1.0
# Maps are read at ten times this rate.
BYTES_IN_A_SECOND = 4_000_000


def spent() -> float:
    """The processor time of this process and of the programs that it ran to their end, in seconds."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def seconds_of(targets: Sequence[Target]) -> float:
    """The processor time that a run on these targets may take: enough for what is large and nothing else."""
    named = (name for one in targets for name in (one.image, one.map, *one.objects) if name)
    size = sum(os.path.getsize(name) for name in named if os.path.isfile(name))
    return SECONDS + SECONDS_OF_A_TARGET * len(targets) + size / BYTES_IN_A_SECOND


class OutOfTimeError(Exception):
    """The run has spent the processor time that it may."""


class RunTime:
    """The time of a run. Within `with`, OutOfTimeError is raised when all of it is spent, and at once from then on.

    There is no limit where signals cannot be had: in a thread that is not the main one.
    """

    def __init__(self) -> None:
        self.over = False
        self.seconds = 0.0
        self._within = 0
        self._running = False

    def start(self, seconds: float) -> None:
        """Begin a run that may take so long."""
        self.over, self.seconds = False, seconds
        if self._running or signal.getsignal(signal.SIGPROF) is not signal.SIG_DFL:
            return
        try:
            signal.signal(signal.SIGPROF, self._ring)
        except ValueError:
            return
        # Again and again: what is raised while an object is given up is lost.
        signal.setitimer(signal.ITIMER_PROF, seconds, 0.25)
        self._running = True

    def stop(self) -> None:
        """End the run, or the watch over it."""
        if self._running:
            self._running = False
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, signal.SIG_DFL)

    def __enter__(self) -> None:
        if self.over:
            raise OutOfTimeError
        self._within += 1

    def __exit__(self, kind: object, *_: object) -> None:
        self._within -= 1
        if kind is OutOfTimeError:
            self.stop()

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        self.over = True
        if self._within:
            raise OutOfTimeError


# The time of the run, of which a process does one at a time.
TIME = RunTime()
