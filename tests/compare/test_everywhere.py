"""Scripts with more configurations than can be looked at: what is proved of all by what differs in the sources.

Twelve symbols that decide on their own make 4,096 scripts; a comparison looks at 256, or at those that cover pairs.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.api import diff

_MANY = "".join(f"#ifdef CONFIG_S{at}\n    *(.s{at})\n#endif\n" for at in range(12))
HEADER = "#define TABLE(name) start_##name = .; *(.table.name) end_##name = .;\n#define ALL *(.text .text.*)\n"
SCRIPT = f"""\
#include "parts.h"
SECTIONS
{{
  .text : {{
{_MANY}    *(.a .b)
    . = ALIGN(8);
#ifdef CONFIG_TABLE
    TABLE(one)
#else
    none = .;
#endif
    ALL
  }}
  .data : {{ *(.data) }}
  after = .;
}}
"""


def proved(folder: Path, *edits: tuple[str, str], header: tuple[str, str] = ("", "")) -> bool:
    """Whether the script is proved the same after edits of it and of its header; nothing that was seen may differ."""
    for name in ("old", "new"):
        (folder / name).mkdir()
        text, parts = SCRIPT, HEADER
        if name == "new":
            for old, new in edits:
                assert old in text
                text = text.replace(old, new)
            parts = HEADER.replace(*header)
        (folder / name / "a.lds.S").write_text(text)
        (folder / name / "parts.h").write_text(parts)
        (folder / name / "more.h").write_text("#define MORE 1\n")
    found = diff(str(folder / "old" / "a.lds.S"), str(folder / "new" / "a.lds.S"))
    assert found.compared > 8
    assert found.proved or found.entries or "more configurations" in found.reason
    return found.proved


_TABLE = ("TABLE(one)", "none = .;")
SAME = {
    "patterns in another order": [("*(.a .b)", "*(.b .a)")],
    "a number written otherwise": [("ALIGN(8)", "ALIGN(0x4 + 4)")],
    "a comment": [("ALIGN(8);", "ALIGN(8); /* of what follows */")],
    "a comment over lines": [("  .data :", "  /* the\n   * data */\n  .data :")],
    "a macro spelt out": [("TABLE(one)", "start_one = .; *(.table.one) end_one = .;")],
    "a condition the other way round": [
        ("#ifdef CONFIG_TABLE", "#ifndef CONFIG_TABLE"),
        ("    {}\n#else\n    {}\n".format(*_TABLE), "    {}\n#else\n    {}\n".format(*reversed(_TABLE))),
    ],
    "statements on other lines": [("    *(.a .b)\n    . =", "    *(.a\n      .b) . =")],
    "several at once": [("*(.a .b)", "*(.b .a)"), ("after = .;", "after = (.);"), ("ALIGN(8)", "ALIGN(010)")],
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_what_differs_in_words_only_is_proved(tmp_path: Path, name: str) -> None:
    assert proved(tmp_path, *SAME[name])


def test_a_macro_of_a_header_may_be_written_otherwise(tmp_path: Path) -> None:
    assert proved(tmp_path, header=("*(.text .text.*)", "*(.text.* .text)"))


def test_a_macro_may_be_added_and_used(tmp_path: Path) -> None:
    edits = [("*(.a .b)\n    . = ALIGN(8);", "AB\n    . = ALIGN(8);")]
    assert proved(tmp_path, *edits, header=("#define ALL", "#define AB *(.a .b)\n#define ALL"))


_RARE = "#if defined(CONFIG_S1) && defined(CONFIG_S2) && defined(CONFIG_S3)\n    odd = .;\n#endif\n"
DIFFERENT = {
    "in a rare configuration": [("    *(.s7)\n", f"    *(.s7)\n{_RARE}")],
    "a pattern that some configurations take ahead": [("*(.a .b)", "*(.a .b .s11)")],
    "a statement across a condition": [
        ("    *(.s5)\n", "    *(.s5)\n    mark = 1;\n"),
        ("    *(.a .b)\n", "    mark = 1;\n    *(.a .b)\n"),
    ],
    "another alignment": [("ALIGN(8)", "ALIGN(16)")],
    "another condition": [("#ifdef CONFIG_S3", "#if defined(CONFIG_S3) && !defined(CONFIG_S4)")],
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_somewhere_is_not_proved(tmp_path: Path, name: str) -> None:
    assert not proved(tmp_path, *DIFFERENT[name])


def test_macros_that_other_macros_use_are_followed(tmp_path: Path) -> None:
    assert not proved(tmp_path, header=("start_##name = .;", "start_##name = . + 4;"))


def test_an_include_is_not_followed(tmp_path: Path) -> None:
    assert not proved(
        tmp_path, ('#include "parts.h"\n', '#include "parts.h"\n#include "more.h"\n'), ("*(.a .b)", "*(.b .a)")
    )
