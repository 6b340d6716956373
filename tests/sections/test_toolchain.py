"""The catalogue of sections against the compilers and linkers of this machine, and what holds of every entry."""

from __future__ import annotations

import shutil

import pytest

from ldcheck.image.arches import canonical
from ldcheck.sections.globs import section_glob
from ldcheck.sections.kinship import FAMILIES
from ldcheck.sections.toolchain import KINDS, MAKERS, catalogue
from tests.support.tools import tool
from tools.toolchain.machines import Compiler, compilers
from tools.toolchain.observe import Sighting, observe, observe_links
from tools.toolchain.options import CHOICES, RUST

SPLIT = "-ffunction-sections -fdata-sections"
# By compilers that the tests set up; the sweep asks all that are at hand, with all options.
FEW = ("x86_64-linux-gnu-gcc", "arm-linux-gnueabihf-gcc", "riscv64-linux-gnu-gcc", "powerpc64-linux-gnu-gcc")
# What the sources ask for beside the options.
ASKED_FOR = ("C++", "constructor(N)", "__attribute__((hot))", "__attribute__((destructor))")
USUAL = ("", "-ffunction-sections", "-fdata-sections", SPLIT, "-fPIE", "-gdwarf-5", "-fcommon")


def unknown(sightings: list[Sighting]) -> list[str]:
    """What was seen and is not in the catalogue, or not of that kind or maker there, or only under other options."""
    entries = catalogue()
    wrong = []
    for one in sightings:
        entry = entries.get(one.pattern)
        if entry is None:
            wrong.append(f"{one.pattern} is not in the catalogue: {one.made_by}")
        # Options beyond the usual ones are named only where there is no nearer way: any way will do.
        elif not any(own.maker == one.maker and one.arch in (own.arches or {one.arch}) for own in entry.emissions):
            wrong.append(f"{one.pattern} is not said to be emitted for {one.arch}: {one.made_by}")
    return sorted(set(wrong))


def unseen(sightings: list[Sighting], asked: set[tuple[str, str]], labels: set[str]) -> list[str]:
    """What the catalogue says of these makers and architectures under these options, and nobody saw."""
    seen = {(one.maker, one.arch, one.pattern, one.label) for one in sightings}
    wrong = []
    for pattern, entry in catalogue().items():
        for one in entry.emissions if not entry.source else ():
            for maker, arch in asked:
                stated = one.maker == maker and (not one.arches or arch in one.arches) and one.option in labels
                if stated and (maker, arch, pattern, one.option) not in seen:
                    wrong.append(f"{pattern} by {maker} for {arch} with {one.option!r}")
    return wrong


def chosen(programs: tuple[str, ...]) -> list[Compiler]:
    """The compilers of these names, for every architecture that they are asked for."""
    for program in programs:
        tool(program)
    return [one for one in compilers() if one.program in programs]


def labels_of(words: tuple[str, ...]) -> set[str]:
    """The options as the catalogue names them, with and without what the sources ask for."""
    return {" ".join(filter(None, (language, word))) for word in words for language in ("", *ASKED_FOR)}


def test_what_usual_compilers_emit_is_in_the_catalogue_and_the_reverse():
    asked = chosen(FEW)
    # Other compilers of the list emit for the same architectures: only what all of one maker emit can be held to it.
    sightings = observe(asked, USUAL)
    assert sightings
    assert unknown(sightings) == []
    alone = [one for one in asked if one.arch not in {"arm32", "riscv64"}]
    # The packages that the tests set up bring C++ for this machine alone; others may have more.
    cplusplus = [one for one in alone if shutil.which(one.program.replace("gcc", "g++"))]
    assert cplusplus
    labels = labels_of(USUAL)
    in_cplusplus = {label for label in labels if label.startswith("C++")}
    assert unseen(sightings, {(one.maker, one.arch) for one in alone}, labels - in_cplusplus) == []
    assert unseen(sightings, {(one.maker, one.arch) for one in cplusplus}, in_cplusplus) == []


def test_what_linkers_add_is_in_the_catalogue():
    assert unknown(observe_links(chosen(("x86_64-linux-gnu-gcc", "riscv64-linux-gnu-gcc")))) == []


@pytest.mark.sweep
def test_what_every_compiler_at_hand_emits_is_in_the_catalogue():
    everything = observe() + observe_links()
    assert unknown(everything) == []


def test_rust_at_hand_emits_nothing_else():
    if shutil.which("rustc") is None:
        pytest.skip("rustc is missing (get it: apt-get install rustc)")
    assert unknown(observe([one for one in compilers() if one.maker == "rustc"])) == []


def test_every_entry_is_well_formed():
    for pattern, entry in catalogue().items():
        assert entry.kind in KINDS
        assert section_glob(pattern).matches(entry.probe), pattern
        assert entry.emissions, pattern
        for one in entry.emissions:
            assert one.maker in MAKERS
            assert all(canonical(arch) == arch for arch in one.arches), (pattern, one.arches)


def test_an_entry_that_was_not_observed_says_where_it_is_from():
    labels = {choice.label for choice in (*CHOICES, *RUST)} | {""}
    for pattern, entry in catalogue().items():
        if not entry.source:
            makers = {one.maker for one in entry.emissions}
            assert makers <= {"gcc", "clang", "rustc", "ld", "lld"}, pattern
            compiled = {one.option for one in entry.emissions if one.maker in ("gcc", "clang", "rustc")}
            plain = {" ".join(word for word in option.split() if word not in ASKED_FOR) for option in compiled}
            assert plain <= labels, pattern


def test_families_speak_of_entries():
    known = set(catalogue())
    missing = {(family.name, pattern) for family in FAMILIES for pattern in family.patterns if pattern not in known}
    assert missing == set()
