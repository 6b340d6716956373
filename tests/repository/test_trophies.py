"""The page of faults that were found: its form, and that ldcheck still says what stands there, on the real sources."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import pytest

import ldcheck
from ldcheck.cli.main import main
from ldcheck.image.elf import read_elf
from ldcheck.report.formats import render
from ldcheck.report.options import Options
from tests.field.refactorings import Mirror
from tests.support.build import assemble, link
from tests.support.cache import ROOT
from tests.support.debian import XEN_VERSION, source_package
from tests.support.tools import unavailable
from tests.support.xen import xen

PAGE = ROOT / "docs" / "trophies.md"
LINUX_VERSION = "6.1.176-1"
LINUX_FILES = [
    *(f"arch/arm64/{part}" for part in ("kernel/vmlinux.lds.S", "kernel/*.h", "include/*")),
    *(f"include/{folder}/*" for folder in ("linux", "asm-generic", "uapi", "vdso")),
]


@cache
def entries() -> dict[str, tuple[dict[str, str], list[str]]]:
    """By heading: the fields of an entry, and the lines that ldcheck says."""
    found = {}
    for text in PAGE.read_text().split("\n## ")[1:]:
        heading, _, body = text.partition("\n")
        (said,) = re.findall(r"^```text\n(.*?)^```$", body, re.MULTILINE | re.DOTALL)
        found[heading] = (dict(re.findall(r"^\* (\w+): (.*)$", body, re.MULTILINE)), said.splitlines())
    return found


def names(project: str) -> list[str]:
    return [heading for heading in entries() if heading.startswith(f"{project}: ")]


def test_every_entry_is_checked() -> None:
    assert {*names("Xen"), *names("Linux"), *names("U-Boot")} == set(entries())


@pytest.mark.parametrize("heading", entries())
def test_an_entry_has_its_fields(heading: str) -> None:
    fields, said = entries()[heading]
    # What a change does, no policy says.
    assert list(fields) == ["version", *([] if heading in names("U-Boot") else ["policy"]), "place", "status"]
    assert re.match(r"(not reported$|reported |mended by commit [0-9a-f]{12} )", fields["status"])
    assert said[0].startswith(f"{fields['place'].strip('`')}:")


@pytest.mark.parametrize("heading", names("Xen"))
def test_xen(heading: str) -> None:
    fields, said = entries()[heading]
    (version, commit) = re.findall(r"Xen ([\d.]+), commit (\w+)", fields["version"])[0]
    assert re.fullmatch(rf"{re.escape(version)}\+\d+-g{commit}-\d+", XEN_VERSION)
    found = xen("x86_64" if "x86" in fields["version"] else "arm32")
    report = ldcheck.check([str(found.preprocessed)], policies=[fields["policy"].strip("`")], elf=str(found.elf))
    assert set(said) == set(render("concise", report, Options()).splitlines())


@pytest.mark.sweep
@pytest.mark.parametrize("heading", names("Linux"))
def test_linux(heading: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fields, said = entries()[heading]
    assert LINUX_VERSION.startswith(re.findall(r"Linux ([\d.]+)", fields["version"])[0] + "-")
    monkeypatch.chdir(source_package("linux", LINUX_VERSION, LINUX_FILES))
    choices = re.findall(r"`(CONFIG_\w+)`", fields["version"])
    # The fault is there with each of the choices, and without any of them where there are none.
    for chosen in choices or [""]:
        assert set(said) <= linux(fields["policy"].strip("`"), chosen)
    if choices:
        assert not set(said) & linux(fields["policy"].strip("`"), "")


@pytest.mark.sweep
@pytest.mark.parametrize("heading", names("U-Boot"))
def test_u_boot(
    heading: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = Path(os.environ.get("LDCHECK_MIRRORS", "")) / "u-boot+u-boot" / "repo"
    if not bare.is_dir():
        unavailable("no repository of U-Boot: LDCHECK_MIRRORS has to name the folder with u-boot+u-boot/repo")
    fields, said = entries()[heading]
    path = fields["place"].strip("`").partition(":")[0]
    mirror = Mirror(bare, tmp_path / "clone")
    mirror.check_out(re.findall(r"commit (\w{12})", fields["version"])[0])
    monkeypatch.chdir(mirror.folder)
    assert main(["diff", "--since", "HEAD~1", "--expect", "same", path]) == 1
    assert set(said) <= set(capsys.readouterr().out.splitlines())
    # GNU ld says so, too.
    objects = [assemble(tmp_path, '.section .u_boot_cmd,"a"\n.quad 1\n')]
    found = []
    for commit in ("HEAD~1", "HEAD"):
        # The script only adds to the linker's own.
        script = mirror.text(commit, path).partition("INSERT")[0]
        image = link(tmp_path, script, objects).elf
        assert image is not None
        found.append({one.name for one in read_elf(str(image)).sections if one.allocated})
    assert [{".u_boot_cmd", "_u_boot_cmd"} & sections for sections in found] == [{".u_boot_cmd"}, {"_u_boot_cmd"}]


def linux(policy: str, chosen: str) -> set[str]:
    """What ldcheck says of arm64's script, as lines, with one of the choices on which the macros of sections depend."""
    options = {"CONFIG_LTO_CLANG", "CONFIG_LD_DEAD_CODE_DATA_ELIMINATION"}
    definitions: dict[str, str | None] = dict.fromkeys(options - {chosen})
    definitions |= dict.fromkeys(("__KERNEL__", "__ASSEMBLY__", "LINKER_SCRIPT", "CONFIG_ARM64", "CONFIG_64BIT"), "1")
    definitions |= {"KASAN_SHADOW_SCALE_SHIFT": "3", "CONFIG_ARM64_4K_PAGES": "1"}
    if chosen:
        definitions[chosen] = "1"
    report = ldcheck.check(
        [str(Path("arch/arm64/kernel/vmlinux.lds.S"))],
        policies=[policy],
        arch="arm64",
        includes=["arch/arm64/include", "include", "arch/arm64/include/uapi", "include/uapi"],
        include_first=["include/linux/compiler-version.h", "include/linux/kconfig.h"],
        definitions=definitions,
    )
    assert report.errors == ()
    return set(render("concise", report, Options()).splitlines())
