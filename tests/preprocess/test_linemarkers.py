"""The way back through line markers, with what real preprocessors write."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ldcheck.preprocess.linemarkers import LineMarkers, origin_of
from ldcheck.script.parser import parse
from ldcheck.script.syntax import OutputSection, SectionPattern, walk
from ldcheck.source import Source
from tests.support.tools import tool

HEADER = """#define PAGE 4096

#define DISCARDS /DISCARD/ : { *(.discard) }
  /* a comment */ head = .; . = ALIGN(PAGE);
"""
SCRIPT = """/* two
   lines */
#ifdef NOTHING
#endif
SECTIONS
{
#include "head.h"
  .text : { *(.text) *(.text.*) }
  DISCARDS
  .long : {
    *(.a)

    *(.b) }
}
"""


def preprocessed(folder: Path) -> tuple[Source, LineMarkers]:
    (folder / "inc").mkdir()
    (folder / "inc" / "head.h").write_text(HEADER)
    (folder / "a.lds.S").write_text(SCRIPT)
    command = [tool("gcc"), "-E", "-Iinc", "-x", "assembler-with-cpp", "./a.lds.S"]
    text = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    source = Source("a.lds", text)
    origin = origin_of(source, [str(folder)])
    assert origin is not None
    return source, origin


def test_places_of_nodes_are_those_in_the_files_that_people_edit(tmp_path: Path) -> None:
    source, origin = preprocessed(tmp_path)
    parsed = parse(source, origin=origin)
    assert parsed.ok
    places = {}
    for node in walk(parsed.tree):
        if isinstance(node, OutputSection | SectionPattern):
            word = node.name if isinstance(node, OutputSection) else node.pattern
            place = parsed.sources.locate(word.start, word.end)
            places[word.text] = (place.file.replace(f"{tmp_path}/", ""), place.line, place.column, place.excerpt)
    lines = ["", *SCRIPT.split("\n")]
    assert places[".text"] == ("a.lds.S", 8, 15, lines[8])
    assert places[".text.*"] == ("a.lds.S", 8, 24, lines[8])
    assert places[".b"] == ("a.lds.S", 13, 7, lines[13])
    # What a macro gave stands for the whole line of its use.
    assert places["/DISCARD/"] == ("a.lds.S", 9, 1, lines[9])
    assert places[".discard"] == ("a.lds.S", 9, 1, lines[9])


def test_a_span_of_several_lines_ends_where_it_ends_in_the_file(tmp_path: Path) -> None:
    source, origin = preprocessed(tmp_path)
    parsed = parse(source, origin=origin)
    section = next(node for node in walk(parsed.tree) if isinstance(node, OutputSection) and node.name.text == ".long")
    place = parsed.sources.locate(section.start, section.end)
    assert (place.line, place.column, place.end_line, place.end_column) == (10, 3, 13, 12)


def test_includes_are_related_places(tmp_path: Path) -> None:
    source, origin = preprocessed(tmp_path)
    at = source.text.index("head = .")
    place = origin.locate(source, at, at + 4)
    assert (place.file, place.line, place.column) == (str(tmp_path / "inc" / "head.h"), 4, 19)
    (included,) = origin.related(source, at, at + 4)
    assert (included.location.file, included.location.line) == (str(tmp_path / "a.lds.S"), 7)
    assert included.label == "included here"
    assert origin.related(source, len(source.text) - 2, len(source.text) - 1) == ()


def test_a_file_that_is_not_there_is_named_with_the_text_as_it_is() -> None:
    source = Source("x", '# 0 "gone.S"\n# 0 "<built-in>"\nbuiltin = 1;\n# 41 "././some/gone.S" 2\nx = 1;\ny = 2;\n')
    origin = origin_of(source)
    assert origin is not None
    at = source.text.index("y = 2")
    place = origin.locate(source, at, at + 1)
    assert (place.file, place.line, place.column, place.excerpt) == ("some/gone.S", 42, 1, "y = 2;")
    at = source.text.index("builtin")
    place = origin.locate(source, at, at + 7)
    assert (place.file, place.line) == ("x", 3)


def test_text_without_markers_has_no_origin() -> None:
    assert origin_of(Source("x", "# a comment\n#include <x>\n# 12 \nx = 1;\n")) is None


def test_markers_that_name_devices_or_folders_are_harmless(tmp_path: Path) -> None:
    for name in ("/dev/zero", "/dev/stdin", str(tmp_path), "a\\000b", "../" * 50, ""):
        source = Source("x", f'# 1 "{name}"\nx = 1;\n# 999999999 "{name}" 1\ny = 1;\n# 3 "{name}" 2 3 4\n')
        origin = origin_of(source)
        assert origin is not None
        for at in range(len(source.text)):
            origin.locate(source, at, at + 3)
            origin.related(source, at, at + 3)
