"""Who refers to whom in an image that was linked with --emit-relocs: what its objects say, by address and map."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.image.direct_calls import DirectCalls
from ldcheck.image.linked_references import LinkedReferences
from ldcheck.image.maps import read_map
from tests.image.test_references import SOURCE, pairs, references
from tests.support.build import TARGETS, LinkResult, Target, compile_c, link, target_params

SCRIPT = """
SECTIONS {
  . = 0x400000;
  .text : { *(.text .text.*) }
  .rodata : { *(.rodata .rodata.*) }
  .data : { *(.data .data.*) *(.sdata .sdata.*) }
  .opd : { *(.opd) }
  .toc : { *(.toc) }
  .got : { *(.got .got.*) }
  .bss : { *(.bss .bss.* .sbss) }
  . = ALIGN(0x1000);
  .init : { init_start = .; *(.init.text) *(.init.data) init_end = .; }
  /DISCARD/ : { *(.eh_frame .note.* .MIPS.* .reginfo .pdr .comment .ARM.* .gnu.*) }
}
"""
AWAY = "int away(const char *text) { return text[0]; }"


def linked(folder: Path, arch: str, options: list[str], linker: str = "ld") -> LinkResult:
    """The source linked with its relocations; local names are sections and numbers there."""
    if arch not in ("x86_64", "x86_32", "s390x", "riscv64"):
        options = ["-fno-section-anchors", *options]
    compile_c(folder, SOURCE, arch, "a.o", options)
    compile_c(folder, AWAY, arch, "b.o")
    done = link(folder, SCRIPT, [folder / "a.o", folder / "b.o"], arch, ["--emit-relocs"], linker)
    assert done.ok, done.output
    return done


def of_image(done: LinkResult) -> LinkedReferences:
    """What the image and its map say."""
    assert done.elf is not None
    assert done.map is not None
    return LinkedReferences(str(done.elf), read_map(str(done.map)))


@pytest.mark.parametrize("local", ["static", ""])
@pytest.mark.parametrize("arch", target_params())
def test_an_image_says_what_its_objects_say(tmp_path, arch, local):
    done = linked(tmp_path, arch, [f"-DLOCAL={local}", "-O2"])
    image = of_image(done)
    assert image.has_relocations
    assert image.by_input
    found = pairs(image.between(lambda _: True, lambda name: name.startswith(".init.")))
    wanted = pairs(references(tmp_path / "a.o", tmp_path / "b.o", target=".init."))
    if local and arch in NOT_RENEWED:
        assert {pair for pair in wanted if not pair[0].startswith((".text", ".init"))} <= found < wanted
    else:
        assert found == wanted
    assert bool(image.untold(lambda _: True)) == (arch == "alpha" or (arch == "arc" and local != ""))


# Where GNU ld leaves a number beside a section as it was in the object: only that in data can be told by the bytes.
NOT_RENEWED = ("alpha", "arc")


@pytest.mark.parametrize("arch", ["x86_64", "arm64", "arm32"])
def test_lld(tmp_path, arch):
    done = linked(tmp_path, arch, ["-DLOCAL=static", "-O2"], "ld.lld-16")
    found = of_image(done).between(lambda _: True, lambda name: name.startswith(".init."))
    assert pairs(found) == pairs(references(tmp_path / "a.o", tmp_path / "b.o", target=".init."))


@pytest.mark.parametrize("arch", [name for name, target in TARGETS.items() if not target.rare])
def test_addresses(tmp_path, arch):
    """Each is where the map says that its section is."""
    done = linked(tmp_path, arch, ["-DLOCAL=static", "-O2"])
    assert done.map is not None
    parts = {part.name: part for one in read_map(str(done.map)).sections for part in one.inputs if part.file == "a.o"}
    found = of_image(done).between(lambda name: name == ".text", lambda name: name.startswith(".init."))
    assert found
    for one in found:
        for name, address in ((one.section, one.address), (one.target_section, one.target_address)):
            assert address is not None
            assert parts[name].address <= address < parts[name].address + parts[name].size


@pytest.mark.sweep
@pytest.mark.parametrize("options", [["-O2"], ["-O2", "-mlongcalls"], ["-Os", "-mtext-section-literals"]])
@pytest.mark.parametrize("local", ["static", ""])
def test_an_image_of_xtensa(tmp_path, monkeypatch, local, options):
    """Code and the addresses that it reads are one section there; what reads them is what its objects say."""
    monkeypatch.setitem(TARGETS, "xtensa", Target("xtensa-lx106-elf-"))
    script = SCRIPT.replace("*(.text ", "*(.literal .text ").replace("*(.init.text)", "*(.init.literal .init.text)")
    objects = [compile_c(tmp_path, SOURCE, "xtensa", "a.o", [f"-DLOCAL={local}", *options])]
    objects.append(compile_c(tmp_path, AWAY, "xtensa", "b.o"))
    image = of_image(link(tmp_path, script, objects, "xtensa", ["--emit-relocs"]))
    found, wanted = (
        {pair for pair in pairs(some) if ".literal" not in pair[0] and pair[2] not in ("", "init_start")}
        for some in (
            image.between(lambda _: True, lambda name: name.startswith(".init.")),
            references(*objects, target=".init."),
        )
    )
    assert found == wanted
    assert {source for _, source, _ in found} >= {"store", "compare", "call", "jump", "address", "early", "later"}
    assert image.untold(lambda _: True) == ""


def test_an_image_without_relocations_has_none(tmp_path):
    compile_c(tmp_path, AWAY, name="b.o")
    done = link(tmp_path, SCRIPT, [tmp_path / "b.o"])
    assert not of_image(done).has_relocations


RISCV32 = Target(
    "riscv64-linux-gnu-",
    ("-march=rv32imac", "-mabi=ilp32"),
    ("-march=rv32imac", "-mabi=ilp32"),
    ("-melf32lriscv",),
)


@pytest.mark.parametrize("options", [["-O2"], ["-O0"], ["-O2", "-mno-relax"]])
@pytest.mark.parametrize("bits", [32, 64])
def test_a_far_call_of_riscv_is_two_instructions(tmp_path, monkeypatch, bits, options):
    """The linker makes one of them, unless it is told not to, or the function is too far away."""
    arch = "riscv64"
    if bits == 32:
        arch = "riscv32"
        monkeypatch.setitem(TARGETS, arch, RISCV32)
    script = SCRIPT.replace("ALIGN(0x1000)", "0x20000000")
    objects = [compile_c(tmp_path, SOURCE, arch, "a.o", ["-DLOCAL=static", *options])]
    objects.append(compile_c(tmp_path, AWAY, arch, "b.o"))
    done = link(tmp_path, script, objects, arch, ["--emit-relocs"])
    assert done.map is not None, done.output
    relocations = pairs(of_image(done).between(lambda _: True, lambda name: name.startswith(".init.")))
    assert relocations == pairs(references(*objects, target=".init."))
    calls = DirectCalls(str(done.elf), read_map(str(done.map)))
    assert calls.why_not == ""
    found = pairs(calls.between(lambda _: True, lambda _: True))
    assert found <= pairs(of_image(done).between(lambda _: True, lambda _: True))
    assert found >= {(".text", "call", "early"), (".text", "call", "later"), (".text", "jump", "later")}


@pytest.mark.parametrize("options", [["-O2"], ["-O0"], ["-Os", "-mthumb"], ["-O2", "-marm"]])
@pytest.mark.parametrize("arch", ["x86_64", "arm64", "arm32", "riscv64"])
def test_direct_calls_are_a_part(tmp_path, arch, options):
    """All that are found are in the relocations too, and among them are the calls that take one instruction."""
    options = [one for one in options if arch == "arm32" or not one.startswith(("-mt", "-ma"))]
    done = linked(tmp_path, arch, ["-DLOCAL=static", *options])
    assert done.map is not None
    calls = DirectCalls(str(done.elf), read_map(str(done.map)))
    assert calls.why_not == ""
    found = pairs(list(calls.between(lambda _: True, lambda _: True)))
    assert found <= pairs(list(of_image(done).between(lambda _: True, lambda _: True)))
    assert found >= {(".text", "call", "early"), (".text", "call", "later"), (".text", "jump", "later")}
