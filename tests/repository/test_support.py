"""The tests' own support: packages arrive complete, once, and in the folder that was asked for."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.support.build import assemble, compile_c, link, target_params
from tests.support.debian import binary_package, source_package
from tests.support.tools import PACKAGES, package_of, tool
from tests.support.xen import ARCHITECTURES, xen


@pytest.mark.parametrize("arch", ["amd64", "arm64", "armhf"])
def test_real_hypervisors_are_there(arch):
    debug = binary_package(f"xen-hypervisor-4.17-{arch}-dbg", arch)
    assert list(debug.glob("usr/lib/debug/**/xen-syms*"))
    plain = binary_package(f"xen-hypervisor-4.17-{arch}", arch)
    assert list(plain.glob("boot/*"))


def test_a_source_package_is_unpacked_as_far_as_asked():
    tree = source_package("xen", only=["xen/arch/*/xen.lds.S"])
    found = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}
    assert {"xen/arch/arm/xen.lds.S", "xen/arch/x86/xen.lds.S"} <= found
    assert all(path.endswith("xen.lds.S") for path in found)


@pytest.mark.parametrize("target", target_params())
def test_every_target_compiles_and_links(tmp_path, target):
    objects = [
        assemble(tmp_path, ".globl _start\n.text\n_start: .long 0\n", target, "start.o"),
        compile_c(tmp_path, "int value = 1; int get(void) { return value; }", target, "value.o"),
    ]
    result = link(tmp_path, "SECTIONS { .text : { *(.text) } .data : { *(.data) } }", objects, target)
    assert result.ok, result.output
    assert result.elf is not None
    assert result.map is not None
    assert "value.o" in result.map.read_text()
    assert str(tmp_path) not in result.map.read_text()


def test_a_failing_link_is_a_result(tmp_path):
    result = link(tmp_path, "SECTIONS {", [])
    assert not result.ok
    assert "a.lds" in result.output
    assert result.elf is None


def test_a_program_leads_to_its_package():
    assert tool("ld").endswith("/ld")
    assert package_of("aarch64-linux-gnu-readelf") == "binutils-aarch64-linux-gnu"
    assert package_of("objcopy") == "binutils"
    assert all(PACKAGES.values())


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_xen_is_preprocessed_as_it_was_built(tmp_path, arch):
    built = xen(arch)
    text = built.preprocessed.read_text()
    assert '"arch/' in text
    assert "include/xen/xen.lds.h" in text
    # ld reads the script to its end: the syntax error that it reports is that of the second script.
    sentinel = tmp_path / "sentinel"
    sentinel.write_text("} sentinel\n")
    result = link(tmp_path, built.preprocessed, [], arch, ["-T", str(sentinel)])
    assert f"{sentinel}:1: syntax error" in result.output
    # Nothing stands in the hypervisor that the script of this configuration does not name, but for arm32's attributes,
    # which Xen leaves to the linker.
    shown = subprocess.run([tool("readelf"), "-SW", built.elf], capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r"^ +\[ *\d+\] (\.\S+) ", shown, re.MULTILINE))
    assert {".text", ".rodata", ".init.text", ".bss"} <= names
    assert {name for name in names if name not in text} <= {".ARM.attributes"}
