"""Every input section goes where GNU ld puts it: output section, statement and order, orphans and discarded ones.

LDCHECK_RANDOM_LINKS is the number of random links in the long form (1,500), LDCHECK_RANDOM_START the first seed. GNU ld
of other years places by rules of its own.
"""

from __future__ import annotations

import contextlib
import os
import random
from pathlib import Path

import pytest

from ldcheck.image.objects import read_objects
from ldcheck.linker import Linker as Meant
from ldcheck.sections.assign import assign, named_files
from ldcheck.sections.older import is_older, joined_sections, sharing
from tests.sections import random_links
from tests.sections.linked import difference, input_sections, markers, run_ld
from tests.sections.scripts import tree
from tests.support.linkers import GNU, Linker, command

(USUAL,) = (linker for linker in GNU if linker.every_run)
START = int(os.environ.get("LDCHECK_RANDOM_START", "0"))
LINKS = int(os.environ.get("LDCHECK_RANDOM_LINKS", "1500"))
NO_LINK = "ld did not link"


def compare(
    folder: Path,
    script: str,
    files: list[str],
    sort_section: str = "",
    default: str = "",
    target: str = "x86_64",
    linker: Linker = USUAL,
) -> str:
    """What ld did otherwise than expected, or why it did not link."""
    options = [f"--sort-section={sort_section}"] if sort_section else []
    program = "" if linker is USUAL else command(linker, target)
    elf, output = run_ld(folder, script, files, *options, default=default, target=target, program=program)
    if elf is None:
        return f"{NO_LINK}: {output}"
    parsed = tree(script + default)
    # ld also links a file that only the script names.
    linked = [*files, *(name for name in named_files(parsed) if name not in files and (folder / name).exists())]
    marks = {
        (name, member, index): symbol for name in linked for (member, index), symbol in markers(folder / name).items()
    }
    inputs = [section for name in linked for section in input_sections(name, folder / name)]
    meant = Meant(linker.kind, tuple(map(int, linker.version.split("."))))
    placements = assign(parsed, inputs, sort_section or None, target, meant)
    return difference(joined_sections(parsed) if is_older(meant) else parsed, placements, folder / "t.map", elf, marks)


def random_difference(seed: int, folder: Path, target: str = "x86_64", linker: Linker = USUAL) -> str:
    chance = random.Random(seed)
    files = random_links.objects(chance, folder, target)
    script, default = random_links.script(chance)
    sort_section = chance.choice(["name", "alignment"]) if chance.random() < 0.15 else ""
    if linker.version == "2.35" and sharing(tree(script + default)) is not None:
        return f"{NO_LINK}: as `place` says, that is not followed"
    found = compare(folder, script, files, sort_section, default, target, linker)
    return f"seed {seed}: {found}\n{script}{default}" if found and not found.startswith(NO_LINK) else found


def random_differences(
    seeds: range, folder: Path, target: str = "x86_64", linker: Linker = USUAL
) -> tuple[list[str], int]:
    """What differs, and how many links there were: ld refuses some scripts for what they do to addresses."""
    found = []
    for seed in seeds:
        place = folder / str(seed)
        place.mkdir()
        found.append(random_difference(seed, place, target, linker))
    linked = [text for text in found if not text.startswith(NO_LINK)]
    return [text for text in linked if text], len(linked)


def test_random_links(tmp_path):
    different, linked = random_differences(range(START, START + 32), tmp_path)
    assert different == []
    assert linked > 24


@pytest.mark.parametrize("target", ["arm64", "riscv64"])
def test_random_links_for_other_targets(tmp_path, target):
    different, linked = random_differences(range(START, START + 8), tmp_path, target)
    assert different == []
    assert linked > 4


