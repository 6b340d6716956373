"""What ldcheck says: verdicts on rules, findings, and the judgements of checks that they are made from.

A check judges a rule on one piece of evidence and returns a `Judgement`. `ldcheck.judging` combines the judgements of
all evidence and all configurations into one `RuleResult` with its verdict and its `Finding`s. Reporters see results
and findings only.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from ldcheck.record import dataclass
from ldcheck.source import Location, Related
from ldcheck.words import counted


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


class Safety(Enum):
    """What may be done with a fix.

    SAFE: it was tried, and does what it says and nothing else that ldcheck can tell. UNSAFE: it was tried where it
    could be, and there are scripts or configurations that it may concern as well. FOR_SHOW: nobody tried it.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"
    FOR_SHOW = "for show"


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one file: `text` takes the place of the span of `location`; an empty span inserts."""

    location: Location
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that, made together, mend what a finding says.

    `does` is the sentence of the edits ("move line 112 ahead of line 97"). `proved` says how they were tried, and what
    that showed; it is empty for a draft, which is FOR_SHOW. The edits do not overlap.
    """

    edits: tuple[Edit, ...]
    does: str
    safety: Safety = Safety.FOR_SHOW
    proved: str = ""


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
    the contrary whatever is linked. UNKNOWN: it cannot be decided on this evidence; the reason says why. UNDECIDED: the
    rule is not decided whatever other evidence says, as that would take more than a run may cost, or as this evidence
    raises a doubt that only another settles. ABSENT: the subject does not exist in this evidence.
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

    `severity` is how heavy this problem is, where the policy does not say it; None: as heavy as the rule. An error is
    broken in every link of the script, or in the link at hand. A warning of a script is likely: a link in which the
    subject has no problem takes it back to a note. `help` is right whatever comes of the draft `fix`: where that is not
    tried, or fails, it says what to look at. `causes` are pairs of what is broken and what breaks it, where a check of
    another name may say the same the other way round.
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
    severity: Severity | None = None
    fix: Fix | None = None
    causes: tuple[tuple[Location, Location], ...] = ()


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
    """One violation or doubt, complete: everything that any report needs.

    `help` is the sentence of `fix` where there is one that was tried. `also` are the ids of other rules that found the
    same. `causes` are those of the problem.
    """

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
    fix: Fix | None = None
    also: tuple[str, ...] = ()
    causes: tuple[tuple[Location, Location], ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RuleResult:
    """The verdict on one rule for one target, with the clause that explains it and the evidence that was used."""

    rule: str
    check: str
    verdict: Verdict
    reason: str = ""
    evidence: tuple[EvidenceKind, ...] = ()
    target: str = ""


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
