"""What one rule may take, and the question whether there is such a section."""

from __future__ import annotations

from typing import NamedTuple

from ldcheck.record import dataclass
from ldcheck.sections.files import Files
from ldcheck.sections.globs import Glob
from ldcheck.sections.rules import InputRule


class Asked(NamedTuple):
    """Sections whose names and files are in all of these, and which have all the flags of one mask, none of another."""

    names: tuple[Glob, ...]
    files: tuple[Files, ...]
    required: int
    forbidden: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Claim:
    """What a rule may take. It is `sure` if every link gives it all of that, but for what rules ahead of it take.

    A `plain` claim is on sections of every file and with any flags.
    """

    rule: InputRule
    names: Glob
    files: Files
    required: int
    forbidden: int
    sure: bool
    plain: bool

    @property
    def content(self) -> tuple[object, ...]:
        """What is claimed, whichever rule does: claims with equal content take the same sections."""
        return self.names, self.files, self.required, self.forbidden, self.sure

    def asked(self) -> Asked:
        """The question whether there is such a section."""
        return Asked((self.names,), (self.files,), self.required, self.forbidden)

    def meet(self, other: Claim) -> Asked:
        """The question whether there is a section that both claim."""
        return Asked(
            (self.names, other.names),
            (self.files, other.files),
            self.required | other.required,
            self.forbidden | other.forbidden,
        )
