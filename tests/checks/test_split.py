"""`split` on objects that a real compiler made, with and without sections of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ldcheck import check
from ldcheck.findings import Verdict
from ldcheck.report.model import Report
from tests.support.tools import tool

SOURCE = "int first = 1, second = 2; int one(void) { return first; } int two(void) { return second; }\n"
ASSEMBLY = ".type a, %function\na: .byte 0\n.size a, 1\n.type b, %function\nb: .byte 0\n.size b, 1\n"


def judged(folder: Path, options: tuple[str, ...], rule: str = "split: [.text, .data]") -> Report:
    """The report on a compiled object and on one in assembly."""
    paths = []
    for name, text in {"compiled.c": SOURCE, "assembled.s": ASSEMBLY}.items():
        (folder / name).write_text(text)
        paths.append(str((folder / name).with_suffix(".o")))
        command = [tool("gcc"), "-O1", "-fno-pic", "-c", *options, "-o", paths[-1], str(folder / name)]
        subprocess.run(command, check=True, timeout=60)
    policy = folder / "policy.yaml"
    policy.write_text(f"ldcheck: 1\nrules:\n  - id: it\n    {rule}\n")
    return check(objects=paths, policies=[str(policy)])


def test_what_shares_a_section_is_told(tmp_path: Path) -> None:
    report = judged(tmp_path, ())
    assert [finding.message for finding in report.findings] == [
        ".text holds several functions or data in 1 object",
        ".data holds several functions or data in 1 object",
    ]
    assert report.findings[0].facts == (
        "compiled.o: 2, one and two",
        "2 objects in all, 1 of them in assembly and left out",
    )


def test_what_is_split_holds(tmp_path: Path) -> None:
    report = judged(tmp_path, ("-ffunction-sections", "-fdata-sections"))
    assert [result.verdict for result in report.rules] == [Verdict.HELD]


def test_half_of_it_is_not_enough(tmp_path: Path) -> None:
    report = judged(tmp_path, ("-ffunction-sections",))
    assert [finding.message for finding in report.findings] == [".data holds several functions or data in 1 object"]


def test_an_object_that_need_not_be_split(tmp_path: Path) -> None:
    report = judged(tmp_path, (), "split: [.text, .data]\n    except: [comp*.o]")
    assert [result.verdict for result in report.rules] == [Verdict.HELD]


@pytest.mark.parametrize("rule", ["split: .txet", "split: [.text, .daat]"])
def test_a_section_that_no_object_has_is_not_held(tmp_path: Path, rule: str) -> None:
    report = judged(tmp_path, ("-ffunction-sections", "-fdata-sections"), rule)
    assert [result.verdict for result in report.rules] == [Verdict.NOT_CHECKED]
