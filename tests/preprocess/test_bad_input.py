"""What strangers' trees may hold: each ends in an error at its place, and none in a hang, a crash or a program run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ldcheck.findings import CheckError, InputError
from ldcheck.preprocess.run import Preprocessed, preprocess
from ldcheck.project.target import Target
from tests.preprocess.support import tree, words

WAYS = ("compiler", "pcpp")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(text: str, way: str, **more: object) -> tuple[Preprocessed, ...]:
    Path("a.lds.S").write_text(text)
    return preprocess(Target("a", "a.lds.S", arch="x86_64", preprocessor=way, **more))  # type: ignore[arg-type]


def error(text: str, way: str, **more: object) -> InputError:
    with pytest.raises(CheckError) as raised:
        run(text, way, **more)
    return raised.value.errors[0]


def place(error: InputError) -> str:
    return f"{error.location.file}:{error.location.line}"


BAD = {
    "unterminated if": ("x = 1;\n#ifdef A\ny = 1;\n", "a.lds.S:2", "this #ifdef is not closed"),
    "unterminated if in a header": ('#include "open.h"\n', "open.h:3", "this #if is not closed"),
    "endif without if": ("\n#endif\n", "a.lds.S:2", "#endif without #if"),
    "else without if": ("\n#else\n#endif", "a.lds.S:2", "#else without #if"),
    "includes itself": ('\n#include "a.lds.S"\n', "a.lds.S:2", "a.lds.S includes itself without end"),
    "loop of two": ('#include "one.h"\n', "two.h:1", "one.h includes itself without end"),
    "missing header": ("\n#include <asm/gone.h>\n", "a.lds.S:2", "the header asm/gone.h is not found"),
    "include of a folder": ('#include "folder.h"\n', "a.lds.S:1", "the header folder.h is not found"),
    "include of a device": ('#include "/dev/zero"\n', "a.lds.S:1", "the header /dev/zero is not found"),
    "include of a pipe": ('#include "pipe.h"\n', "a.lds.S:1", "the header pipe.h is not found"),
    "include of nothing": ("#include\n", "a.lds.S:1", '#include wants "name" or <name>'),
    "include of a macro": ("#define H nothing\n#include H\n", "a.lds.S:2", '#include wants "name" or <name>'),
    "empty condition": ("\n#if\n#endif\n", "a.lds.S:2", "the condition is empty"),
    "unfinished condition": ("#if (1 +\n#endif\n", "a.lds.S:1", "the condition ends too early"),
    "division by zero": ("#if 1 / 0\n#endif\n", "a.lds.S:1", "division by zero"),
    "defined what": ("#if defined(\n#endif\n", "a.lds.S:1", "the condition ends too early"),
    "words in a condition": ("#if 1 2\n#endif\n", "a.lds.S:1", "`2` is not expected here"),
    "call in a condition": (
        "#if F(1)\n#endif\n",
        "a.lds.S:1",
        "F is called like a macro, and none of that name is defined",
    ),
    "ifdef what": ("#ifdef\n#endif\n", "a.lds.S:1", "#ifdef wants a name"),
    "deep condition": (f"#if {'(' * 3000}1{')' * 3000}\n#endif\n", "a.lds.S:1", "the condition is nested too deeply"),
    "error": ("\n#error no such machine\n", "a.lds.S:2", "#error no such machine"),
    "call of what nobody defines": (
        "SECTIONS {\n  PERCPU(64)\n}\n",
        "a.lds.S:2",
        "PERCPU is called like a macro, and none of that name is defined",
    ),
    "call in a macro": (
        "#define ALL \\\n  BUGS(1)\nSECTIONS {\n ALL }\n",
        "a.lds.S:2",
        "BUGS is called like a macro, and none of that name is defined",
    ),
    "call of what another branch defines": (
        "#if 0\n#define table(x) x\n#endif\nSECTIONS { .a : { table(.b) } }\n",
        "a.lds.S:4",
        "table is called like a macro, and none of that name is defined",
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("text", "where", "message"), BAD.values(), ids=BAD)
def test_is_an_error_at_its_place(here: Path, way: str, text: str, where: str, message: str) -> None:
    tree(here, {"one.h": '#include "two.h"\n', "two.h": '#include "one.h"\n', "open.h": "\n\n#if 1\n"})
    (here / "folder.h").mkdir()
    os.mkfifo(here / "pipe.h")
    found = error(text, way)
    assert (place(found), found.message) == (where, message)


@pytest.mark.parametrize("way", WAYS)
def test_a_macro_that_expands_into_itself_is_none_of_these(way: str) -> None:
    (script,) = run("#define a b a\n#define b a c\na = 1;\n", way)
    assert words(script.source.text) == ["a", "c", "a", "=", "1", ";"]


@pytest.mark.parametrize("way", WAYS)
def test_a_bomb_of_macros_is_refused(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ldcheck.preprocess.compiler.MAX_OUTPUT", 1 << 20)
    monkeypatch.setattr("ldcheck.preprocess.portable.MAX_TOKENS", 100_000)
    lines = ["#define A0 x = 1; x = 1;", *(f"#define A{n} A{n - 1} A{n - 1}" for n in range(1, 40)), "A39"]
    assert "expand" in error("\n".join(lines), way).message


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_includes_itself_twice_is_refused_in_time(way: str) -> None:
    found = error('#include "a.lds.S"\n#include "a.lds.S"\n', way)
    assert "includes itself without end" in found.message


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\0\0\0",
        "SECTIONS { .text : { *(.text) } }\r\n#ifdef A\r\nx = 1;\r\n#endif\r\n",
        "\N{LATIN SMALL LETTER E WITH ACUTE} = 1; /* \N{SNOWMAN} */\n",
        "x = 1; /* not closed\n#if 1\n",
        "'not closed either\n",
        '# 12\n# word\n#!\n#\n#pragma once\n#ident "x"\n',
        '#line 7 "other"\nx = 1;\n',
        "#if 0\n# nonsense '\n#else\nx = 1;\n#endif\n",
    ],
    ids=range(10),
)
def test_odd_texts_are_read_or_refused(way: str, text: str) -> None:
    read = []
    try:
        read = [script.source.text for script in run(text, way)]
    except CheckError as refused:
        read = [error.message for error in refused.errors]
    assert read


def test_bytes_that_are_no_text_are_read() -> None:
    Path("a.lds.S").write_bytes(b"x\xff = 1; \xfe\n")
    for way in WAYS:
        (script,) = preprocess(Target("a", "a.lds.S", arch="x86_64", preprocessor=way))
        assert "= 1;" in script.source.text


def test_a_script_that_is_not_there() -> None:
    with pytest.raises(CheckError, match=r"there is no script gone\.lds\.S"):
        preprocess(Target("a", "gone.lds.S"))


def test_a_generated_header_may_be_missing_and_is_named(here: Path) -> None:
    text = "#include <generated/asm-offsets.h>\n#include <asm/later.h>\nx = SIZE;\n"
    tree(here, {"include/asm-generic/later.h": "#define SIZE 4\n"})
    for way in WAYS:
        (script,) = run(text, way, includes=("include",))
        assert words(script.source.text) == ["x", "=", "4", ";"]
        assert script.notes == (
            "the generated header generated/asm-offsets.h is missing and taken as empty",
            "asm/later.h is missing; asm-generic/later.h stands in, as in a build",
        )
        assert script.headers[0] == "a.lds.S"
        assert all(not name.startswith("/tmp/ldcheck") for name in script.headers)


def test_a_header_that_is_named_as_generated_may_be_missing() -> None:
    found = error("#include <board/pins.h>\n", "compiler")
    assert found.help == (
        "give its folder with -I, or under `includes` in .ldcheck.yaml; a header that only a build makes, "
        "under `generated` there"
    )
    assert run("#include <board/pins.h>\nx = 1;\n", "compiler", generated=("board/*.h",))


@pytest.mark.parametrize("way", WAYS)
def test_a_stub_stays_in_its_folder(here: Path, way: str) -> None:
    name = "../../../../../../../../../../tmp/ldcheck-escape/generated/autoconf.h"
    assert "is not found" in error(f'#include "{name}"\n', way).message
    assert not Path("/tmp/ldcheck-escape").exists()


def test_nothing_is_left_behind(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(here / "tmp"))
    run("#include <generated/autoconf.h>\nx = 1;\n", "compiler")
    error("#include <generated/autoconf.h>\n#error stop\n", "compiler")
    assert list((here / "tmp").iterdir()) == []


@pytest.mark.parametrize("name", ["./gcc", "tools/gcc", "rm", "gcc;id", "sh", "../gcc", "gcc -wrapper x", ""])
def test_only_compilers_from_outside_the_tree_are_run(here: Path, name: str) -> None:
    tree(here, {"gcc": "#!/bin/sh\ntouch ran\n", "tools/gcc": "#!/bin/sh\ntouch ran\n"})
    for path in ("gcc", "tools/gcc"):
        (here / path).chmod(0o755)
    if name:
        error("x = 1;\n", "auto", compiler=(name,))
    for found in (str(here / "gcc"), "gcc"):
        if found != "gcc":
            assert "lies in the tree" in error("x = 1;\n", "auto", compiler=(found,)).message
    assert not (here / "ran").exists()


def test_a_compiler_of_the_tree_on_path_is_not_run(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(here, {"bin/gcc": "#!/bin/sh\ntouch ran\n"})
    (here / "bin/gcc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{here}/bin:bin:.:{os.environ['PATH']}")
    assert "lies in the tree" in error("x = 1;\n", "auto").message
    assert not (here / "ran").exists()


def test_without_the_compiler_another_does_it_or_pcpp_and_says_so(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (script,) = run("#ifdef __aarch64__\nx = 1;\n#endif\n", "auto", compiler=("nosuch-gcc",))
    assert script.notes == ("nosuch-gcc is not here: gcc preprocesses in its place",)
    assert words(script.source.text) == []
    monkeypatch.setenv("PATH", str(here))
    (script,) = run("x = 1;\n", "auto", compiler=("nosuch-gcc",))
    assert script.notes == ("nosuch-gcc is not here: pcpp preprocesses",)
    assert (
        error("x = 1;\n", "compiler", compiler=("nosuch-gcc",)).message == "no compiler is here (looked for nosuch-gcc)"
    )


HOSTILE = {
    "deep conditions": "".join(f"#ifdef A{n % 7}\n#define B {n}\n" for n in range(3_000)) + "#endif\n" * 3_000,
    "many branches": "#ifdef A\n" + "#elif defined(B)\n#define C\n" * 5_000 + "#endif\n#ifdef C\n#endif\n",
    "many symbols": "".join(f"#ifdef A{n}\n#endif\n" for n in range(300)),
    "many errors": "".join(f"#ifdef A{n}\n#error {n}\n#endif\n" for n in range(1_000)),
    "many definitions": "".join(f"#define A{n} A{n + 1}\n" for n in range(5_000)) + "#if A1\n#endif\nA1\n",
    "long line": "x = 1" + " + 1" * 50_000 + ";\n",
    "many comments": "/* x */ " * 100_000,
    "open comments": "/* " * 200_000,
    "quotes": "'\"" * 100_000 + "\n" + "\" ' " * 50_000,
    "hashes": "# " * 200_000 + "\n#" * 50_000,
    "joined lines": "#define A \\\n" * 50_000 + "1\n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_large_is_read_or_refused_in_time(text: str) -> None:
    read: tuple[Preprocessed, ...] = ()
    try:
        read = run(text, "compiler", limit=4)
    except CheckError as refused:
        assert refused.errors  # noqa: PT017  # either is right; what counts is that it ends
    for script in read:
        script.origin.locate(script.source, 0, 10)
