"""Two builds: what real links place differently is named with its cause, and what only slid is counted."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ldcheck.api import diff
from ldcheck.compare.builds import Builds, Change
from ldcheck.findings import CheckError
from tests.support.build import TARGETS, LinkResult, assemble, compile_c, link
from tests.support.cache import ROOT
from tests.support.images import mini_image
from tests.support.tools import tool

SCRIPT = """\
MEMORY
{
  FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 64K
  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 8K
}
SECTIONS
{
  .text : { *(.text.first) *(.text .text.*) } > FLASH
  .rodata : { *(.rodata .rodata.*) } > FLASH
  .data : { *(.data .data.*) } > RAM AT> FLASH
  .bss (NOLOAD) : { *(.bss .bss.*) *(COMMON) } > RAM
  /DISCARD/ : { *(.comment) *(.note.*) }
}
"""
SOURCE = """\
int table[64] = {1};
int cold[32];
const int limits[16] = {1};
int first(void) { return table[1]; }
int second(void) { return cold[2] + limits[0]; }
"""
OPTIONS = ("-ffunction-sections", "-fdata-sections")


def built(
    folder: Path, script: str = SCRIPT, source: str = SOURCE, name: str = "a.o", linker: str = "ld"
) -> LinkResult:
    folder.mkdir(parents=True, exist_ok=True)
    made = compile_c(folder, source, name=name, options=OPTIONS)
    done = link(
        folder, script, [made], options=["-e0", *(["--print-memory-usage"] if linker == "ld" else [])], linker=linker
    )
    assert done.ok, done.output
    return done


def compared(old: LinkResult, new: LinkResult, *, elf: bool = True, maps: bool = True, **options: object) -> Builds:
    names = {}
    for side, done in (("old", old), ("new", new)):
        if elf:
            names[f"{side}_elf"] = str(done.elf)
        if maps:
            names[f"{side}_map"] = str(done.map)
    found = diff(**names, **options).builds  # type: ignore[arg-type]
    assert found is not None
    return found


def named(changes: tuple[Change, ...], name: str) -> Change:
    (found,) = (change for change in changes if change.name == name)
    return found


def test_the_demo_names_what_moved_and_the_line_that_moved_it() -> None:
    sides: dict[str, Any] = {}
    for side, variant in (("old", "faulty"), ("new", "mended")):
        stem = ROOT / "examples/demo" / variant / "hypervisor"
        sides |= {side: f"{stem}.lds", f"{side}_elf": f"{stem}.elf", f"{side}_map": f"{stem}.map"}
    builds = diff(**sides).builds
    assert builds is not None
    move = builds.moves[0]
    assert (move.kind, move.old.output, move.new.output, move.count, move.size) == (
        "moved",
        ".data",
        ".data.read_mostly",
        1,
        128,
    )
    assert move.named == ("features: .data.read_mostly of main.o, 128 bytes",)
    assert move.new.place is not None
    assert move.old.place is not None
    lines = {"old": "        *(.data .data.*)", "new": "        *(.data.read_mostly)"}
    assert (move.old.place.excerpt, move.new.place.excerpt) == (lines["old"], lines["new"])
    assert builds.placed_alike is False


def test_a_function_that_grew_moves_nothing(tmp_path: Path) -> None:
    larger = SOURCE.replace("return table[1];", "return table[1] * table[2] + table[3] * 7;")
    old, new = built(tmp_path / "old"), built(tmp_path / "new", source=larger)
    builds = compared(old, new)
    assert builds.placed_alike
    (change,) = builds.symbols
    assert (change.name, change.detail) == ("first", ".text")
    assert change.by > 0
    assert [one.name for one in builds.objects] == ["a.o"]
    assert named(builds.sections, ".text").by > 0
    assert "slid" in builds.slid


def test_regions_are_used_as_ld_says(tmp_path: Path) -> None:
    old, new = built(tmp_path / "old"), built(tmp_path / "new", source=SOURCE.replace("cold[32]", "cold[320]"))
    builds = compared(old, new)
    for done, side in ((old, "old"), (new, "new")):
        said = re.findall(r"^ +(\w+): +(\d+) (K?B) +(\d+) (K?B)", done.output, re.MULTILINE)
        assert len(said) == 2, done.output
        for name, used, unit, length, units in said:
            change = named(builds.regions, name)
            assert getattr(change, side) == int(used) * {"B": 1, "KB": 1024}[unit]
            assert change.of == int(length) * {"B": 1, "KB": 1024}[units]
    assert named(builds.regions, "RAM").by == 4 * (320 - 32)
    assert named(builds.regions, "FLASH").by == 0


@pytest.mark.parametrize(("elf", "maps"), [(True, False), (False, True), (True, True)])
def test_either_of_elf_and_map_suffices(tmp_path: Path, elf: bool, maps: bool) -> None:
    moved = SCRIPT.replace("*(.data .data.*)", "*(.data)").replace(
        ".bss (NOLOAD)", ".late : { *(.data.*) } > RAM AT> FLASH\n  .bss (NOLOAD)"
    )
    builds = compared(built(tmp_path / "old"), built(tmp_path / "new", moved), elf=elf, maps=maps)
    (move,) = builds.moves
    assert (move.kind, move.old.output, move.new.output, move.count, move.size) == ("moved", ".data", ".late", 1, 256)
    assert "table" in move.named[0]
    assert builds.compared == ("input section" if maps else "symbol")
    assert bool(builds.untold) == (not (elf and maps))
    assert bool(builds.segments) == elf
    assert builds.totals[0].by == 0


def test_of_those_that_change_places_as_few_as_possible_have_moved(tmp_path: Path) -> None:
    builds = compared(built(tmp_path / "old"), built(tmp_path / "new", SCRIPT.replace(".text.first", ".text.second")))
    (move,) = builds.moves
    assert (move.kind, move.new.output, move.count) == ("order", ".text", 1)


def test_folders_and_names_of_objects_make_no_difference(tmp_path: Path) -> None:
    builds = compared(built(tmp_path / "one" / "deep"), built(tmp_path / "other", name="renamed.o"))
    assert builds.placed_alike
    assert not any((builds.objects, builds.inputs, builds.symbols, builds.sections, builds.segments, builds.slid))


def test_two_linkers_place_alike(tmp_path: Path) -> None:
    plain = "".join(f" {name} : {{ *({name} {name}.*) }}" for name in (".text", ".rodata", ".data", ".bss"))
    plain = f"SECTIONS {{ . = 0x10000;{plain} }}"
    old, new = built(tmp_path / "ld", plain), built(tmp_path / "lld", plain, linker="ld.lld")
    builds = compared(old, new)
    assert not builds.moves
    assert not builds.symbols
    assert any("maps of lld" in said for said in builds.untold)


def test_a_renamed_symbol_is_known_by_its_content(tmp_path: Path) -> None:
    old, new = (
        built(tmp_path / name, source=SOURCE.replace("limits", name).replace("{1}", "{1, 2, 3, 5, 8}"))
        for name in ("limits", "bounds")
    )
    assert not compared(old, new).symbols
    assert not compared(old, new).moves


def test_what_compilers_number_is_the_same(tmp_path: Path) -> None:
    sources = [
        f'.section .text,"ax"\n.type f.{end}, @function\nf.{end}: .fill {size}, 1, 7\n.size f.{end}, {size}\n'
        for end, size in (("lto_priv.1", 6), ("lto_priv.2", 7))
    ]
    images = []
    for number, source in enumerate(sources):
        folder = tmp_path / str(number)
        folder.mkdir()
        images.append(
            link(folder, SCRIPT, [assemble(folder, source, name=f"cc{number}.ltrans0.ltrans.o")], options=["-e0"])
        )
    (change,) = compared(*images).symbols
    assert (change.old, change.new, change.detail) == (6, 7, ".text; it was f.lto_priv.1")
    (change,) = compared(*images).objects
    assert (change.old, change.new) == (6, 7)


def test_orphans_and_discards_are_told(tmp_path: Path) -> None:
    odd = SOURCE + '__attribute__((section("odd"))) int stray = 5;\n'
    builds = compared(built(tmp_path / "old"), built(tmp_path / "new", source=odd))
    (orphan,) = builds.orphans
    assert (orphan.name, orphan.old, orphan.new, orphan.detail) == ("odd", None, 4, "in odd")
    gone = SCRIPT.replace("*(.comment)", "*(.comment) *(odd)")
    builds = compared(built(tmp_path / "new", source=odd), built(tmp_path / "gone", gone, odd))
    (move,) = builds.moves
    assert (move.kind, move.old.output, move.count, move.size) == ("discarded", "odd", 1, 4)
    back = compared(built(tmp_path / "gone", gone, odd), built(tmp_path / "new", source=odd))
    assert [move.kind for move in back.moves] == ["kept"]


def test_permissions_are_told(tmp_path: Path) -> None:
    writable = SCRIPT.replace("*(.rodata .rodata.*)", "*(.rodata .rodata.*) *(.data .data.*)")
    builds = compared(built(tmp_path / "old"), built(tmp_path / "new", writable))
    assert "permissions r-- -> rw-" in named(builds.sections, ".rodata").detail


def test_a_stripped_image_says_what_it_lacks(tmp_path: Path) -> None:
    old, new = built(tmp_path / "old"), built(tmp_path / "new")
    assert new.elf is not None
    subprocess.run([tool(f"{TARGETS['x86_64'].prefix}strip"), str(new.elf)], check=True)
    builds = compared(old, new, maps=False)
    assert builds.placed_alike is None
    assert any("symbols are not compared" in said and str(new.elf) in said for said in builds.untold)


def test_padding_is_told_by_cause(tmp_path: Path) -> None:
    padded = SCRIPT.replace("*(.rodata .rodata.*)", "*(.rodata .rodata.*) . = ALIGN(1024);")
    builds = compared(built(tmp_path / "old"), built(tmp_path / "new", padded))
    rodata = named(builds.sections, ".rodata")
    assert rodata.by > 900
    assert named(builds.padding, "assignment").by == rodata.by


@pytest.mark.parametrize("variant", ["swallowed", "wildcard-first"])
def test_a_fault_of_the_mini_hypervisor_is_one_cause_at_its_line(variant: str) -> None:
    good, bad = mini_image("x86_64"), mini_image("x86_64", variant)
    builds = diff(
        str(good.preprocessed), str(bad.preprocessed),
        old_elf=str(good.elf), new_elf=str(bad.elf), old_map=str(good.map), new_map=str(bad.map),
    ).builds  # fmt: skip
    assert builds is not None
    places = {move.new.place.line for move in builds.moves if move.new.place is not None}
    line = {"swallowed": "*(.data .data.*)", "wildcard-first": "*(.text.*)"}[variant]
    assert bad.line_of(line) in places
    assert all(move.new.place is not None and move.new.place.file.endswith("mini.lds.S") for move in builds.moves)


def test_one_side_alone_is_refused(tmp_path: Path) -> None:
    done = built(tmp_path / "old")
    with pytest.raises(CheckError, match="no build is given of the new side"):
        diff(old_elf=str(done.elf))
    with pytest.raises(CheckError, match="none is given"):
        diff(budgets=["RAM=1K"])


BUDGETS = [
    ("RAM=8K", True), ("RAM=384", True), ("RAM=383", False), ("RAM=100%", True), ("RAM=4%", False),
    ("FLASH=+0", True), (".bss=128", True), (".bss=+0", True), ("memory=1K", True), ("memory=300", False),
]  # fmt: skip


@pytest.mark.parametrize(("budget", "kept"), BUDGETS)
def test_budgets(tmp_path: Path, budget: str, kept: bool) -> None:
    done = built(tmp_path)
    found = diff(
        old_elf=str(done.elf), new_elf=str(done.elf), old_map=str(done.map), new_map=str(done.map), budgets=[budget]
    )
    assert named(found.builds.regions, "RAM").new == 384  # type: ignore[union-attr]
    assert bool(found.unmet) != kept


@pytest.mark.parametrize(
    "budget", ["RAM", "=1K", "RAM=", "RAM=x", "RAM=1%%", "RAM=-1", "RAM=+", "nothing=1K", ".text=5%", "RAM=1e9%"]
)
def test_what_is_no_budget_is_refused(tmp_path: Path, budget: str) -> None:
    done = built(tmp_path)
    with pytest.raises(CheckError, match=r"budget|no memory region"):
        diff(old_map=str(done.map), new_map=str(done.map), budgets=[budget])


@pytest.mark.parametrize("gate", [{"budgets": ["memory=1M"]}, {"no_growth": True}])
@pytest.mark.parametrize("part", ["elf", "map"])
def test_a_part_of_a_build_meets_no_budget(tmp_path: Path, part: str, gate: dict[str, Any]) -> None:
    done = built(tmp_path)
    whole = {"elf": done.elf, "map": done.map}[part]
    cut = tmp_path / f"cut.{part}"
    assert whole is not None
    content = whole.read_bytes()
    cut.write_bytes(content[: content.index(b"\n.bss") if part == "map" else len(content) - 100])
    names: dict[str, Any] = {f"old_{part}": str(whole), f"new_{part}": str(cut)}
    with pytest.raises(CheckError, match=r"by a part|the file ends at"):
        diff(**names, **gate)


def test_growth(tmp_path: Path) -> None:
    old, new = built(tmp_path / "old"), built(tmp_path / "new", source=SOURCE.replace("cold[32]", "cold[33]"))
    names: dict[str, Any] = {"old_map": str(old.map), "new_map": str(new.map)}
    missed = diff(**names, no_growth=True).unmet
    assert [one.message for one in missed] == [
        "what is in memory grew by 4 bytes, to " + f"{compared(old, new).totals[0].new:,}",
        "RAM grew by 4 bytes, to 388",
    ]
    assert not diff(old_map=names["new_map"], new_map=names["old_map"], no_growth=True).unmet


@pytest.mark.parametrize(("elf", "maps"), [(True, False), (False, True)])
def test_builds_for_two_architectures_are_refused(tmp_path: Path, elf: bool, maps: bool) -> None:
    sides = []
    for target in ("x86_64", "arm64"):
        folder = tmp_path / target
        folder.mkdir()
        made = compile_c(folder, SOURCE, target)
        sides.append(link(folder, SCRIPT, [made], target, ["-e0"]))
    with pytest.raises(CheckError, match=r"the old build is .*x86.64, and the new one is .*(arm64|aarch64)"):
        compared(*sides, elf=elf, maps=maps)
