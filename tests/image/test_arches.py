"""Architectures: what they are called where."""

from __future__ import annotations

import pytest

from ldcheck.image.arches import (
    FAMILIES,
    TABLE,
    allows,
    canonical,
    check_name,
    expand,
    file_format,
    from_machine,
    from_script,
    matches,
    names,
    some_allowed,
)


@pytest.mark.parametrize(
    ("name", "arch"),
    [
        ("x86_64", "x86_64"),
        ("X86_64", "x86_64"),
        ("amd64", "x86_64"),
        ("x86-64", "x86_64"),
        ("i386:x86-64", "x86_64"),
        ("i386", "x86_32"),
        ("i686", "x86_32"),
        ("aarch64", "arm64"),
        ("aarch64_be", "arm64"),
        ("armhf", "arm32"),
        ("armv7-a", "arm32"),
        ("riscv:rv64", "riscv64"),
        ("rv32imac", "riscv32"),
        ("ppc64le", "ppc64"),
        ("powerpc:common64", "ppc64"),
        ("mipsel", "mips"),
        ("mips64el", "mips64"),
        ("s390x", "s390x"),
        ("loongarch64", "loongarch64"),
        # Families of several members are no architecture.
        ("arm", ""),
        ("x86", ""),
        ("riscv", ""),
        ("pdp11", ""),
        ("", ""),
    ],
)
def test_what_architectures_are_called(name, arch):
    assert canonical(name) == arch


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("arm", ("arm64", "arm32")),
        ("x86", ("x86_64", "x86_32")),
        ("riscv", ("riscv64", "riscv32")),
        ("ppc", ("ppc64", "ppc32")),
        ("powerpc", ("ppc64", "ppc32")),
        ("arm64", ("arm64",)),
        ("aarch64", ("arm64",)),
        ("nothing", ()),
    ],
)
def test_families(word, meant):
    assert expand(word) == meant


@pytest.mark.parametrize(
    ("arch", "wanted", "does"),
    [
        ("arm64", "arm", True),
        ("arm32", "arm", True),
        ("arm64", "aarch64", True),
        ("arm64", "arm32", False),
        ("arm64", "!arm32", True),
        ("arm64", "!arm", False),
        ("x86_64", "arm", False),
        ("mips", "mips", True),
        ("mips64", "mips", True),
        ("sh4", "sh", True),
        ("machine-7", "arm", False),
        ("machine-7", "!arm", True),
    ],
)
def test_what_a_policy_means(arch, wanted, does):
    assert matches(arch, wanted) is does


@pytest.mark.parametrize(
    ("words", "arch", "does"),
    [
        (["arm", "!arm32"], "arm64", True),
        (["arm", "!arm32"], "arm32", False),
        (["arm", "!arm32"], "x86_64", False),
        (["!arm", "!riscv"], "x86_64", True),
        (["!arm", "!riscv"], "riscv64", False),
        (["x86", "ppc"], "ppc64", True),
        ([], "x86_64", True),
    ],
)
def test_lists_of_architectures(words, arch, does):
    assert allows(words, arch) is does
    assert not words or allows(words, some_allowed(words))


@pytest.mark.parametrize(
    ("target", "word"),
    [
        ("elf64-x86-64", "elf"),
        ("elf32-littlearm", "elf"),
        ("pei-x86-64", "pe"),
        ("pe-i386", "pe"),
        ("efi-app-x86_64", "pe"),
        ("binary", "binary"),
        ("a.out-i386-linux", ""),
        ("", ""),
    ],
)
def test_formats(target, word):
    assert file_format(target) == word


# e_machine values of the ELF gABI.
@pytest.mark.parametrize(
    ("machine", "bits", "arch"),
    [
        (62, 64, "x86_64"),
        (3, 32, "x86_32"),
        (183, 64, "arm64"),
        (40, 32, "arm32"),
        (243, 64, "riscv64"),
        (243, 32, "riscv32"),
        (21, 64, "ppc64"),
        (20, 32, "ppc32"),
        (8, 32, "mips"),
        (8, 64, "mips64"),
        (22, 64, "s390x"),
        (22, 32, "s390"),
        (258, 64, "loongarch64"),
        (9999, 64, ""),
    ],
)
def test_elf_machines(machine, bits, arch):
    assert from_machine(machine, bits) == arch


@pytest.mark.parametrize(
    ("output_arch", "output_format", "arches"),
    [
        ("i386:x86-64", "elf64-x86-64", ("x86_64",)),
        ("i386", "elf32-i386", ("x86_32",)),
        ("aarch64", "elf64-littleaarch64", ("arm64",)),
        ("arm", "elf32-littlearm", ("arm32",)),
        ("arm", "", ("arm32",)),
        ("riscv", "elf64-littleriscv", ("riscv64",)),
        ("riscv", "elf32-littleriscv", ("riscv32",)),
        ("riscv", "", ("riscv64", "riscv32")),
        ("powerpc:common64", "elf64-powerpcle", ("ppc64",)),
        ("", "elf64-powerpcle", ("ppc64",)),
        ("mips", "elf32-tradbigmips", ("mips",)),
        ("mips", "elf64-tradlittlemips", ("mips64",)),
        ("s390:64-bit", "elf64-s390", ("s390x",)),
        ("i386:x86-64", "pei-x86-64", ("x86_64",)),
        ("", "binary", ()),
        ("", "", ()),
    ],
)
def test_what_a_script_says(output_arch, output_format, arches):
    assert from_script(output_arch, output_format) == arches


def test_unknown_names_get_help():
    assert check_name("aarch46") == "did you mean `aarch64`?"
    assert check_name("!amr") == "did you mean `arm`?"
    assert check_name("!arm") == ""


def test_the_table_contradicts_itself_nowhere():
    assert len({arch.name for arch in TABLE}) == len(TABLE)
    for arch in TABLE:
        # A name that is a family's as well may stand for others too.
        assert arch.name in expand(arch.name)
        assert canonical(arch.name) == arch.name
        for alias in arch.aliases:
            assert canonical(alias.rstrip("*")) in (arch.name, ""), alias
    assert set(FAMILIES) <= set(names())
