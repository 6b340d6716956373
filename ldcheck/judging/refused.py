"""What the rules of a run themselves refuse, so that proofs may do without it."""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.findings import Severity
from ldcheck.image.arches import allows
from ldcheck.layout.traits import is_unallocated
from ldcheck.policy.rule import Rule, When, names_of


def refuses_orphans(rules: Sequence[Rule], arch: str) -> bool:
    """Whether the rules themselves refuse orphan sections, so that proofs about addresses may do without them.

    One that is for some configurations only does not, nor one that lets a section through that takes room.
    """
    return any(
        rule.check == "orphans"
        and rule.severity is Severity.ERROR
        and _is_for_all(rule.when, arch)
        and all(is_unallocated(named.text) for named in names_of(rule.keys.get("except")))
        for rule in rules
    )


def _is_for_all(when: When, arch: str) -> bool:
    """Whether a rule that has such conditions is judged in every configuration for an architecture."""
    if when.config or when.symbol or when.section or when.format or when.linker or when.paths:
        return False
    return not when.arch or (bool(arch) and allows(when.arch, arch))
