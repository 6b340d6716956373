"""What is predicted of two scripts and the inputs of a link is what two links of them then show."""

from __future__ import annotations

import json
import subprocess
from contextlib import chdir, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ldcheck.api import diff
from ldcheck.cli.main import main
from ldcheck.compare.builds import Builds, Change
from ldcheck.findings import CheckError
from ldcheck.image.definitions import read_definitions
from ldcheck.image.elf import read_elf
from ldcheck.image.link_inputs import from_map
from ldcheck.image.maps import read_map
from ldcheck.image.objects import read_objects
from ldcheck.layout.knowledge import Options
from ldcheck.layout.link_options import link_options
from ldcheck.layout.player import play
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.layout.played_links import Tally, compare
from tests.support.build import compile_c, link
from tests.support.images import mini_image
from tests.support.tools import c_library, tool

OLD = """\
MEMORY { FLASH (rx) : ORIGIN = 0x8000, LENGTH = 4K
         RAM (rw) : ORIGIN = 0x20000, LENGTH = 4K }
SECTIONS {
  .text : { *(.text*) *(.init.text) } > FLASH
  .rodata : { *(.rodata*) } > FLASH
  .data : { *(.data*) } > RAM AT> FLASH
  .bss : { *(.bss*) . = ALIGN(8); end = .; } > RAM
  /DISCARD/ : { *(.comment) *(.note*) }
}
"""
INIT = "  .init : { . = ALIGN(64); *(.init.text) } > FLASH\n"
NEW = OLD.replace(" *(.init.text) }", " }").replace("  .rodata :", f"{INIT}  .rodata :")
SOURCE = """
int table[8] = {1}; int bss[100]; const char *const names[] = {"alpha", "beta"};
__attribute__((section(".init.text"))) int start(void) { return table[1]; }
__attribute__((section("odd"))) int stray = 3;
int f(int x) { return bss[x] + table[2]; }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("old.ld").write_text(OLD)
    Path("new.ld").write_text(NEW)
    compile_c(tmp_path, SOURCE, options=["-ffunction-sections"])
    compile_c(tmp_path, SOURCE, "arm64", "other.o")
    link(tmp_path, OLD, ["a.o"], options=["-e0"], name="linked")
    return tmp_path


def linked(folder: Path, script: str, *options: str) -> str:
    done = link(folder, folder / script, ["a.o"], options=["-e0", *options], name=f"{script}.elf")
    assert done.map is not None, done.output
    return str(done.map)


def shown(builds: Builds | None) -> dict[str, list[Any]]:
    """What does not hang on an ELF file."""
    assert builds is not None

    def rows(changes: tuple[Change, ...]) -> list[Any]:
        return [(one.name, one.old, one.new, one.of) for one in changes]

    return {
        "moves": [(one.kind, one.old.output, one.new.output, one.count, one.size) for one in builds.moves],
        "memory": rows(builds.totals[:1]),
        **{part: rows(getattr(builds, part)) for part in ("regions", "sections", "inputs", "orphans", "padding")},
        "order": [*builds.order],
        "slid": [builds.slid],
    }


def test_it_is_what_the_links_show(folder: Path) -> None:
    old_map, new_map = linked(folder, "old.ld"), linked(folder, "new.ld")
    real = shown(diff("old.ld", "new.ld", old_map=old_map, new_map=new_map).builds)
    assert real["moves"] == [("moved", ".text", ".init", 1, real["moves"][0][4])]
    assert shown(diff("old.ld", "new.ld", objects=["a.o"]).builds) == real
    assert shown(diff("old.ld", "new.ld", map=old_map).builds) == real


def test_what_nothing_refers_to_is_dropped_as_in_the_links(folder: Path) -> None:
    Path("new.ld").write_text(NEW.replace("*(.init.text)", "KEEP(*(.init.text))"))
    options = ["-e0", "--gc-sections", "-u", "f"]
    old_map, new_map = linked(folder, "old.ld", *options), linked(folder, "new.ld", *options)
    real = shown(diff("old.ld", "new.ld", old_map=old_map, new_map=new_map).builds)
    assert real["moves"]
    assert shown(diff("old.ld", "new.ld", objects=["a.o"], link_options=options).builds) == real
    assert shown(diff("old.ld", "new.ld", map=old_map, link_options=options).builds) == real


def test_a_cause_stands_at_its_line(folder: Path) -> None:
    builds = diff("old.ld", "new.ld", objects=["a.o"]).builds
    assert builds is not None
    (move,) = builds.moves
    assert move.new.place is not None
    assert NEW.splitlines()[move.new.place.line - 1].strip() == INIT.strip()
    assert move.named == (f"start: .init.text of a.o, {move.size} bytes",)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--objects", "a.o"), 0),
        (("--objects", "a.o", "--budget", "FLASH=1K"), 0),
        (("--objects", "a.o", "--budget", "FLASH=64"), 1),
        (("--objects", "a.o", "--expect", "no-growth"), 1),
        (("--objects", "a.o", "--link-options=-z max-page-size=4096 -N"), 0),
        (("--objects", "a.o", "--link-options=--gc-sections -u start"), 0),
        (("--objects", "a.o", "--link-options=-pie"), 2),
        (("--objects", "a.o", "--link-options='"), 2),
        (("--objects", "absent.o"), 2),
        (("--objects", "linked"), 2),
        (("--objects", "a.o", "other.o"), 2),
        (("--map", "absent.map"), 2),
        (("--objects", "a.o", "--map", "old.ld.map"), 2),
    ],
)
def test_exit_status(folder: Path, arguments: tuple[str, ...], status: int) -> None:
    assert main(["diff", "old.ld", "new.ld", *arguments]) == status


def test_what_is_not_predicted_is_said_at_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.ld").write_text(NEW.replace(". = ALIGN(8); end", ". = missing; end"))
    assert main(["diff", "old.ld", "new.ld", "--objects", "a.o"]) == 2
    assert "new.ld:8:21: error: not predicted: GNU ld refuses" in capsys.readouterr().err


def test_a_link_with_other_options_is_noticed(folder: Path) -> None:
    made = linked(folder, "old.ld", "--sort-section=alignment")
    with pytest.raises(CheckError, match="not predicted: played through"):
        diff("old.ld", "new.ld", map=made)
    assert diff("old.ld", "new.ld", map=made, link_options=["--sort-section=alignment"]).builds is not None


def test_what_a_link_took_out_may_come_back(folder: Path) -> None:
    Path("old.ld").write_text(f"ENTRY(start)\n{OLD}")
    Path("new.ld").write_text(f"ENTRY(start)\n{OLD}".replace("*(.text*)", "KEEP(*(.text*))"))
    options = ["--gc-sections", "-e", "start"]
    old_map, new_map = linked(folder, "old.ld", *options), linked(folder, "new.ld", *options)
    real = shown(diff("old.ld", "new.ld", old_map=old_map, new_map=new_map).builds)
    assert real["moves"] != []
    assert shown(diff("old.ld", "new.ld", map=old_map).builds) == real
    assert shown(diff("old.ld", "new.ld", objects=["a.o"], link_options=options).builds) == real


def test_a_map_without_its_objects_is_refused(folder: Path) -> None:
    made = linked(folder, "old.ld")
    Path("a.o").unlink()
    with pytest.raises(CheckError, match=r"a\.o, which it names, is not here"):
        diff("old.ld", "new.ld", map=made)


def test_inputs_and_builds_are_not_mixed(folder: Path) -> None:
    made = linked(folder, "old.ld")
    with pytest.raises(CheckError, match="builds are linked already"):
        diff("old.ld", "new.ld", objects=["a.o"], old_map=made, new_map=made)
    with pytest.raises(CheckError, match="none are given"):
        diff(objects=["a.o"])


def test_what_ld_would_say_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.ld").write_text(NEW.replace("LENGTH = 4K\n", "LENGTH = 32\n"))
    assert main(["diff", "old.ld", "new.ld", "--objects", "a.o", "--format", "json"]) == 0
    (comparison,) = json.loads(capsys.readouterr().out)["comparisons"]
    assert "of new.ld GNU ld says: section `.init' will not fit in region `FLASH'" in comparison["builds"]["untold"]


@pytest.mark.parametrize("seed", range(40))
def test_damaged_inputs_are_refused_or_played(folder: Path, seed: int) -> None:
    made, random = Path(linked(folder, "old.ld")), Random(seed)
    for path in (Path("a.o"), made):
        data = bytearray(path.read_bytes())
        for _ in range(random.choice((1, 3, 20))):
            data[random.randrange(len(data))] = random.choice((0, 1, 0x7F, 0xFF, random.randrange(256)))
        path.write_bytes(data[: random.randrange(len(data))] if random.random() < 0.1 else data)
        inputs: dict[str, Any] = {"objects": ["a.o"]} if path.name == "a.o" else {"map": str(made)}
        with suppress(CheckError):
            diff("old.ld", "new.ld", **inputs)


def test_a_map_that_names_other_files_is_refused(folder: Path) -> None:
    made = Path(linked(folder, "old.ld"))
    made.write_text(made.read_text().replace("a.o", "/etc/passwd"))
    with pytest.raises(CheckError, match="expected an object file or archive"):
        diff("old.ld", "new.ld", map=str(made))


@pytest.mark.parametrize("arch", ["x86_64", "arm64", "arm32"])
@pytest.mark.parametrize("variant", ["good", "swallowed", "wildcard-first"])
def test_the_mini_hypervisor_is_predicted_to_the_byte(arch: str, variant: str) -> None:
    image = mini_image(arch, variant)
    names = [path.name for path in image.objects]
    with chdir(image.folder):
        inputs, symbols = read_objects(names), read_definitions(names)
    tree = parse(Source("mini.lds", image.preprocessed.read_text())).tree
    played = play(tree, inputs, symbols, link_options(["--build-id=sha1"], Options(arch=arch)))
    tally = Tally()
    compare(played, read_map(str(image.map)), variant, tally)
    assert not tally.broken, tally.broken[0]
    elf = read_elf(str(image.elf))
    assert len(played.symbols) > 5
    assert {name: elf.symbols[name].value for name in played.symbols} == dict(played.symbols)


# What a person may do to ld's own script.
STATIC = {
    "": "",
    "  .fini_array    :": "  .padded : { . += 24; . = ALIGN(64); inside = .; }\n  .fini_array    :",
    "*(.rodata .rodata.* .gnu.linkonce.r.*)": "*(SORT_BY_ALIGNMENT(.rodata) SORT_BY_ALIGNMENT(.rodata.*))",
    "*(.text.unlikely .text.*_unlikely .text.unlikely.*)": "*(SORT_BY_NAME(.text.*))",
}


def test_a_static_program_is_predicted_to_the_byte(tmp_path: Path) -> None:
    prefix = "x86_64-linux-gnu-"
    c_library(prefix)
    source = '#include <stdio.h>\nint main(int count, char **words) { return printf("%d %s", count, words[0]); }\n'
    (tmp_path / "h.c").write_text(source)
    default = run([tool(f"{prefix}ld"), "--verbose"], tmp_path).split("=" * 50)
    with chdir(tmp_path):
        run([tool(f"{prefix}gcc"), "-O2", "-c", "h.c"], tmp_path)
        for number, (old, new) in enumerate(STATIC.items()):
            script = default[1].replace(old, new) if old else default[1]
            assert script != default[1] or not old
            Path(f"{number}.ld").write_text(script)
            options = ["-static", "-Wl,--build-id", f"-Wl,-Map={number}.map", f"-Wl,-T,{number}.ld", "-o", f"{number}"]
            run([tool(f"{prefix}gcc"), "h.o", *options], tmp_path)
        inputs = from_map(read_map("0.map"))
        assert len(inputs.sections) > 2000
        for number in range(len(STATIC)):
            tree = parse(Source("static.ld", Path(f"{number}.ld").read_text())).tree
            played = play(tree, inputs.sections, inputs.symbols, Options(arch="x86_64"), inputs.known)
            tally = Tally()
            compare(played, read_map(f"{number}.map"), f"script {number}", tally)
            assert not tally.broken, tally.broken[0]
            assert tally.inputs > 2000
            symbols = read_elf(f"{number}").symbols
            assert {name: symbols[name].value for name in played.symbols} == dict(played.symbols)


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("arch", ["x86_64", "arm64"])
def test_what_a_fault_of_the_mini_hypervisor_would_move(arch: str) -> None:
    good, bad = mini_image(arch), mini_image(arch, "swallowed")
    scripts = str(good.preprocessed), str(bad.preprocessed)
    with chdir(good.folder):
        options = ["--build-id=sha1"]
        found = diff(*scripts, objects=[path.name for path in good.objects], link_options=options).builds
        mapped = diff(*scripts, map=str(good.map)).builds
    real = diff(*scripts, old_map=str(good.map), new_map=str(bad.map)).builds
    assert shown(found)["moves"] == shown(real)["moves"] != []
    assert shown(found) == shown(mapped)
