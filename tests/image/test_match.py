"""A map of another build is refused, whatever is different."""

from __future__ import annotations

import re
import subprocess

import pytest

from ldcheck.findings import CheckError
from ldcheck.image.elf import read_elf
from ldcheck.image.maps import read_map
from ldcheck.image.match import check_map
from tests.image import corpus
from tests.support.build import assemble, compile_c, link
from tests.support.images import mini_image
from tests.support.tools import tool

_SCRIPT = "SECTIONS { . = 0x1000; .text : { *(.text) } .data : { *(.data) } .empty : { *(.empty) } }"


def built(folder, text=4, data=8, script=_SCRIPT):
    folder.mkdir()
    source = f".text\n.skip {text}\n.data\n.skip {data}\n"
    done = link(folder, script, [assemble(folder, source)])
    return read_elf(str(done.elf)), read_map(str(done.map))


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"text": 5}, ".text is 4 bytes at 0x1000 in the image, 5 bytes at 0x1000 in the map"),
        ({"data": 0}, ".data is there once in the image and not there in the map"),
        ({"script": _SCRIPT.replace("0x1000", "0x2000")}, ".text is 4 bytes at 0x1000 in the image, 4 bytes at 0x2000"),
        (
            {"script": _SCRIPT.replace(" .data :", " .more :")},
            ".more (8 bytes at 0x1004 in the map) is not in the image",
        ),
    ],
)
def test_another_build(tmp_path, other, says):
    elf, own = built(tmp_path / "one")
    _, foreign = built(tmp_path / "other", **other)
    check_map(elf, own)
    with pytest.raises(CheckError, match=re.escape(says)) as raised:
        check_map(elf, foreign)
    assert raised.value.errors[0].location.file == foreign.path
    assert "does not belong to" in str(raised.value)


def test_an_image_of_another_architecture():
    with pytest.raises(CheckError, match="does not belong to"):
        check_map(read_elf(str(mini_image("arm64").elf)), read_map(str(mini_image("x86_64").map)))


@pytest.mark.parametrize("tool_options", [("strip", "-g"), ("strip", "-s"), ("objcopy", "--compress-debug-sections")])
def test_what_tools_do_to_an_image_is_no_difference(tmp_path, tool_options):
    name, option = tool_options
    (tmp_path / "a.c").write_text("int data = 1; int main(void) { return data; }")
    gcc = tool("x86_64-linux-gnu-gcc")
    subprocess.run([gcc, "-g", "a.c", "-o", "a.elf", "-Wl,-Map=a.map"], cwd=tmp_path, check=True)
    subprocess.run([tool(name), option, "a.elf"], cwd=tmp_path, check=True)
    check_map(read_elf(str(tmp_path / "a.elf")), read_map(str(tmp_path / "a.map")))


@pytest.mark.parametrize("linker", ["ld", "ld.lld-14", "ld.lld-19"])
def test_each_map_has_its_image(linker):
    """Of all small images of a linker, a map belongs to one."""
    images = {arch: corpus.image(linker, arch) for arch in corpus.LLD.get(linker, corpus.USUAL)}
    for arch, image in images.items():
        link_map = read_map(str(image.map))
        for other, candidate in images.items():
            elf = read_elf(str(candidate.elf))
            if other == arch:
                check_map(elf, link_map)
            else:
                with pytest.raises(CheckError):
                    check_map(elf, link_map)


@pytest.mark.parametrize("linker", ["ld", "ld.lld-14", "ld.lld-19"])
def test_a_map_of_equal_sections_with_symbols_elsewhere(tmp_path, linker):
    """Objects that were linked in another order may fill sections of the same sizes."""
    objects = [
        assemble(tmp_path, f".globl {name}\n.text\n{name}: .long 1\n.data\n.long 2\n", name=f"{name}.o")
        for name in ("one", "two")
    ]
    done = link(tmp_path, _SCRIPT, objects, linker=linker)
    other = link(tmp_path, _SCRIPT, objects[::-1], linker=linker, name="other.elf")
    elf = read_elf(str(done.elf))
    check_map(elf, read_map(str(done.map)))
    with pytest.raises(CheckError, match="one is at 0x1000 in the image, at 0x1004 in the map"):
        check_map(elf, read_map(str(other.map)))


@pytest.mark.parametrize("linker", ["ld", "ld.lld-19"])
def test_a_map_of_an_earlier_value_of_a_symbol_of_the_script(tmp_path, linker):
    a = assemble(tmp_path, ".text\n.long 1, 2\n")
    done, other = (
        link(tmp_path, _SCRIPT.replace("*(.text)", text), [a], linker=linker, name=name)
        for name, text in (("a.elf", "*(.text) mark = .;"), ("b.elf", "mark = .; *(.text)"))
    )
    with pytest.raises(CheckError, match="mark is at 0x1008 in the image, at 0x1000 in the map"):
        check_map(read_elf(str(done.elf)), read_map(str(other.map)))


_ODD = """
static int one(void) { return 1; }
static void *choose(void) { return one; }
int chosen(void) __attribute__((ifunc("choose")));
int (*pointer)(void) = chosen;
__thread int own = 3;
const char text[] = "text"; const char *again = "text";
int _start(void) { return chosen() + own + again[0]; }
"""


@pytest.mark.parametrize("arch", ["x86_64", "x86_32", "arm64", "arm32", "riscv64", "ppc64", "s390x"])
def test_symbols_that_stand_for_something_else_are_no_difference(tmp_path, arch):
    script = """
    SECTIONS { . = 0x10000; again = .; again = again + 4; twice = 1; twice = 2; PROVIDE(nobody = .);
      .text : { *(.text .text.*) } .rest : { *(*) } }
    """
    options = ["-mthumb"] if arch == "arm32" else []
    a, b = (
        compile_c(tmp_path, text, arch, name, options)
        for name, text in (("a.o", _ODD), ("b.o", "static int one = 1; int *two(void) { return &one; }"))
    )
    done = link(tmp_path, script.replace("again", "more"), [a, b], arch)
    assert done.elf is not None, done.output
    check_map(read_elf(str(done.elf)), read_map(str(done.map)))


def test_a_local_symbol_in_a_map_of_lld_is_not_the_global_one_of_its_name(tmp_path):
    source = ".text\n.long 1\nmark: .long 2\n.globl _start\n_start: .long mark\n"
    script = _SCRIPT + " mark = ADDR(.text) + 1;"
    done = link(tmp_path, script, [assemble(tmp_path, source)], linker="ld.lld-19")
    assert done.elf is not None, done.output
    check_map(read_elf(str(done.elf)), read_map(str(done.map)))