@pytest.mark.sweep
@pytest.mark.parametrize("target", ["arm64", "riscv64"])
def test_many_random_links_for_other_targets(tmp_path, target, capsys):
    different, linked = random_differences(range(START + 8, START + 8 + LINKS // 5), tmp_path, target)
    with capsys.disabled():
        print(f"\n{USUAL} for {target}: {linked} links, {len(different)} placed otherwise")
    assert different == []
    assert linked > LINKS // 5 * 0.8


@pytest.mark.sweep
def test_many_random_links(tmp_path, capsys):
    different, linked = random_differences(range(START + 32, START + 32 + LINKS), tmp_path)
    with capsys.disabled():
        print(f"\n{USUAL}: {linked} links, {len(different)} placed otherwise")
    assert different == []
    assert linked > LINKS * 0.8


@pytest.mark.sweep
@pytest.mark.parametrize("linker", [pytest.param(one, id=str(one)) for one in GNU if not one.every_run])
def test_many_random_links_by_another_version(tmp_path, linker, capsys):
    different, linked = random_differences(range(START + 32, START + 32 + LINKS), tmp_path, linker=linker)
    with capsys.disabled():
        print(f"\n{linker}: {linked} links, {len(different)} placed otherwise")
    assert different == []
    # 2.35 refuses more of the scripts.
    assert linked > LINKS * (0.5 if linker.version == "2.35" else 0.8)


SECTIONS = {
    ".text": '"ax"',
    ".text.a": '"ax"',
    ".ab": '"a"',
    ".abb": '"a"',
    ".x": '"aw"',
    ".y": '"a"',
    ".init_array.00007": '"aw"',
    ".ctors.65530": '"aw"',
    ".init_array": '"aw"',
    "[x": '"a"',
    r".te\\xt": '"ax"',
    ".text*": '"ax"',
    r".a\\*b": '"a"',
}


def object_source(name: str) -> str:
    text = []
    for number, (section, flags) in enumerate(SECTIONS.items()):
        symbol = f"at_{name}_{number}"
        text.append(f'.section "{section}",{flags}\n.balign {1 << number % 4}\n')
        text.append(f".globl {symbol}\n{symbol}: .quad 1\n")
    return "".join(text)


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    random_links.assemble(folder, {f"{name}.o": object_source(name) for name in "abm"})
    random_links.archive(folder, "lib.a", ["m.o"])
    return folder


@pytest.mark.parametrize(
    "text",
    [
        # What a backslash is depends on where it stands.
        r".o : { *(.te\xt) }",
        r".o : { *(.te\*) } .p : { *(.tex*\*) }",
        r".o : { *([.]te*\*) } .p : { *(.a\\\*b) }",
        r".o : { *(.a\*b) }",
        # Both ends of a pattern may overlap in ld.
        ".o : { *(.ab*b) }",
        ".o : { *(.a*ab) }",
        ".o : { *(.[ab]*b) }",
        # Brackets.
        ".o : { *([x) } .p : { *(.[^xy]) } .q : { *(.[!y]) }",
        # Files and members.
        ".o : { lib.a(.x) } .p : { lib.a:(.x) }",
        ".o : { a.o(.x) } .p : { *m.o(.x) }",
        ".o : { *lib.a:m.o(.x) } .p : { :a.o(.x) } .q : { b.o:(.x) }",
        ".o : { EXCLUDE_FILE(lib.a) *(.x) } .p : { *(.x) }",
        ".o : { *(EXCLUDE_FILE(lib.a:) .x EXCLUDE_FILE(:a.o) .y) } .p : { *(.x .y) }",
        ".o : { b.o } .p : { *(.x) }",
        # Order.
        ".o : { *(.y .x) } .p : { *(.ab) *(.abb) }",
        ".o : { *(SORT(.y) .x) }",
        ".o : { *(.x SORT(.y) SORT_NONE(.ab)) }",
        ".o : { SORT(*)(SORT(.text*) SORT(.x)) }",
        ".o : { *(SORT_BY_INIT_PRIORITY(.init_array.*) SORT_BY_INIT_PRIORITY(.ctors*)) }",
        ".o : { *(SORT_BY_INIT_PRIORITY(.*) SORT_BY_ALIGNMENT(.text*)) }",
        # Flags count for everything but what is discarded.
        "/DISCARD/ : { INPUT_SECTION_FLAGS(SHF_TLS) *(.x) } .o : { *(.x .y) }",
        ".o : { INPUT_SECTION_FLAGS(SHF_WRITE & SHF_ALLOC) *(*) } .p : { INPUT_SECTION_FLAGS(!SHF_EXECINSTR) *(*) }",
        ".o : ONLY_IF_RO { *(.x .y) } .o : ONLY_IF_RW { *(.x .y) }",
        ".o : ONLY_IF_RO { *(.y) } .p : ONLY_IF_RW { *(.y) *(.x) }",
        ".o : SPECIAL { *(.x) } .p : { *(.x .y) }",
        # Orphans.
        ".text : { *(.text) } end = .; .data : { *(.data) }",
        ".o : { *(.x) }",
        # KEEP() is a flag, and an output section with flags of its own takes no orphan that has others.
        ".y (COPY) : { *(.bss) }",
        ".y (COPY) : { KEEP(*(.bss)) }",
        "",
    ],
)
def test_corner_cases(objects, text):
    assert compare(objects, f"SECTIONS {{ {text} }}", ["a.o", "lib.a", "b.o"]) == ""


def test_members_of_a_thin_archive_are_members(objects):
    # ld and the reader give the members of a thin archive the path that they are found at.
    random_links.archive(objects, "thin.a", ["m.o"], "rcsT")
    script = "SECTIONS { .o : { *m.o(.x) thin.a:m.o(.y) *thin.a:(.ab) SORT(*)(SORT(.text*)) } }"
    elf, output = run_ld(objects, script, ["b.o", "thin.a", "a.o"])
    assert elf is not None, output
    parsed = tree(script)
    with contextlib.chdir(objects):
        inputs = read_objects(["b.o", "thin.a", "a.o"])
    assert difference(parsed, assign(parsed, inputs, None, "x86_64"), objects / "t.map", elf) == ""
