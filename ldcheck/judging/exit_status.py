"""From verdicts to an exit status: what makes a run pass, fail, or count as not having checked anything.

0: nothing at or above the severity that fails a run. 1: violations. 2: could not check, which includes every target on
which no rule could be judged: a gate that checked nothing never passes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ldcheck.findings import EvidenceKind, Finding, InputError, RuleResult, Severity, Verdict
from ldcheck.source import Location

PASSED, VIOLATIONS, NOT_CHECKED = 0, 1, 2

_JUDGED = (Verdict.HELD, Verdict.VIOLATED, Verdict.UNPROVEN)
_GIVE = {
    EvidenceKind.SCRIPT: ("no script", "name the linker script"),
    EvidenceKind.IMAGE: ("no ELF file", "give --elf, or `image:` in the target"),
    EvidenceKind.MAP: ("no map", "give --map, or `map:` in the target"),
    EvidenceKind.OBJECTS: ("no objects", "give --objects, or `objects:` in the target"),
}


def status(findings: Sequence[Finding], errors: Sequence[InputError], fail_on: Severity | None) -> int:
    """The exit status of a run; `fail_on` is the least severity that fails it, None for none."""
    if errors:
        return NOT_CHECKED
    if fail_on is not None and any(finding.severity.at_least(fail_on) for finding in findings):
        return VIOLATIONS
    return PASSED


def unchecked(results: Sequence[RuleResult], target: str, place: Location) -> InputError | None:
    """The error for a target on which not one rule was judged; None where at least one was."""
    if any(result.verdict in _JUDGED for result in results):
        return None
    whom = f" on {target}" if target else ""
    if not results:
        return InputError(f"nothing was checked{whom}: there are no rules", place, help="give a policy with rules")
    reasons = dict.fromkeys(result.reason for result in results if result.reason)
    listed = "; ".join(list(reasons)[:3])
    message = f"nothing was checked{whom}: {listed or 'no rule applies'}"
    return InputError(message, place, help="give the evidence that the rules need, or rules that apply here")


def lacking(
    required: Collection[EvidenceKind], present: Collection[EvidenceKind], target: str, place: Location
) -> list[InputError]:
    """An error for each kind of evidence that was required of a target and is not there."""
    whom = f" of {target}" if target else ""
    missing = [_GIVE[kind] for kind in EvidenceKind if kind in required and kind not in present]
    return [InputError(f"there is {what}{whom}, which is required", place, help=advice) for what, advice in missing]
