"""Macros that nobody defined: values of which only the name is known."""

from __future__ import annotations

import pytest

from ldcheck.preprocess.run import preprocess
from ldcheck.preprocess.undefined import undefined_macros
from ldcheck.project.target import Target
from ldcheck.script.parser import parse
from ldcheck.source import Source


def names(text: str) -> list[str]:
    return [node.name for node in undefined_macros(parse(Source("a.ld", text)).tree)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("SECTIONS { . = ALIGN(PAGE_SIZE); .a : { *(.a) } }", ["PAGE_SIZE"]),
        ('ASSERT(_end - start <= NR_CPUS * PAGE_SIZE, "NOT_THIS")', ["NR_CPUS", "PAGE_SIZE"]),
        ("STACK = 4K; x = STACK + HEAP + HEAP;", ["HEAP"]),
        ("x = ADDR(.TEXT) + SIZEOF_HEADERS + CONSTANT(MAXPAGESIZE) + ORIGIN(RAM);", []),
        ("MEMORY { RAM (rwx) : ORIGIN = RAM_START, LENGTH = 1M } SECTIONS { .a : { *(COMMON) } > RAM }", ["RAM_START"]),
        ("x = Start + _END_1 + A;", ["_END_1"]),
    ],
)
def test_names_in_capitals_that_nothing_assigns(text: str, wanted: list[str]) -> None:
    assert names(text) == wanted


SCRIPT = """\
OUTPUT_FORMAT("elf64-x86-64")
MEMORY { RAM (rwx) : ORIGIN = 0, LENGTH = 1M  ROM(rx): ORIGIN = 2M, LENGTH = 1M }
SECTIONS {
  STACK (NOLOAD) : { *(.stack) } > RAM
  .text : AT(ADDR(.text)) { KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*))) lib/FOO(.text) main(.text) *FOO(.data) }
  ASSERT(MAX(1, 2) && DEFINED(x), "FOO(1)")
}
REGION_ALIAS(OTHER, RAM);
"""


@pytest.mark.parametrize("way", ["compiler", "pcpp"])
def test_what_looks_like_a_call_and_is_none(tmp_path, monkeypatch, way) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.lds.S").write_text(SCRIPT)
    assert len(preprocess(Target("a", "a.lds.S", arch="x86_64", preprocessor=way))) == 1


def test_a_symbol_that_decides_a_used_macro_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    header = (
        "#ifdef CONFIG_HUGE\n# define SHIFT 21\n#else\n# define SHIFT 12\n#endif\n#define PAGE_SIZE (1 << SHIFT)\n"
        "#ifdef CONFIG_OTHER\n#define OTHER 1\n#endif\n#if CONFIG_KNOWN\n#define SHIFT 3\n#endif\n"
    )
    (tmp_path / "page.h").write_text(header)
    (tmp_path / "a.lds.S").write_text('#include "page.h"\n#ifdef CONFIG_VARIED\n#endif\nx = PAGE_SIZE;\n')
    pin = {"CONFIG_KNOWN": None}
    assert preprocess(Target("a", "a.lds.S", arch="x86_64", pin=pin))[0].notes == (
        (
            "not known and taken as not defined: CONFIG_HUGE (decides SHIFT, page.h:1); "
            "give them under `config`, `pin` or `vary`"
        ),
    )
    assert preprocess(Target("a", "a.lds.S", arch="x86_64", pin={**pin, "CONFIG_HUGE": "1"}))[0].notes == ()
    (tmp_path / ".config").write_text("CONFIG_A=y\n")
    assert preprocess(Target("a", "a.lds.S", arch="x86_64", config=".config"))[0].notes == ()
