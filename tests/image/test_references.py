"""Who refers to whom in objects: for each machine against readelf, and against the same source with global names."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from ldcheck.image.references import Reference, References
from tests.image import readelf
from tests.support.build import TARGETS, Target, assemble, compile_c, target_params
from tests.support.tools import tool

# What one machine or another writes with an immediate behind the address, a table of addresses, halves of an address,
# a merged string, a jump behind a call, an address inside a datum.
SOURCE = """
#define INIT __attribute__((noinline, noclone, section(".init.text")))
#define INITDATA __attribute__((section(".init.data")))
#define KEPT __attribute__((noinline, noclone))
extern int away(const char *);
LOCAL volatile int INITDATA first = 1, INITDATA second[4] = { 2 }, INITDATA third = 3;
LOCAL volatile char INITDATA flag = 1, INITDATA mark = 2;
LOCAL volatile short INITDATA narrow = 2, INITDATA word = 2;
LOCAL INIT int early(int a) { return away("early") + a + first; }
LOCAL INIT int later(int a) { return early(a) * second[a & 3]; }
LOCAL INIT void silent(void) { third = 5; }
KEPT int store(void) { third = 77; flag = 3; narrow = 260; return second[2]; }
KEPT int compare(int a) { if (flag == 7) mark = 9; if (word == 1234) second[1] = a; return third > 100000; }
KEPT int call(int a) { silent(); return early(a) + later(a + 1); }
KEPT int jump(int a) { return later(a); }
int (*const table[])(int) = { early, later, early, call };
volatile int *data[] = { &first, &second[3], &third };
struct { int kind; void (*act)(void); } record = { 1, silent };
KEPT void *address(void) { return (void *)&silent; }
KEPT int strings(int a) { return away(a ? "one text" : "another text"); }
"""

_ROW = re.compile(r"^([0-9a-f]{8,16}) +[0-9a-f]+ (R_\S+) *(?:([0-9a-f]{8,16}) +(\S+))?")
# Hints, and what readelf prints for a type with no name of a symbol.
_SILENT = re.compile(r"R_\w+_NONE$|R_ARM_V4BX|R_RISCV_(RELAX|ALIGN|SUB\d+|PCREL_LO12_[IS])")


def references(*paths: Path, target: str = "") -> list[Reference]:
    """All references of objects, or those to sections that begin so."""
    found = References([str(path) for path in paths])
    assert found.notes == []
    return found.between(lambda _: True, lambda name: name.startswith(target))


def pairs(found: list[Reference]) -> set[tuple[str, str, str]]:
    """Section, function or datum, and what that refers to; a jump within one section needs no relocation."""
    return {
        (one.section, "".join(one.source[:1]), "".join(one.target[:1]))
        for one in found
        if one.section != one.target_section and one.section != ".eh_frame"
    }


@pytest.mark.parametrize("options", [["-O2"], ["-Os", "-ffunction-sections", "-fdata-sections"], ["-O1", "-g"]])
@pytest.mark.parametrize("arch", target_params())
def test_local_names_are_found_by_their_places(tmp_path, arch, options):
    """A local symbol is a section and a number in most tables; a global one has its name there.

    Without section anchors, by which the compiler reaches several data from one.
    """
    options = ["-fno-section-anchors", *options] if arch not in ("x86_64", "x86_32", "s390x", "riscv64") else options
    local = compile_c(tmp_path, SOURCE, arch, "local.o", ["-DLOCAL=static", *options])
    named = compile_c(tmp_path, SOURCE, arch, "named.o", ["-DLOCAL=", *options])
    found = pairs(references(local, target=".init."))
    assert found == pairs(references(named, target=".init."))
    assert {target for _, _, target in found} >= {"first", "second", "third", "early", "later", "silent"}
    sources = {source for _, source, _ in found}
    # On HP PA the address of a function is a constant of the compiler's, which has no name.
    address = "address" if arch != "hppa" else ""
    assert sources >= {"store", "compare", "call", "jump", "table", "data", "record", address, "early", "later"}


@pytest.mark.sweep
@pytest.mark.parametrize("options", [["-O2"], ["-O2", "-mlongcalls"], ["-Os", "-ffunction-sections"]])
def test_addresses_beside_code_lead_on(tmp_path, monkeypatch, options):
    """On Xtensa a function reads each address from a section of its own (.literal), which refers to what is meant."""
    monkeypatch.setitem(TARGETS, "xtensa", Target("xtensa-lx106-elf-"))
    local = compile_c(tmp_path, SOURCE, "xtensa", "local.o", ["-DLOCAL=static", *options])
    named = compile_c(tmp_path, SOURCE, "xtensa", "named.o", ["-DLOCAL=", *options])
    found = pairs(references(local, target=".init."))
    assert found == pairs(references(named, target=".init."))
    sources = {source for section, source, _ in found if ".literal" not in section}
    assert sources >= {"store", "compare", "call", "jump", "table", "data", "record", "address", "early", "later"}


@pytest.mark.parametrize("arch", target_params())
def test_against_readelf(tmp_path, arch):
    """Each relocation of an allocated section with a name of this object is there, as often as readelf shows it.

    On 64-bit PowerPC an entry on the way counts for what it leads to, so there may be more.
    """
    path = compile_c(tmp_path, SOURCE, arch, options=["-DLOCAL=", "-g"])
    kept = Counter[tuple[str, str]]()
    for one in references(path):
        kept[one.section, one.target[0] if one.target else ""] += one.times
    wanted = Counter[tuple[str, str]]()
    section = ""
    defined = {"early", "later", "silent", "first", "second", "third", "flag", "mark", "narrow", "word", "call"}
    for line in readelf.run(path, "-r"):
        if match := re.match(r"Relocation section '\.rela?(\S*)'", line):
            section = match[1]
        elif section.startswith((".debug", ".pdr")):
            continue
        elif (match := _ROW.match(line.strip())) and not _SILENT.match(match[2]) and match[4] in defined:
            wanted[section, match[4]] += 1
    assert wanted
    got = Counter({key: number for key, number in kept.items() if key in wanted})
    assert {key: number for key, number in got.items() if number < wanted[key]} == {}
    if arch not in ("ppc64", "ppc64le"):
        assert got == wanted


def test_strings_are_told_by_their_text(tmp_path):
    path = compile_c(tmp_path, SOURCE, options=["-DLOCAL=static"])
    assert {('"one text"',), ('"another text"',)} <= {one.target for one in references(path, target=".rodata.str")}


def test_objects_define_what_others_lack(tmp_path):
    """A strong definition counts before a weak one, wherever it stands; the first of two copies of a group is taken."""
    user = compile_c(tmp_path, "int f(void), g(void); int h(void) { return f() + g(); }", name="user.o")
    weak = compile_c(
        tmp_path,
        '__attribute__((weak, section(".init.text"))) int f(void) { return 1; }'
        '__attribute__((weak, section(".init.text"))) int g(void) { return 1; } int k(void) { return f() + g(); }',
        name="weak.o",
    )
    strong = compile_c(tmp_path, "int f(void) { return 2; }", name="strong.o")
    assert references(user) == []
    found = {
        (one.source[0], one.target[0], one.target_section, Path(one.target_file).name)
        for one in references(user, weak, strong)
    }
    assert found == {
        ("h", "f", ".text", "strong.o"),
        ("k", "f", ".text", "strong.o"),
        ("h", "g", ".init.text", "weak.o"),
        ("k", "g", ".init.text", "weak.o"),
    }


def test_a_group_that_the_linker_drops_refers_to_nothing(tmp_path):
    source = '.section .text.f,"axG",@progbits,f,comdat\n.weak f\n.type f,@function\nf: call g\n.size f,.-f\n'
    one, two = assemble(tmp_path, source, name="one.o"), assemble(tmp_path, source, name="two.o")
    g = compile_c(tmp_path, '__attribute__((section(".init.text"))) int g(void) { return 1; }', name="g.o")
    assert [Path(found.file).name for found in references(one, two, g)] == ["one.o"]


def test_members_of_archives(tmp_path):
    first = compile_c(tmp_path, "int f(void); int h(void) { return f(); }", name="first.o")
    second = compile_c(tmp_path, '__attribute__((section(".init.text"))) int f(void) { return 2; }', name="second.o")
    for options in ("rc", "rcT"):
        archive = tmp_path / f"{options}.a"
        subprocess.run([tool("ar"), options, archive, first, second], check=True, timeout=60)
        (found,) = references(archive)
        assert (found.source, found.target, found.target_section) == (("h",), ("f",), ".init.text")


def test_aliases_and_thumb(tmp_path):
    source = (
        '__attribute__((section(".init.text"))) int f(void) { return 2; } int again(void) __attribute__((alias("f")));'
    )
    path = compile_c(tmp_path, f"{source} int h(void) {{ return again(); }}", options=["-O0"])
    (found,) = references(path, target=".init.text")
    assert found.target == ("again", "f")
    if "arm32" in TARGETS:
        text = compile_c(tmp_path, SOURCE, "arm32", "thumb.o", ["-DLOCAL=static", "-mthumb"])
        arm = compile_c(tmp_path, SOURCE, "arm32", "arm.o", ["-DLOCAL=static", "-marm"])
        assert pairs(references(text, target=".init.")) == pairs(references(arm, target=".init."))
