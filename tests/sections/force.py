"""What rules leave of each other by brute force: every section of a list is put to every rule."""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.sections.left import State
from ldcheck.sections.reach import Witness, reaches
from ldcheck.sections.rules import InputRule

# Name, file, archive or None, flags.
Section = tuple[str, str, str | None, int]


def takes(rule: InputRule, section: Section) -> bool:
    name, file, archive, flags = section
    return rule.takes(name, file, archive, flags)


def is_taken(rule: InputRule, shown: Witness) -> bool:
    archive, colon, member = shown.file.rpartition(":")
    return rule.takes(shown.section, member, archive if colon else None, shown.flags)


def compare_with_force(found: Sequence[InputRule], sections: Sequence[Section], text: str) -> None:
    """Fail where what is said of a rule is not so for one of the sections, or for a witness."""
    first = {section: next((rule.index for rule in found if takes(rule, section)), None) for section in sections}
    for reach in reaches(found):
        rule = reach.rule
        assert reach.state is not State.UNDECIDED, (text, reach)
        assert reach.undecided == ()
        own = [section for section in sections if takes(rule, section)]
        kept = [section for section in own if first[section] == rule.index]
        lost = [section for section in own if first[section] != rule.index]
        if reach.state is State.DEAD:
            assert kept == [], (text, reach)
            assert all(other.index < rule.index for other in reach.earlier)
            assert all(any(takes(other, section) for other in reach.earlier) for section in own), (text, reach)
            continue
        # A rule that is not dead shows what it keeps, which no rule ahead of it takes.
        assert reach.kept is not None
        assert is_taken(rule, reach.kept), (text, reach)
        assert not any(is_taken(other, reach.kept) for other in found[: rule.index]), (text, reach)
        assert not kept or len(reach.kept.section) <= min(len(section[0]) for section in kept), (text, reach)
        assert (reach.state is State.FREE) <= (lost == []), (text, reach)
        if reach.state is State.COMPETES:
            assert reach.witness is not None
            assert is_taken(rule, reach.witness), (text, reach)
            taker = next(other for other in found if is_taken(other, reach.witness))
            assert taker in reach.earlier, (text, reach)
        takers_by_force = {first[section] for section in lost}
        assert takers_by_force <= {other.index for other in reach.earlier}, (text, reach)
