"""Evidence of which only a part is there: what it does not show may well be in the part that is missing.

A link map may be cut off, and an ELF file may be stripped of its section headers. What a check finds wrong there is
wrong; that it finds nothing, holds of the part alone.
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ImageView
from ldcheck.policy.declare import Declaration


def unless_in_parts(judgement: Judgement, view: ImageView, declaration: Declaration) -> Judgement:
    """The judgement of an image, which is undecided where it holds for the part alone that is there."""
    reason = _lacking(judgement, view, declaration) if judgement.standing is Standing.HOLDS else ""
    return Judgement(Standing.UNKNOWN, reason=reason) if reason else judgement


def _lacking(judgement: Judgement, view: ImageView, declaration: Declaration) -> str:
    used = judgement.evidence or (EvidenceKind.IMAGE,)
    if EvidenceKind.MAP in used and view.map is not None and view.map.incomplete:
        return f"{view.map.path} is incomplete: {view.map.incomplete[0]}"
    by_elf = EvidenceKind.IMAGE in used or EvidenceKind.MAP in used
    if by_elf and view.elf is not None and not view.elf.sections and not declaration.headerless:
        return f"{view.elf.path} has no section headers, give the file that the link wrote"
    return ""
