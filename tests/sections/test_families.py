"""What names say of a section's bytes, judged by the flags that the linkers give to what they make themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

import ldcheck
from ldcheck.image.elf import read_elf
from ldcheck.sections.families import Family, family_of, project_family_of
from tests.support.build import TARGETS, compile_c, link

LINKED = ("x86_64", "x86_32", "arm64", "arm32", "riscv64", "ppc32", "ppc64", "s390x")
INDIRECT = """
static int one(void) { return 1; }
static void *choose(void) { return one; }
int chosen(void) __attribute__((ifunc("choose")));
int elsewhere(void);
int _start(void) { return chosen() + elsewhere(); }
"""
MADE = (".plt", ".iplt", ".got", ".got.plt", ".igot.plt", ".rela.plt")
BODY = "SECTIONS { . = 0x10000; .text : { *(.text) } %s .data : { *(.data) } }"


@pytest.mark.parametrize("target", LINKED)
@pytest.mark.parametrize("shared", [False, True])
def test_code_is_what_the_linker_makes_executable(tmp_path: Path, target: str, shared: bool) -> None:
    source = INDIRECT if shared else INDIRECT.replace("+ elsewhere()", "")
    built = compile_c(tmp_path, source, target, options=("-fPIC",) if shared else ("-fno-pic",))
    script = BODY % " ".join(f"{name} : {{ *({name}) }}" for name in MADE)
    done = link(tmp_path, script, [built], target, ("-shared",) if shared else ())
    assert done.elf is not None, done.output
    arch = TARGETS[target].arch or target
    seen = [one for one in read_elf(str(done.elf)).sections if one.name in MADE and one.size]
    assert seen
    for one in seen:
        assert (project_family_of(one.name, arch) is Family.CODE) == one.executable, one.name
        assert one.writable == (family_of(one.name, arch) is Family.DATA), one.name


@pytest.mark.parametrize("name", [".rela.text", ".rel.data", ".xt.prop.text", ".rela.plt"])
def test_what_tells_of_a_section_is_none_of_its_kind(name: str) -> None:
    assert project_family_of(name) is Family.OTHER


def test_the_addresses_of_indirect_functions_are_no_code(tmp_path: Path) -> None:
    script = tmp_path / "x.lds"
    script.write_text(BODY.replace("*(.data)", "*(.data .data.*) *(.got .got.plt .igot .igot.plt)") % "")
    report = ldcheck.check([str(script)], policies=("generic",), select=("writable-code",))
    assert not report.findings
