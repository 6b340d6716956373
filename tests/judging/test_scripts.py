"""Which scripts go through the preprocessor: by their name, by what a target says, and by what they are written in."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.judging.scripts import Scripts, all_errors, read_scripts
from ldcheck.project.target import Target
from ldcheck.script.syntax import OutputSection, walk

BRANCHES = """\
#include <board.h>
SECTIONS
{
#ifdef IN_RAM
  .text : { *(.text) *(.vectors) } > RAM
#else
  .text : { *(.vectors) *(.text) } > FLASH
#endif
}
"""


def _read(path: Path, text: str) -> Scripts:
    path.write_text(text)
    return read_scripts(Target("script", str(path)))


def _regions(scripts: Scripts) -> list[str]:
    """The region of each output section, of all configurations."""
    found = (node for parse in scripts.parses for node in walk(parse.tree) if isinstance(node, OutputSection))
    return [node.region.text for node in found if node.region is not None]


@pytest.mark.parametrize("name", ["board.ld", "board.lds", "link.x"])
def test_conditions_make_a_script_one_of_each_configuration(tmp_path: Path, name: str) -> None:
    scripts = _read(tmp_path / name, BRANCHES)
    assert [parse.problems for parse in scripts.parses] == [(), ()]
    assert _regions(scripts) == ["FLASH", "RAM"]
    assert {note for one in scripts.preprocessed for note in one.notes} >= {
        "the header board.h is missing and taken as empty"
    }


def test_a_header_that_is_there_is_read(tmp_path: Path) -> None:
    (tmp_path / "board.h").write_text("#define IN_RAM\n")
    scripts = _read(tmp_path / "board.ld", BRANCHES.replace("<board.h>", '"board.h"'))
    assert _regions(scripts) == ["RAM"]


def test_a_script_that_includes_a_header_has_its_macros(tmp_path: Path) -> None:
    (tmp_path / "board.h").write_text("#define BASE 0x4000\n")
    scripts = _read(tmp_path / "board.x.in", '#include "board.h"\nSECTIONS { . = BASE; s = .; } // as of C\n')
    assert [parse.problems for parse in scripts.parses] == [()]
    assert scripts.preprocessed[0].source.text.split() == ["SECTIONS", "{", ".", "=", "0x4000;", "s", "=", ".;", "}"]


def test_lines_that_end_in_a_backslash_are_joined(tmp_path: Path) -> None:
    scripts = _read(tmp_path / "board.lds", "MEMORY { RAM : ORIGIN = 0, \\\n LENGTH = 64K }\n")
    assert [parse.problems for parse in scripts.parses] == [()]


@pytest.mark.parametrize(
    "text",
    [
        "# if you move this, move the other\nSECTIONS { .text : { *(.text) } }\n",
        "/*\n#if 0\n#endif\n*/\nSECTIONS { .text : { *(.text) } }\n",
        "# include what the board has\nSECTIONS { .text : { *(.text) } }\n",
        "#if 0\nSECTIONS { .text : { *(.text) } }\n",
    ],
)
def test_other_scripts_are_read_as_ld_reads_them(tmp_path: Path, text: str) -> None:
    scripts = _read(tmp_path / "board.ld", text)
    assert scripts.preprocessed == ()
    assert len(scripts.parses) == 1


def test_an_error_names_the_configurations_that_have_it(tmp_path: Path) -> None:
    other = "#ifdef _B\n  b : ORIGIN = 0, LENGTH = 4K\n#endif\n"
    text = f"MEMORY {{\n#ifdef _A\n  a : ORIGIN _A_AT, LENGTH = 4K\n#endif\n{other}}}\n"
    scripts = _read(tmp_path / "board.ld", text + "SECTIONS { .text : { *(.text) } }\n")
    assert len(scripts.parses) == 4
    (error,) = all_errors(scripts)
    assert (error.location.line, error.label) == (3, "expected `=`")
    assert error.help.startswith("only with _A: settle such a symbol with `-U` or `-D`")
    everywhere = _read(tmp_path / "plain.ld", text.replace("#ifdef _A\n", "#ifndef NEVER\n").replace("_B", "NEVER"))
    found = all_errors(everywhere)
    assert [error.location.line for error in found] == [3]
    assert found[0].help.startswith("only without NEVER")
    (error,) = all_errors(_read(tmp_path / "all.ld", text.replace("#ifdef _A\n", "\n\n#if 1\n").replace("_B", "_C")))
    assert error.help == ""
