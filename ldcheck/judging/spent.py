"""The processor time that a run has spent: budgets hang on it, whatever else the machine does."""

from __future__ import annotations

import os
import time


def spent() -> float:
    """The processor time of this process and of the programs that it ran to their end, in seconds."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system
