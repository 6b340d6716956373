"""The labels are facts, the page has what they come to, and ldcheck still says it of the repositories at hand."""

from __future__ import annotations

import os
import re
import subprocess
from itertools import groupby
from pathlib import Path

import pytest

from ldcheck import check
from tests.field.labels import SAMPLES, SEVERITIES, VERDICTS, Label, labels, table
from tests.support.cache import ROOT
from tests.support.cases import Wanted
from tests.support.tools import unavailable

PAGE = ROOT / "docs" / "explanation" / "quiet.md"
# A folder with OWNER+NAME/repo, bare, for each repository.
MIRRORS = os.environ.get("LDCHECK_MIRRORS", "")


def test_each_label_is_a_fact() -> None:
    found = labels()
    assert len({(one.repository, one.path, one.line, one.rule) for one in found}) == len(found)
    for one in found:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", one.repository)
        assert re.fullmatch(r"[0-9a-f]{40}", one.commit)
        assert one.line >= 1
        assert one.why
        assert (one.verdict in VERDICTS, one.severity in SEVERITIES, one.sample in SAMPLES) == (True, True, True)


def test_what_was_read_is_mostly_what_a_maintainer_mends() -> None:
    for severity, mended, wrong in (("error", 0.9, 0.02), ("warning", 0.6, 0.1)):
        found = [one.verdict for one in labels() if one.severity == severity]
        assert found.count("mend") >= mended * len(found)
        assert found.count("false") <= wrong * len(found)


def test_the_page_has_what_the_labels_come_to(wanted: Wanted) -> None:
    before, heading, rest = PAGE.read_text().partition("## What was read\n")
    rest = re.sub(r"^\| lint .*\|\n(\|.*\|\n)*", table(labels()), rest, count=1, flags=re.MULTILINE)
    wanted(PAGE, before + heading + rest)


@pytest.mark.sweep
def test_each_label_is_still_said(tmp_path: Path) -> None:
    """Of each repository that is at hand; what is no longer said is no label any more."""
    found = sorted(labels(), key=_script)
    here = [one for one in found if MIRRORS and _mirror(one).is_dir()]
    if not here:
        unavailable("no repositories with scripts in use: LDCHECK_MIRRORS has to name the folder with them")
    gone = []
    for (repository, _, path), group in groupby(here, key=_script):
        wanted = list(group)
        folder = tmp_path / repository.replace("/", "+")
        if not _unpacked(wanted[0], folder):
            continue
        script = folder / path
        # What a user gets for it.
        firmware = re.search(r"^\s*MEMORY\b", script.read_text(errors="replace"), re.MULTILINE)
        report = check([str(script)], policies=["generic", *(["firmware"] if firmware else [])])
        said = {(one.rule, one.location.line, one.severity.value) for one in report.findings if one.location}
        gone += [one for one in wanted if (one.rule, one.line, one.severity) not in said]
    assert gone == []


def _script(one: Label) -> tuple[str, str, str]:
    return one.repository, one.commit, one.path


def _mirror(one: Label) -> Path:
    return Path(MIRRORS) / one.repository.replace("/", "+") / "repo"


def _unpacked(one: Label, folder: Path) -> bool:
    """Whether the script is there, with the scripts beside it that it may include."""
    git = ["git", "-C", str(_mirror(one))]
    beside = str(Path(one.path).parent)
    listed = subprocess.run([*git, "ls-tree", "--name-only", f"{one.commit}:{beside}"], capture_output=True, timeout=60)
    for name in listed.stdout.decode(errors="replace").splitlines():
        if name != Path(one.path).name and not name.endswith((".ld", ".lds", ".x", ".h")):
            continue
        path = f"{beside}/{name}" if beside != "." else name
        text = subprocess.run([*git, "show", f"{one.commit}:{path}"], capture_output=True, timeout=60)
        if text.returncode == 0:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text.stdout)
    return (folder / one.path).is_file()
