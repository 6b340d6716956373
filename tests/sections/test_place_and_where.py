"""The commands `place` and `where`, as a person or a program calls them."""

from __future__ import annotations

import json

import pytest

from ldcheck.cli.main import main
from tests.support.build import assemble

SCRIPT = """\
SECTIONS {
  .text : { *(.text .text.*) }
  .data : { *(.data .data.*) }
  .data.read_mostly : { *(.data.read_mostly) }
  /DISCARD/ : { *(.comment) }
}
"""
SOURCE = """
.text; nop
.section .text.b,"ax"; nop
.section .data.read_mostly,"aw"; .balign 8; .quad 1
.section .comment,""; .byte 1
.section .orphan,"a"; .byte 1
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.lds").write_text(SCRIPT)
    return "t.lds"


def test_place_as_json(script, tmp_path, capsys):
    assemble(tmp_path, SOURCE)
    assert main(["place", "--script", script, "a.o", "--json"]) == 0
    placed = {entry["section"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert placed[".text.b"] == {
        "file": "a.o",
        "member": "",
        "section": ".text.b",
        "index": placed[".text.b"]["index"],
        "size": 1,
        "align": 1,
        "output": ".text",
        "rule": {"file": "t.lds", "line": 2, "column": 21, "pattern": "*(.text.*)"},
        "order": 1,
    }
    assert placed[".data.read_mostly"]["output"] == ".data"
    assert placed[".comment"]["output"] == "/DISCARD/"
    assert (placed[".orphan"]["output"], placed[".orphan"]["rule"]) == (".orphan", None)


def test_place_as_text(script, tmp_path, capsys):
    assemble(tmp_path, SOURCE)
    assert main(["place", "--script", script, "a.o", "--sort-section=alignment"]) == 0
    shown = capsys.readouterr().out
    assert ".text\n  *(.text) at t.lds:2:15\n" in shown
    assert "  orphan\n           0x1      1  .orphan  a.o\n" in shown


def test_place_says_what_it_does_not_know(script, tmp_path, capsys):
    assemble(tmp_path, SOURCE)
    (tmp_path / "insert.lds").write_text("SECTIONS { .a : { *(.orphan) } } INSERT AFTER .text;")
    assert main(["place", "--script", "insert.lds", "a.o"]) == 0
    assert "insert.lds has an INSERT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["place", "--script", "t.lds", "missing.o"], "missing.o"),
        (["place", "--script", "missing.lds", "t.lds"], "missing.lds"),
        (["place", "--script", "t.lds", "t.lds"], "expected an object file or archive"),
        (["place", "--script", "t.lds.S", "a.o"], "preprocessor"),
        (["where", ".x", "--script", "missing.lds"], "missing.lds"),
        (["where", ".x", "--script", "bad.lds"], "bad.lds:1"),
    ],
)
def test_what_cannot_be_used_is_said(script, tmp_path, capsys, arguments, message):
    (tmp_path / "bad.lds").write_text("SECTIONS { .text: { } }")
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_where(script, capsys):
    assert main(["where", ".data.read_mostly", "--script", script]) == 0
    assert capsys.readouterr().out == (
        ".data.read_mostly goes to .data: *(.data.*) at t.lds:3:21\n"
        "    next would be .data.read_mostly: *(.data.read_mostly) at t.lds:4:27\n"
    )
    assert main(["where", ".orphan", "--script", script]) == 0
    assert "no pattern takes .orphan" in capsys.readouterr().out


def test_where_as_json_for_a_pattern_of_files(tmp_path, capsys):
    path = tmp_path / "t.lds"
    path.write_text("SECTIONS { .a : { lib.a:*(.x*) } .b : { *(.x) } }")
    assert main(["where", ".x", "--script", str(path), "--file", "lib.a:m.o", "--json"]) == 0
    [answer] = json.loads(capsys.readouterr().out)
    assert [(rule["output"], rule["takes"]) for rule in answer["rules"]] == [(".a", True), (".b", False)]
    assert answer["rules"][0]["example"] == {"file": "lib.a:m.o", "section": ".x"}


def test_where_in_every_configuration(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.lds.S").write_text(
        "SECTIONS {\n .data : { *(.data)\n#ifdef CONFIG_SPLIT\n *(.data.*)\n#endif\n }\n .rm : { *(.data.rm) }\n}\n"
    )
    assert main(["where", ".data.rm", "--script", "t.lds.S"]) == 0
    shown = capsys.readouterr().out
    assert "only with CONFIG_SPLIT:\n.data.rm goes to .data: *(.data.*) at t.lds.S:4" in shown
    assert ".data.rm goes to .rm: *(.data.rm) at t.lds.S:7" in shown


def test_place_by_the_rules_of_lld(script, tmp_path, capsys):
    """An orphan of read-only data lies ahead of code there, and behind it in GNU ld; see the links of both."""
    assemble(tmp_path, SOURCE)

    def outputs(*options):
        assert main(["place", "--script", script, *options, "a.o", "--json"]) == 0
        return [entry["output"] for entry in json.loads(capsys.readouterr().out) if entry["size"]]

    assert outputs() == [".text", ".text", ".orphan", ".data", "/DISCARD/"]
    assert outputs("--linker", "lld=19") == [".orphan", ".text", ".text", ".data", "/DISCARD/"]


@pytest.mark.parametrize(
    ("linker", "said"), [("both", "sections are placed by one linker"), ("gold", "`gold` is no linker")]
)
def test_place_by_one_linker(linker, said, script, tmp_path, capsys):
    assemble(tmp_path, SOURCE)
    assert main(["place", "--script", script, "--linker", linker, "a.o"]) == 2
    assert said in capsys.readouterr().err


CLASS = "SECTIONS {{ CLASS(hot) {{ *(.text.a*) }} .text : {{ *(.text .text.*) }} {fast} }}\n"


def test_where_a_section_class_puts_a_section(tmp_path, capsys):
    path = tmp_path / "t.lds"
    path.write_text(CLASS.format(fast=".fast : { CLASS(hot) }"))
    assert main(["where", ".text.abc", "--script", str(path), "--linker", "lld=21"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith(".text.abc goes to .fast by CLASS(hot): *(.text.a*) at ")
    assert shown[1].startswith("    next would be .text: *(.text.*) at ")
    assert main(["where", ".text.abc", "--script", str(path)]) == 2
    path.write_text(CLASS.format(fast=""))
    assert main(["where", ".text.abc", "--script", str(path), "--linker", "lld"]) == 0
    assert "goes to CLASS(hot), for which no output section asks" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("linker", "taker"), [("lld=19", ".c"), ("gnu=2.44", ".a"), ("gnu=2.40", ".c"), ("gnu", ".c"), ("gnu=2.35", ".c")]
)
def test_where_follows_the_linker_that_is_meant(linker, taker, tmp_path, capsys):
    """A plain name of a file means a member as well since GNU ld 2.44."""
    path = tmp_path / "t.lds"
    path.write_text("SECTIONS { .a : { b.o(.x) } .c : { *(.x) } }\n")
    assert main(["where", ".x", "--script", str(path), "--linker", linker, "--file", "lib.a:b.o"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(f".x goes to {taker}: ")
    assert shown.err == ""


def test_where_says_what_cannot_be_told(tmp_path, capsys):
    path = tmp_path / "t.lds"
    path.write_text("SECTIONS { .a : { *b*(.x) } .c : { *b.o(.x) } }\n")
    for linker, note in (("lld=19", "lld 19 compares `*b*` with `archive:member`"), ("gnu=2.44", "")):
        assert main(["where", ".x", "--script", str(path), "--linker", linker]) == 0
        said = capsys.readouterr().err
        assert note in said
        assert said.count("note:") == bool(note)


def test_where_by_one_linker(script, capsys):
    assert main(["where", ".x", "--script", script, "--linker", "both"]) == 2
    assert "by one linker" in capsys.readouterr().err


def test_place_says_where_an_old_version_is_not_followed(script, tmp_path, capsys):
    assemble(tmp_path, SOURCE)
    text = "SECTIONS { .o : { *(.data) }\n .o : ONLY_IF_RW { *(.text) } }"
    (tmp_path / "s.lds").write_text(text)
    said = {}
    for linker in ("gnu=2.35", "gnu=2.40"):
        assert main(["place", "--script", "s.lds", "--linker", linker, "a.o"]) == 0
        said[linker] = capsys.readouterr().err
    assert (
        "GNU ld 2.35 makes one section of those of a name: where orphans go is not followed (line 2)"
        in (said["gnu=2.35"])
    )
    assert said["gnu=2.40"] == ""
