"""The outcome of a run, complete: what every reporter is given, and what `ldcheck.check` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldcheck.findings import Finding, InputError, RuleResult
from ldcheck.record import dataclass, field

if TYPE_CHECKING:
    from ldcheck.layout.picture import Picture


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Report:
    """The outcome of a run: what every reporter is given.

    `status` is the exit status (0, 1 or 2). `errors` are what could not be read or understood. `inputs` says what was
    looked at, by kind ("script", "image", ...). `notes` are remarks on the run: a stubbed header, what was left out.
    `accepted` are findings that a policy's `ignore` or a baseline accepts, each with its reason. `details` say how the
    run came about, `pictures` what was linked, for whoever asks.
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
