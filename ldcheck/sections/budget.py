"""What the questions about the languages of patterns may cost, in steps and in memory.

Most questions cost next to nothing, and look-ups are not counted. The others are counted together, so that many cheap
ones cannot add up either: a question that would take more than what is left is not decided. What a run may spend grows
with the rules that it is asked about, and is the same on every machine.
"""

from __future__ import annotations

# One step follows one character from one set of positions, some quarter of a microsecond.
_STEPS = 3_000_000
_STEPS_OF_A_RULE = 400
# What the sets of positions of one question may take, in bytes; they are gone when it is answered.
MEMORY = 64 << 20


class TooComplexError(Exception):
    """Deciding a question would take more than is left of the budget."""


class Budget:
    """What is left, how many questions were not decided, and the number of the run."""

    __slots__ = ("left", "run", "undecided")

    def __init__(self) -> None:
        self.left = _STEPS
        self.undecided = 0
        self.run = 0

    def renew(self) -> None:
        """Begin a run: nothing is spent, and nothing is left undecided."""
        self.left = _STEPS
        self.undecided = 0
        self.run += 1

    def grant(self, rules: int) -> None:
        """Add what a script of so many rules may cost beyond what any may."""
        self.left += rules * _STEPS_OF_A_RULE

    def spend(self, steps: int) -> None:
        """Count steps. Raises TooComplexError when all are spent."""
        self.left -= steps
        if self.left < 0:
            raise TooComplexError


# The budget of the run, of which a process does one at a time.
BUDGET = Budget()
