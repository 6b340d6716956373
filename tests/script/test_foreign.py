"""Files that are no scripts for GNU ld are called what they are, once; scripts with a mistake are not."""

from __future__ import annotations

import pytest

from ldcheck import check
from ldcheck.script.foreign import is_version_script

FOREIGN = {
    "percent signs": ("SECTIONS { . = %BASE% + 0x100; .text : { *(.text) } }", "a template: `%BASE%`"),
    "percent signs that ld skips": ("SECTIONS { .text : { *(.text) %MORE% } }", "a template: `%MORE%`"),
    "variable of make": ("MEMORY { R : ORIGIN = 0, LENGTH = $(SIZE) }", "a template: `$(SIZE)`"),
    "configure": ("SECTIONS { .text : { *(@TEXT_SECTIONS@) } }", "a template: `@TEXT_SECTIONS@`"),
    "cmake": ("MEMORY { RAM : ORIGIN = ${RAM_START}, LENGTH = 4K }", "a template: `${RAM_START}`"),
    "jinja": ("{% if x %}\nENTRY(main)\n{% endif %}\nSECTIONS { }", "a template: `{% if x %}`"),
    "erb": ("SECTIONS { . = <%= base %>; }", "a template: `<%= base %>`"),
    "input statements": ("*(.text .text.*)\nKEEP(*(.init))\n", "a part of a script: what it says stands in an output"),
    "output sections": (".text : { *(.text) }\n.data : { *(.data) }\n", "stands in SECTIONS"),
    "regions": ("ROM (rx) : ORIGIN = 0, LENGTH = 64K\nRAM : ORIGIN = 0x20000000, LENGTH = 8K\n", "stands in MEMORY"),
    "program headers": ("text PT_LOAD FLAGS(5);\n", "stands in PHDRS"),
    "named versions": ("/* a library */\nLIB_1.2 {\n global:\n  a;\n  b;\n local: *;\n};\n", "a version script"),
    "no name": ("{ local: *; };", "a version script"),
    "dynamic list": ("{\n  first;\n  second*;\n};\n", "a version script"),
    "Green Hills": ("DEFAULTS {\n heap = 2M\n}\nSECTIONS { }", "`DEFAULTS {` is the language of Green Hills' linker"),
    "Green Hills' options": ('OPTION ("-e=_start")\nSECTIONS { }', "`OPTION (` is the language of Green Hills'"),
    "TI": ("-stack 0x100\nSECTIONS {\n  .text : > FLASH\n}\n", "language of Green Hills' or TI's linker"),
    "CodeWarrior's groups": ("SECTIONS { GROUP:\n{ .a ALIGN(4): { *(.a) } } > b }", "`GROUP: {` is the language of"),
    "CodeWarrior": ("KEEP_SECTION {.vectors}\nSECTIONS { .t : { *(.text) } > code }", "the language of CodeWarrior"),
    "IAR": ("define memory mem with size = 4G;\nplace in ROM { readonly };\n", "the language of IAR's linker"),
    "Arm": ("LR_1 0x08000000 0x00100000 {\n ER_1 0x08000000 {\n *.o (RESET, +First)\n }\n}\n", "a scatter file"),
    "continued": ("MEMORY { ram : ORIGIN = BASE, \\\n  LENGTH = SIZE }\n", "only it joins lines that end in `\\`"),
}  # fmt: skip
# Mistakes in scripts, and what nothing tells, which have their own messages.
MISTAKES = {
    "no semicolon": "SECTIONS { .text : { *(.text) } > RAM . = 4 }",
    "no brace": "SECTIONS { .text : { *(.text) ",
    "at sign in a comment": "/* @NAME@ {{x}} */ SECTIONS { .text { *(.text) } }",
    "rests of divisions": "x = a%b%c; SECTIONS { .text { *(.text) } }",
    "at sign in quotes": 'SECTIONS { ASSERT(1, "@NAME@") .text { *(.text) } }',
    "prose": "this is a text of another kind",
    "conditional": "#ifdef A\nSECTIONS { .text { } }\n#endif\n",
}


@pytest.mark.parametrize(("text", "said"), FOREIGN.values(), ids=FOREIGN)
def test_another_kind_of_file_is_called_what_it_is(text: str, said: str) -> None:
    report = check(["file.ld"], text=text, policies=["generic"])
    assert report.status == 2
    (error,) = report.errors
    assert said in error.message
    assert error.help
    assert error.location.line >= 1


@pytest.mark.parametrize("text", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_script_stays_one(text: str) -> None:
    report = check(["file.ld"], text=text, policies=["generic"])
    assert report.status == 2
    assert all(error.message.startswith("syntax error at ") for error in report.errors)


def test_a_template_that_ld_reads_is_not_judged() -> None:
    assert check(["file.ld"], text="SECTIONS { .text : { *(.text) } }", policies=["generic"]).status == 0
    assert check(["file.ld"], text="SECTIONS { .text : { *(.text @MORE@) } }", policies=["generic"]).status == 2


@pytest.mark.parametrize(
    "text", ["SECTIONS { .a : { *(.a) } }", "a = 1;", "{", "", ".text : { local : }", "A { b = 1; }"]
)
def test_what_is_no_version_script(text: str) -> None:
    assert not is_version_script(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("MEMORY { FLASH= ORIGIN = 0, LENGTH = 4 }", "FLASH="),
        ("MEMORY { A : ORIGIN = 0, LENGTH = 4 } REGION_ALIAS(RAM, A)", "RAM,"),
    ],
)
def test_a_name_with_the_sign_behind_it_is_told(text: str, name: str) -> None:
    report = check(["file.ld"], text=text, policies=["generic"])
    assert any(f"`{name}` is one name" in error.help for error in report.errors)


def test_blanks_by_the_megabyte_take_no_time() -> None:
    for text in (
        " " * (1 << 20) + "{",
        "/*" * (1 << 19),
        "@a" * (1 << 19),
        ".a" * (1 << 19) + " x",
        "0x1 " * (1 << 18),
    ):
        assert check(["file.ld"], text=text, policies=["generic"]).status == 2
    assert check(["file.ld"], text="SECTIONS { .text : {\n mapping[text]\n} }", policies=["generic"]).status == 2
    assert check(["file.ld"], text="SECTIONS { .text : { mapping[ab].o(.text) } }", policies=["generic"]).status == 0
