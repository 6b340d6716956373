"""Every row of the table of differences is what linkers do: one image exactly where it says that they do the same."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from ldcheck.linker import Linker as Meant
from ldcheck.script.difference import REFUSES
from ldcheck.script.differences import BY_NAME, DIFFERENCES
from tests.linkers.snippets import REFUSED, SAME, SNIPPETS, Snippet, image
from tests.support.linkers import ALL, Linker
from tools.linkers import PAGE, page

JUDGES = tuple(linker for linker in ALL if linker.every_run)


def meant(linker: Linker) -> Meant:
    return Meant(linker.kind, tuple(map(int, linker.version.split("."))))


def named(snippets: tuple[Snippet, ...]) -> list[object]:
    counts: dict[str, itertools.count[int]] = {}
    numbers = [next(counts.setdefault(one.difference, itertools.count(1))) for one in snippets]
    return [pytest.param(one, id=f"{one.difference}-{number}") for one, number in zip(snippets, numbers, strict=True)]


def contradictions(snippet: Snippet, linkers: tuple[Linker, ...], folder: Path) -> list[str]:
    """Where the images are not as the table says."""
    difference = BY_NAME[snippet.difference]
    images = {linker: image(linker, snippet, folder) for linker in linkers}
    found = []
    for linker, made in images.items():
        (way,) = difference.ways(meant(linker))
        # A file that is not there is refused in other words.
        refused = way == REFUSES or way.endswith("finds none")
        if (made == REFUSED) is not refused and (refused or linker.kind != snippet.stopped):
            found.append(f"{linker} {way}:\n{made}")
    for (one, its), (other, theirs) in itertools.combinations(images.items(), 2):
        same = difference.ways(meant(one)) == difference.ways(meant(other))
        if same is not (its == theirs):
            found.append(f"{one} and {other} are {'not ' if same else ''}the same:\n{its}\n--\n{theirs}")
    return found


@pytest.mark.parametrize("snippet", named(SNIPPETS))
def test_the_table_is_what_linkers_do(snippet: Snippet, tmp_path: Path) -> None:
    assert contradictions(snippet, JUDGES, tmp_path) == []


@pytest.mark.sweep
@pytest.mark.parametrize("snippet", named(SNIPPETS))
def test_the_table_is_what_linkers_of_all_years_do(snippet: Snippet, tmp_path: Path) -> None:
    assert contradictions(snippet, ALL, tmp_path) == []


@pytest.mark.parametrize("snippet", named(SAME))
def test_where_they_do_the_same(snippet: Snippet, tmp_path: Path) -> None:
    first, second = (image(linker, snippet, tmp_path) for linker in JUDGES)
    assert first == second
    assert first != REFUSED


def test_the_page_has_the_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run python -m tools.linkers"
    assert all(one.construct.replace("|", "\\|") in text for one in DIFFERENCES)


def test_every_row_has_a_snippet_and_a_name_of_its_own() -> None:
    assert {one.difference for one in SNIPPETS} == set(BY_NAME)
    assert len(BY_NAME) == len(DIFFERENCES)


def test_a_version_has_one_way_and_an_unknown_one_all_of_them() -> None:
    quoted = BY_NAME["quoted-name"]
    assert quoted.ways(Meant("lld", (16, 0, 6))) == {"takes the quotes for a part of the name"}
    assert quoted.ways(Meant("lld", (21,))) == {"takes the name"}
    assert len(quoted.ways(Meant("lld"))) == 2
    assert BY_NAME["exclusive-or"].needs(Meant("gnu", (2, 40))) == "2.42"
    assert BY_NAME["exclusive-or"].needs(Meant("gnu", (2, 42))) == ""
    assert BY_NAME["block"].needs(Meant("lld", (14,))) == ""
