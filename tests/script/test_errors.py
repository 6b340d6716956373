"""What people are told about mistakes: each `errors/*.ld` with the wanted text beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ldcheck.cli.main import main
from tests.support.cases import Wanted

ERRORS = sorted((Path(__file__).parent / "errors").glob("*.ld"))


@pytest.mark.parametrize("path", ERRORS, ids=lambda path: path.stem)
def test_all_mistakes_of_a_script_are_told_at_once(
    path: Path, wanted: Wanted, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    assert main(["parse", path.name]) == 2
    wanted(path.with_suffix(".txt"), capsys.readouterr().out)


def test_json_has_the_first_error_of_each_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    good, bad = tmp_path / "good.ld", tmp_path / "bad.ld"
    good.write_text("x = 1;\n")
    bad.write_text("x = 1;\n  y=2;\n z=3;\n")
    assert main(["parse", "--json", str(good), str(bad), str(tmp_path / "none.ld")]) == 2
    first, second, third = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first == {"file": str(good), "ok": True, "line": None, "column": None, "message": None}
    assert (second["ok"], second["line"], second["column"]) == (False, 2, 6)
    assert "put blanks around it" in second["message"]
    assert (third["ok"], third["line"]) == (False, 0)
    assert "cannot be read" in third["message"]


def test_tree_is_json_with_places(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "a.ld"
    path.write_text("SECTIONS {\n .text : { *(.text) }\n}\n")
    assert main(["parse", "--tree", str(path)]) == 0
    (sections,) = json.loads(capsys.readouterr().out)["tree"]["statements"]
    (text,) = sections["statements"]
    assert (text["kind"], text["line"], text["column"], text["name"]["text"]) == ("OutputSection", 2, 2, ".text")


@pytest.mark.parametrize("path", ["/dev/zero", "/nowhere/at/all", "."])
def test_what_cannot_be_read_is_told(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parse", path]) == 2
    assert f"{path}: error: cannot be read: " in capsys.readouterr().out


def test_a_good_script_is_silent(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "a.ld"
    path.write_text("x = 1;\n")
    assert main(["parse", str(path)]) == 0
    assert capsys.readouterr().out == ""


def test_errors_in_preprocessed_text_point_to_the_file_to_edit(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "board.h").write_text("\n  size = 2G;\n")
    path = tmp_path / "board.ld"
    path.write_text('# 0 "board.lds.S"\n# 1 "board.lds.S"\na = 1;\n# 1 "board.h" 1\n\n  size = 2G;\n')
    (tmp_path / "board.lds.S").write_text('a = 1;\n#include "board.h"\n')
    assert main(["parse", str(path)]) == 2
    shown = capsys.readouterr().out.replace(f"{tmp_path}/", "")
    assert "board.h:2:11: error: syntax error at `G`: expected `;`" in shown
    assert "included here: board.lds.S:2" in shown


def test_an_include_is_read_along_the_search_path_and_a_missing_one_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "common.ld").write_text("x = 1;\ny=2;\n")
    path = tmp_path / "a.ld"
    path.write_text("INCLUDE common.ld\nINCLUDE nowhere.ld\n")
    assert main(["parse", str(path)]) == 0
    assert main(["parse", "-L", str(library), str(path)]) == 2
    shown = capsys.readouterr().out
    assert f"{path}:2:9: warning: cannot find the file `nowhere.ld`" in shown
    assert f"{library / 'common.ld'}:2:4: error" in shown
