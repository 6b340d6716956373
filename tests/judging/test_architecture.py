"""Who tells which architecture a target has, and what is a contradiction."""

from __future__ import annotations

import pytest

from ldcheck.findings import CheckError
from ldcheck.judging.architecture import declared, resolve_arch
from ldcheck.judging.scripts import read_scripts
from ldcheck.project.target import Target


def test_who_is_asked_first():
    assert resolve_arch("arm64", "", "", ()) == "arm64"
    assert resolve_arch("", "aarch64", "arm64", ("arm64",)) == "arm64"
    assert resolve_arch("", "", "x86_64", ()) == "x86_64"
    assert resolve_arch("", "", "", ("riscv64",)) == "riscv64"
    assert resolve_arch("", "", "", ()) == ""


def test_a_family_is_narrowed_by_who_knows_more():
    assert resolve_arch("arm", "", "arm32", ()) == "arm32"
    assert resolve_arch("riscv", "", "", ("riscv64", "riscv32")) == "riscv"
    assert resolve_arch("", "riscv", "", ("riscv64",)) == "riscv64"


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (("arm64", "arm32", "", ()), "the configuration says arm64, and --arch says arm32"),
        (("", "arm", "x86_64", ()), "--arch says arm, and the ELF file says x86_64"),
        (("", "", "x86_64", ("arm64",)), "the ELF file says x86_64, and the script says arm64"),
        (("amr64", "", "", ()), "the configuration names an unknown architecture: amr64"),
    ],
)
def test_contradictions_are_errors(told, message):
    with pytest.raises(CheckError, match=message):
        resolve_arch(*told)


def test_a_file_that_is_included_may_say_it(tmp_path):
    (tmp_path / "format.ld").write_text('OUTPUT_FORMAT("elf32-littleriscv")\nOUTPUT_ARCH(riscv)\n')
    script = tmp_path / "a.ld"
    script.write_text("INCLUDE format.ld\nSECTIONS { .text : { *(.text) } }\n")
    (parsed,) = read_scripts(Target(name="t", script=str(script), includes=(str(tmp_path),))).parses
    assert declared(parsed.tree) == ("riscv", "elf32-littleriscv")
