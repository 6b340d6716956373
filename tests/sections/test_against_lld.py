"""Every input section goes where lld puts it: output section and order, orphans and discarded ones.

LDCHECK_RANDOM_LINKS is how many random links the long form compares (1,000), LDCHECK_RANDOM_START the first seed. lld
refuses about every third script: the seeds go on until that many have linked.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
from pathlib import Path

import pytest

from ldcheck.linker import Linker as Meant
from ldcheck.script.dialect import LLD as DIALECT
from ldcheck.script.parser import parse
from ldcheck.sections.placing import place
from ldcheck.source import Source
from tests.sections import random_links
from tests.sections.linked import input_sections, markers
from tests.support.linkers import LLD, Linker, as_params, command

START = int(os.environ.get("LDCHECK_RANDOM_START", "0"))
LINKS = int(os.environ.get("LDCHECK_RANDOM_LINKS", "1000"))
NO_LINK = "lld did not link"

# VMA, LMA, size, alignment, and by how much the rest is indented: output section, input section, symbol.
_ROW = re.compile(r" *[0-9a-f]+ +[0-9a-f]+ +[0-9a-f]+ +[0-9]+ ( *)(\S.*)$")

Order = list[tuple[str, list[str]]]


def linked(folder: Path, linker: Linker, script: str, files: list[str], *options: str) -> Order | str:
    """The marker symbols by output section, in the order of the file; or why there is none."""
    (folder / "t.lds").write_text(script)
    elf = folder / "t.elf"
    elf.unlink(missing_ok=True)
    arguments = [
        "-nostdlib",
        "-T",
        "t.lds",
        "-Map=t.map",
        "-o",
        elf.name,
        "-e0",
        "--build-id=none",
        "--noinhibit-exec",
        *options,
    ]
    done = subprocess.run(
        [command(linker), *arguments, "-zmax-page-size=4096", "--whole-archive", *files],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )
    if not elf.exists():
        return f"{NO_LINK}: {done.stderr}"
    found: Order = []
    # A wildcard may take the symbol table of the file itself, which then has no symbols.
    for line in (folder / "t.map").read_text().splitlines()[1:]:
        row = _ROW.match(line)
        if row is None or row[2].startswith("<internal>"):
            continue
        if not row[1]:
            found.append((row[2], []))
        elif len(row[1]) == 16 and row[2].startswith("at_"):
            found[-1][1].append(row[2])
    return [(name, marks) for name, marks in found if marks]


def predicted(folder: Path, linker: Linker, script: str, files: list[str], sort_section: str = "") -> Order:
    """The same by ldcheck."""
    parsed = parse(Source("t.lds", script), dialect=DIALECT)
    marks = {(name, *key): symbol for name in files for key, symbol in markers(folder / name).items()}
    inputs = [section for name in files for section in input_sections(name, folder / name)]
    meant = Meant("lld", (int(linker.version),))
    found: Order = []
    position = -1
    for placement in place(parsed.tree, inputs, sort_section or None, linker=meant):
        section = placement.input
        symbol = marks.get((section.file, section.member, section.index), "")
        if not symbol or placement.output == "/DISCARD/":
            continue
        if placement.position != position:
            position = placement.position
            found.append((placement.output, []))
        found[-1][1].append(symbol)
    return found


def random_difference(seed: int, folder: Path, linker: Linker) -> str:
    """What differs in one random link; empty if nothing does."""
    folder.mkdir()
    chance = random.Random(seed)
    files = random_links.objects(chance, folder)
    script = random_links.script_for_lld(chance)
    sort_section = chance.choice(["name", "alignment"]) if chance.random() < 0.15 else ""
    options = [f"--sort-section={sort_section}"] if sort_section else []
    got = linked(folder, linker, script, files, *options)
    if isinstance(got, str):
        return got
    want = predicted(folder, linker, script, files, sort_section)
    return "" if got == want else f"seed {seed} {options}:\n{script}\nlld:     {got}\nldcheck: {want}"


# What only some of many random links show: lld's own .comment is a neighbour of orphans that have no address, and an
# output section that is left out stays where an expression asks for its address, so that those behind it are sorted.
RARE = {
    "comment": "SECTIONS { .o : { *(.comment* .init) } plain : { *(.data*) } }",
    "asked-for": "SECTIONS { . = 0x10000; .data.a : { *(plain) } x = ADDR(.r); .r : ONLY_IF_RO { *(.rodata*) *(.da*) } "
    ".r : ONLY_IF_RW { *(.rodata*) *(.da*) } .o1 : { *(.init*) } }",
    "not-asked-for": "SECTIONS { . = 0x10000; .data.a : { *(plain) } .r : ONLY_IF_RO { *(.rodata*) *(.da*) } "
    ".r : ONLY_IF_RW { *(.rodata*) *(.da*) } .o1 : { *(.init*) } }",
}


@pytest.mark.parametrize("linker", as_params(LLD))
@pytest.mark.parametrize("script", RARE.values(), ids=RARE)
def test_rare_links(script: str, linker: Linker, tmp_path: Path) -> None:
    for seed in range(6):
        folder = tmp_path / str(seed)
        folder.mkdir()
        files = random_links.objects(random.Random(seed), folder)
        assert linked(folder, linker, script, files) == predicted(folder, linker, script, files)


def differences(seeds: range, folder: Path, linker: Linker) -> tuple[list[str], int]:
    """What differs, and how many links there were: lld refuses some scripts."""
    found = [random_difference(seed, folder / str(seed), linker) for seed in seeds]
    linked = [text for text in found if not text.startswith(NO_LINK)]
    return [text for text in linked if text], len(linked)


@pytest.mark.parametrize("linker", as_params(LLD))
def test_random_links(linker: Linker, tmp_path: Path) -> None:
    different, linked = differences(range(START, START + 32), tmp_path, linker)
    assert different == []
    assert linked > 16


@pytest.mark.sweep
@pytest.mark.parametrize("linker", [pytest.param(one, id=str(one)) for one in LLD])
def test_many_random_links(linker: Linker, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = START + 32
    different: list[str] = []
    linked = 0
    while linked < LINKS and first < START + 32 + 3 * LINKS:
        seeds = range(first, first + LINKS - linked)
        found, links = differences(seeds, tmp_path, linker)
        different, linked, first = different + found, linked + links, seeds.stop
    with capsys.disabled():
        print(f"\n{linker}: {linked} links of {first - START - 32} seeds, {len(different)} placed otherwise")
    assert different[:3] == []
    assert linked == LINKS
