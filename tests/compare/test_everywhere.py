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


def proved(
    folder: Path, *edits: tuple[str, str], header: tuple[str, str] = ("", ""), more: str = "#define MORE 1\n"
) -> bool:
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
        (folder / name / "more.h").write_text(more)
    found = diff(str(folder / "old" / "a.lds.S"), str(folder / "new" / "a.lds.S"))
    assert found.compared >= 8
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


# A condition that few configurations meet, and another one.
_ALL = " && ".join(f"{'!' * (at % 2)}defined(CONFIG_S{at})" for at in range(6))
_SEVEN = f"{_ALL} && defined(CONFIG_S6)"


@pytest.mark.parametrize("included", [False, True])
def test_a_condition_around_a_definition_counts_where_that_is_used(tmp_path: Path, included: bool) -> None:
    for name, condition in (("old", _ALL), ("new", _SEVEN)):
        (tmp_path / name).mkdir()
        rare = '#include "rare.h"' if included else "#define GAP 2"
        choice = f"#if {condition}\n{rare}\n#endif\n#ifndef GAP\n#define GAP 1\n#endif\n"
        (tmp_path / name / "a.lds.S").write_text(choice + SCRIPT.replace("after = .;", "after = . + GAP;"))
        (tmp_path / name / "parts.h").write_text(HEADER)
        (tmp_path / name / "rare.h").write_text("#define GAP 2\n")
    found = diff(str(tmp_path / "old" / "a.lds.S"), str(tmp_path / "new" / "a.lds.S"))
    assert (found.entries, found.proved) == ((), False)


def test_a_header_that_few_configurations_include_counts(tmp_path: Path) -> None:
    for name, gap, patterns in (("old", 2, "*(.a .b)"), ("new", 3, "*(.b .a)")):
        (tmp_path / name).mkdir()
        rare = f'#define GAP 1\n#if {_ALL}\n#include "rare.h"\n#endif\n'
        text = SCRIPT.replace("after = .;", "after = . + GAP;").replace("*(.a .b)", patterns)
        (tmp_path / name / "a.lds.S").write_text(rare + text)
        (tmp_path / name / "parts.h").write_text(HEADER)
        (tmp_path / name / "rare.h").write_text(f"#undef GAP\n#define GAP {gap}\n")
    found = diff(str(tmp_path / "old" / "a.lds.S"), str(tmp_path / "new" / "a.lds.S"))
    assert (found.entries, found.proved) == ((), False)


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


_MORE = ('#include "parts.h"\n', '#include "parts.h"\n#include "more.h"\n')
INCLUDED = {
    "a header that defines what nothing uses": ("#define MORE 1\n", [], True),
    "a header that is guarded": ("#ifndef MORE_H\n#define MORE_H\n#define MORE 1\n#endif\n", [], True),
    "a macro of it in place of a number": ("#define EIGHT 8\n", [("ALIGN(8)", "ALIGN(EIGHT)")], True),
    "a macro of it in place of another number": ("#define EIGHT 16\n", [("ALIGN(8)", "ALIGN(EIGHT)")], False),
    "a macro of it that is used already": ("#undef ALL\n#define ALL *(.text)\n", [], False),
    "a macro of it by which a condition goes": ("#define CONFIG_S4 1\n", [], False),
    "a header with text": ("more = 1;\n", [], False),
    "a header that includes what is not there": ("#include <generated/more.h>\n", [], False),
    # The same, and that is not known here.
    "a header that is there already": ('#include "parts.h"\n', [], False),
}


@pytest.mark.parametrize("name", INCLUDED)
def test_a_header_may_be_added_that_only_defines_what_nobody_saw(tmp_path: Path, name: str) -> None:
    header, edits, same = INCLUDED[name]
    assert proved(tmp_path, _MORE, ("*(.a .b)", "*(.b .a)"), *edits, more=header) == same


def test_an_include_may_be_dropped(tmp_path: Path) -> None:
    assert proved(tmp_path, ('#include "parts.h"\n', '#include "parts.h"\n\n'), ("*(.a .b)", "*(.b .a)"))
    for name in ("old", "new"):
        script = tmp_path / name / "a.lds.S"
        used = '#include "more.h"\n' if name == "old" else ""
        script.write_text(used + script.read_text())
    assert diff(str(tmp_path / "old" / "a.lds.S"), str(tmp_path / "new" / "a.lds.S")).proved
    (tmp_path / "old" / "more.h").write_text("#define CONFIG_TABLE 1\n")
    assert not diff(str(tmp_path / "old" / "a.lds.S"), str(tmp_path / "new" / "a.lds.S")).proved


UNKNOWN = [
    ("x = 8 + LIMIT;", "x = LIMIT + 8;"),
    ("x = LIMIT + 8 - 4;", "x = LIMIT + 4;"),
    (". += LIMIT;", ". = . + LIMIT;"),
    (".a : ALIGN((LIMIT) + 8) { *(.a) }", ".a : ALIGN(LIMIT + 8) { *(.a) }"),
    ('ASSERT(x - -LIMIT, "")', 'ASSERT(x - - LIMIT, "")'),
    ('ASSERT(x > LIMIT + 8, "a")', 'ASSERT(x > LIMIT + 8, "b")'),
    ('_ = ASSERT(x > LIMIT + 8, "a");', '_ = ASSERT(x > LIMIT + 8, "b");'),
]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("before", "after"), UNKNOWN)
def test_macros_of_a_header_that_is_missing_may_be_anything(
    tmp_path: Path, before: str, after: str, known: bool
) -> None:
    header = "" if known else "#include <generated/autoconf.h>\n"
    for name, line in (("old", before), ("new", after)):
        script = f"{header}SECTIONS {{\n {line}\n y = LIMIT + 1; .text : {{ *(.text) }} }}\n"
        (tmp_path / f"{name}.lds.S").write_text(script)
    found = diff(str(tmp_path / "old.lds.S"), str(tmp_path / "new.lds.S"))
    assert not found.entries
    # What differs in blanks only, or in what is said, is the same, whatever stands for the name.
    assert found.proved == (known or "ASSERT" in before)
    assert found.proved or found.reason.startswith("what LIMIT stand")
