"""The outcome of a run, complete: what every reporter is given, and what `ldcheck.check` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldcheck.findings import Finding, InputError, RuleResult, Severity
from ldcheck.record import dataclass, field, replace

if TYPE_CHECKING:
    from ldcheck.layout.picture import Picture


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Report:
    """The outcome of a run: what every reporter is given.

    `status` is the exit status (0, 1 or 2). `errors` are what could not be read or understood. `inputs` says what was
    looked at, by kind ("script", "image", ...). `notes` are remarks on the run: a stubbed header, what was left out.
    `accepted` are findings that a policy's `ignore` or a baseline accepts, each with its reason. `unshown` are those
    that are too light to be shown, and are counted. `details` say how the run came about, `pictures` what was linked,
    for whoever asks.
    """

    status: int
    findings: tuple[Finding, ...] = ()
    rules: tuple[RuleResult, ...] = ()
    errors: tuple[InputError, ...] = ()
    inputs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    accepted: tuple[tuple[Finding, str], ...] = ()
    details: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    unshown: tuple[Finding, ...] = ()

    def showing(self, least: Severity) -> Report:
        """The report with only the findings of this severity or a heavier one, and with a count of the others."""
        every = (*self.findings, *self.unshown)
        return replace(
            self,
            findings=tuple(finding for finding in every if finding.severity.at_least(least)),
            unshown=tuple(finding for finding in every if not finding.severity.at_least(least)),
        )
