"""Scripts in the form of ESP-IDF: against brute force, against GNU ld, and as large as they come."""

from __future__ import annotations

import random

import pytest

from ldcheck.sections.budget import BUDGET
from ldcheck.sections.left import State
from ldcheck.sections.reach import reaches
from tests.sections import espidf
from tests.sections.force import Section, compare_with_force
from tests.sections.scripts import rules
from tests.sections.test_against_ld import compare

SEEDS = range(6)


def sections_of(objects: dict[tuple[str, str], list[str]]) -> list[Section]:
    """The sections of the objects, and the same names in objects beside them."""
    found = [
        (name, file, library or None, 0)
        for (library, member), names in objects.items()
        for name in names
        for file in (member, member.replace(".", "x.", 1))
    ]
    names = dict.fromkeys(name for name, _, _, _ in found)
    return found + [(name, "a.o", archive, 0) for name in names for archive in (None, "libother.a")]


@pytest.mark.parametrize("seed", SEEDS)
def test_small_ones_agree_with_brute_force(seed):
    made = espidf.generate(random.Random(seed), espidf.Form(20 + 10 * seed, objects=3, excluded=8))
    compare_with_force(rules(made.script), sections_of(made.objects), made.script)


@pytest.mark.parametrize("seed", SEEDS)
def test_objects_go_where_gnu_ld_puts_them(seed, tmp_path):
    made = espidf.generate(random.Random(seed), espidf.Form(12 + 6 * seed, objects=4, excluded=20))
    files = espidf.build(tmp_path, made.objects)
    assert compare(tmp_path, made.script, files) == ""


def test_a_large_one_is_decided():
    made = espidf.generate(random.Random(1), espidf.Form(1500))
    assert all(reach.state is not State.UNDECIDED for reach in reaches(rules(made.script)))
    assert BUDGET.undecided == 0
