"""What ldcheck says: verdicts on rules, findings, and the judgements of checks that they are made from.

A check judges a rule on one piece of evidence and returns a `Judgement`. `ldcheck.judge` combines the judgements of
all evidence and all configurations into one `RuleResult` with its verdict and its `Finding`s. Reporters see results
and findings only.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

from ldcheck.record import dataclass, field
from ldcheck.source import Location, Related
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck.picture import Picture


class Verdict(Enum):
    """The one verdict in which every rule ends."""

    HELD = "held"
    VIOLATED = "violated"
    UNPROVEN = "unproven"
    NOT_CHECKED = "not checked"
    NOT_APPLICABLE = "not applicable"


class Severity(Enum):
    """How much a finding weighs, the heaviest first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    OFF = "off"

    @property
    def rank(self) -> int:
        """0 for the heaviest."""
        return _RANKS[self]

    def at_least(self, other: Severity) -> bool:
        """Whether this is as heavy as `other` or heavier."""
        return self.rank <= other.rank


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class EvidenceKind(Enum):
    """What a rule can be judged on."""

    SCRIPT = "script"
    IMAGE = "image"
    MAP = "map"
    OBJECTS = "objects"


class Standing(Enum):
    """How one piece of evidence stands to a rule.

    HOLDS: a script guarantees it, or an image, map or object shows it. NOT_GUARANTEED: some link of this script breaks
    it (only a script can say so; an image may happen to satisfy it). REFUTED: the contrary is shown, or the script says
    the contrary whatever is linked. UNKNOWN: it cannot be decided on this evidence; the reason says why. UNDECIDED: it
    could be, but that would take more than a run may cost. ABSENT: the subject does not exist in this evidence.
    """

    HOLDS = "holds"
    NOT_GUARANTEED = "not guaranteed"
    REFUTED = "refuted"
    UNKNOWN = "unknown"
    UNDECIDED = "undecided"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Problem:
    """What one piece of evidence has against a rule: the draft of a finding.

    `subject` is the name that the rule speaks of; problems of the script and of the image with one subject become one
    finding. `location` is None where the evidence has no place of its own (an ELF). `label` stands under the caret.
    `facts` are whole sentences ("in the image: 8,200 bytes ..."). `route` is the symbolic place in the script.
    """

    subject: str
    message: str
    location: Location | None = None
    label: str = ""
    related: tuple[Related, ...] = ()
    facts: tuple[str, ...] = ()
    witness: str = ""
    help: str = ""
    route: str = ""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Judgement:
    """The outcome of one check of one rule on one piece of evidence.

    `reason` is a clause for people: why nothing could be decided, or what was missing; for HOLDS it may say what
    establishes it. `facts` are sentences on subjects (subject, sentence) for the findings that other evidence yields
    for the same rule. `evidence` is what an image's judgement rests on; empty means the ELF file.
    """

    standing: Standing
    problems: tuple[Problem, ...] = ()
    reason: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    evidence: tuple[EvidenceKind, ...] = ()


_WEIGHT = (
    Standing.REFUTED,
    Standing.NOT_GUARANTEED,
    Standing.ABSENT,
    Standing.UNDECIDED,
    Standing.UNKNOWN,
    Standing.HOLDS,
)


def all_of(judgements: Sequence[Judgement], *, optional: bool = False) -> Judgement:
    """The judgement on several subjects of one rule: the worst standing, with the problems of all.

    With `optional`, subjects that do not exist do not count, as long as one exists.
    """
    if optional:
        judgements = [one for one in judgements if one.standing is not Standing.ABSENT] or judgements
    standing = min((one.standing for one in judgements), key=_WEIGHT.index, default=Standing.UNKNOWN)
    # A doubt beside a refutation is told as well, what is merely absent is not.
    counted = [one for one in judgements if one.standing is standing or one.standing is Standing.NOT_GUARANTEED]
    return Judgement(
        standing,
        problems=tuple(problem for one in counted for problem in one.problems),
        reason="; ".join(dict.fromkeys(one.reason for one in counted if one.reason)),
        facts=tuple(dict.fromkeys(fact for one in judgements for fact in one.facts)),
        evidence=tuple(dict.fromkeys(kind for one in judgements for kind in one.evidence)),
    )


def undecided(count: int) -> Judgement:
    """The judgement where so many questions about patterns were too complex."""
    reason = f"not decided within the budget: {counted(count, 'question')}, too complex"
    return Judgement(Standing.UNDECIDED, reason=reason)


def unless_undecided(judgement: Judgement, count: int) -> Judgement:
    """The judgement, which so many questions that were not decided may have changed: then it is that.

    What was decided against the rule stands.
    """
    if not count or judgement.standing in (Standing.REFUTED, Standing.NOT_GUARANTEED):
        return judgement
    return undecided(count)


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation or doubt, complete: everything that any report needs."""

    rule: str
    check: str
    severity: Severity
    message: str
    location: Location
    label: str = ""
    related: tuple[Related, ...] = ()
    facts: tuple[str, ...] = ()
    route: str = ""
    configurations: str = ""
    evidence: tuple[EvidenceKind, ...] = ()
    witness: str = ""
    why: str = ""
    help: str = ""
    see: tuple[str, ...] = ()
    verdict: Verdict = Verdict.VIOLATED
    target: str = ""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RuleResult:
    """The verdict on one rule for one target, with the clause that explains it and the evidence that was used."""

    rule: str
    check: str
    verdict: Verdict
    reason: str = ""
    evidence: tuple[EvidenceKind, ...] = ()
    target: str = ""


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


@dataclass(frozen=True, slots=True)
class InputError:
    """Something that kept ldcheck from checking: unreadable, unparsable or contradictory input."""

    message: str
    location: Location
    label: str = ""
    help: str = ""
    related: tuple[Related, ...] = ()


class CheckError(Exception):
    """Raised where input makes going on senseless; carries everything that the report of it needs."""

    def __init__(self, *errors: InputError) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors
