"""The symbols of links with the linkers' own scripts: every assignment's value as we compute it, and as ld did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.script.agreement import ldscripts, source_scripts
from tests.script.real_links import OBJECT, compare, text_of
from tests.support.build import assemble
from tests.support.tools import tool

# Targets, the packages with their default scripts, and the prefixes of those.
DEFAULT = (
    ("x86_64", "binutils-x86-64-linux-gnu", "elf_x86_64.x"),
    ("x86_32", "binutils-x86-64-linux-gnu", "elf_i386.x"),
    ("arm64", "binutils-aarch64-linux-gnu", "aarch64linux.x"),
    ("arm32", "binutils-arm-linux-gnueabihf", "armelf_linux_eabi.x"),
    ("riscv64", "binutils-riscv64-linux-gnu", "elf64lriscv.x"),
    ("ppc64", "binutils-powerpc64-linux-gnu", "elf64ppc.x"),
    ("mips", "binutils-mips-linux-gnu", "elf32btsmip.x"),
    ("s390x", "binutils-s390x-linux-gnu", "elf64_s390.x"),
)


def check(scripts: list[Path], target: str, folder: Path, options: tuple[str, ...] = ()) -> tuple[int, int]:
    """How many scripts could be linked with values to compare, and how many values agreed. A wrong one fails."""
    objects = [assemble(folder, OBJECT, target)]
    links = values = 0
    for path in scripts:
        compared, wrong = compare(folder, text_of(path), target, objects, options)
        assert not (compared and wrong), f"{path.name}: {wrong}"
        links += compared > 0
        values += compared
    return links, values


def linking(paths: list[Path]) -> list[Path]:
    """Without the scripts for `ld -r`, which fix no addresses."""
    return [path for path in paths if not path.suffix.startswith((".xr", ".xu"))]


def test_values_of_default_links(tmp_path: Path) -> None:
    found = sorted((Path(tool("ld")).resolve().parent.parent / "lib").rglob("ldscripts/elf_x86_64.x*"))
    links, values = check(linking(found)[::2], "x86_64", tmp_path)
    assert links >= 5
    assert values >= 60


@pytest.mark.sweep
@pytest.mark.parametrize(("target", "package", "prefix"), DEFAULT, ids=[entry[0] for entry in DEFAULT])
def test_values_of_links_for_every_target(
    target: str, package: str, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scripts = [path for path in linking(ldscripts(package)) if path.name.startswith(prefix)]
    links, values = check(scripts, target, tmp_path)
    with capsys.disabled():
        print(f"\n{target}: {values} values in {links} links agree")
    assert links >= 5


@pytest.mark.sweep
@pytest.mark.parametrize(("target", "part"), [("arm64", "aarch64"), ("arm32", "/arm/"), ("riscv64", "riscv")])
def test_values_of_links_of_firmware(
    target: str, part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from ldcheck.script.parser import parse
    from ldcheck.source import Source

    found = [*source_scripts("newlib"), *source_scripts("u-boot")]
    scripts = [path for path in found if part in str(path) and parse(Source("s", text_of(path))).ok]
    links, values = check(scripts, target, tmp_path, ("--noinhibit-exec",))
    with capsys.disabled():
        print(f"\n{target}: {values} values in {links} links of {len(scripts)} scripts agree")
    assert values
