"""Macros that have other names now: what is proved where somebody says so, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.api import diff
from ldcheck.cli.main import main
from ldcheck.compare.renamed import renaming
from ldcheck.findings import CheckError

OLD = '#include "limits.h"\n/* was NEW_SPLIT */\nSECTIONS {\n#ifdef SPLIT\n .a : { *(.a) }\n#endif\n . = BASE + 8;\n}\n'
LIMITS = "#define BASE 0x1000\n"
RENAMED = {"SPLIT": "CONFIG_SPLIT", "BASE": "START"}


def sides(folder: Path, new: str, limits: str = "#define START 0x1000\n", old: str = OLD) -> tuple[str, str]:
    for name, script, header in (("old", old, LIMITS), ("new", new, limits)):
        (folder / name).mkdir()
        (folder / name / "a.lds.S").write_text(script)
        (folder / name / "limits.h").write_text(header)
    return str(folder / "old" / "a.lds.S"), str(folder / "new" / "a.lds.S")


def renamed(text: str) -> str:
    return text.replace("SPLIT", "CONFIG_SPLIT").replace("BASE", "START")


def test_a_renamed_macro_is_the_same_where_somebody_says_so(tmp_path: Path) -> None:
    old, new = sides(tmp_path, renamed(OLD))
    assert not diff(old, new).proved
    assert not diff(old, new, renamed={"BASE": "START"}).proved
    found = diff(old, new, renamed=RENAMED)
    assert (found.entries, found.proved, found.compared) == ((), True, 2)


@pytest.mark.parametrize(
    ("new", "limits"),
    [
        (renamed(OLD).replace("#ifdef", "#ifndef"), "#define START 0x1000\n"),
        (renamed(OLD), "#define START 0x2000\n"),
        (renamed(OLD).replace("+ 8", "+ 16"), "#define START 0x1000\n"),
    ],
)
def test_what_differs_besides_is_no_less_different(tmp_path: Path, new: str, limits: str) -> None:
    assert not diff(*sides(tmp_path, new, limits), renamed=RENAMED).proved


@pytest.mark.parametrize(
    ("old", "new", "name", "side"),
    [
        (OLD, renamed(OLD).replace("#ifdef", "#if !defined(SPLIT) && defined"), "SPLIT", "new"),
        (
            OLD.replace("#ifdef SPLIT", "#if defined(SPLIT) || defined(CONFIG_SPLIT)"),
            renamed(OLD),
            "CONFIG_SPLIT",
            "old",
        ),
    ],
)
def test_two_macros_are_not_taken_for_one(tmp_path: Path, old: str, new: str, name: str, side: str) -> None:
    paths = sides(tmp_path, new, old=old)
    with pytest.raises(CheckError) as caught:
        diff(*paths, renamed=RENAMED)
    assert f"{name} is in the {side} sources as well" in caught.value.errors[0].message


def test_two_macros_have_no_common_new_name(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="two macros have one new name"):
        diff(*sides(tmp_path, renamed(OLD)), renamed={"SPLIT": "START", "BASE": "START"})


@pytest.mark.parametrize("text", ["SPLIT", "=A", "A=", "A=A", "A=B=C", "A-B=C", ""])
def test_anything_else_is_no_renaming(text: str) -> None:
    with pytest.raises(CheckError, match="is no renaming"):
        renaming(text)


def test_the_command_says_it_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = sides(tmp_path, renamed(OLD))
    said = [f"--renamed={old}={new}" for old, new in RENAMED.items()]
    assert main(["diff", "--expect", "same", *paths]) == 1
    assert main(["diff", "--expect", "same", *said, *paths]) == 0
    assert main(["diff", "--renamed", "x", *paths]) == 2
    assert "`x` is no renaming" in capsys.readouterr().err
