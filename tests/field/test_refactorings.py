"""The list of commits that claim to change nothing: it is large enough, most is proved, and ldcheck still says so."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from ldcheck.findings import CheckError
from tests.field.refactorings import KINDS, OUTCOMES, READINGS, Mirror, Refactoring, compared, refactorings, table
from tests.support.cache import ROOT
from tests.support.cases import Wanted
from tests.support.tools import unavailable

PAGE = ROOT / "docs" / "explanation" / "same.md"
# A folder with OWNER+NAME/repo, bare, for each repository.
MIRRORS = os.environ.get("LDCHECK_MIRRORS", "")
XEN = "xen-project/xen"


def test_each_commit_is_a_fact() -> None:
    found = refactorings()
    assert len({(one.commit, path) for one in found for path in one.paths}) == sum(len(one.paths) for one in found)
    for one in found:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", one.repository)
        assert re.fullmatch(r"[0-9a-f]{40}", one.commit)
        assert one.paths
        assert one.why
        assert (one.kind in KINDS, one.reading in READINGS, one.outcome in OUTCOMES) == (True, True, True)
        # What is not proved says what is lacking, and nothing else does.
        assert bool(one.lacks) == (one.outcome in ("not proved", "not read"))


def test_there_are_enough_of_them() -> None:
    counts = Counter(repository for repository, _ in {(one.repository, one.commit) for one in refactorings()})
    assert len(counts) == 6
    assert sum(counts.values()) - counts[XEN] >= 60


def test_what_changes_nothing_is_mostly_proved_and_nothing_else_is() -> None:
    same = [one for one in refactorings() if one.reading == "same"]
    assert sum(one.outcome == "proved" for one in same) >= 0.8 * len(same)
    assert not [one for one in refactorings() if one.reading == "changes" and one.outcome == "proved"]
    # Comments and blanks are easily proved: the others have to be as well.
    same = [one for one in same if one.kind != "text"]
    assert sum(one.outcome == "proved" for one in same) >= 0.7 * len(same)


def test_the_page_has_what_they_come_to(wanted: Wanted) -> None:
    text = PAGE.read_text()
    wanted(PAGE, re.sub(r"^\| what .*\|\n(\|.*\|\n)*", table(refactorings()), text, count=1, flags=re.MULTILINE))


@pytest.mark.sweep
@pytest.mark.parametrize("repository", sorted({one.repository for one in refactorings()}))
def test_each_comes_to_what_it_came_to(repository: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = Path(MIRRORS) / repository.replace("/", "+") / "repo"
    if not MIRRORS or not bare.is_dir():
        unavailable(f"no repository {repository}: LDCHECK_MIRRORS has to name the folder with them")
    mirror = Mirror(bare, tmp_path / "clone")
    monkeypatch.chdir(mirror.folder)
    odd = []
    for one in refactorings():
        if one.repository == repository:
            mirror.check_out(one.commit)
            if (came := _outcome(one, mirror)) != one.outcome:
                odd.append((one.commit, one.paths, came))
    assert odd == []


def _outcome(one: Refactoring, mirror: Mirror) -> str:
    """What ldcheck comes to: `proved` is so of all scripts, and `refuted` if one of them differs."""
    try:
        found = [comparison for _, comparison in compared(one, mirror)]
    except CheckError:
        return "not read"
    if all(comparison.proved for comparison in found):
        return "proved"
    return "refuted" if one.reading == "changes" and any(comparison.entries for comparison in found) else "not proved"
