"""The profile of an arm object is what readelf shows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ldcheck.image.arm_attributes import SHT_ARM_ATTRIBUTES, arm_profile
from ldcheck.image.elf_file import ElfFile
from ldcheck.image.files import OpenFile
from tests.support.build import compile_c
from tests.support.tools import tool

SHOWN = {"Microcontroller": "M", "Application": "A", "Realtime": "R", "None": "", "": ""}


def attributes(path: Path) -> bytes:
    with OpenFile(str(path), "an object") as window:
        elf = ElfFile(window)
        (header,) = (header for header in elf.sections if header.sh_type == SHT_ARM_ATTRIBUTES)
        return elf.content(header)


@pytest.mark.parametrize(
    "options",
    [
        ("-mcpu=cortex-m0", "-mthumb", "-mfloat-abi=soft"), ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft"),
        ("-mcpu=cortex-m33", "-mthumb", "-mfloat-abi=soft"), ("-mcpu=cortex-a9",),
        ("-mcpu=cortex-r5", "-mfloat-abi=soft"),
        ("-mcpu=arm926ej-s", "-marm", "-mfloat-abi=soft"),
    ],
)  # fmt: skip
def test_profile(tmp_path: Path, options: tuple[str, ...]) -> None:
    path = compile_c(tmp_path, "int f(void) { return 1; }", "arm32", options=options)
    shown = subprocess.run([tool("arm-linux-gnueabihf-readelf"), "-A", path], capture_output=True, text=True).stdout
    said = next((line.split(": ")[1] for line in shown.splitlines() if "Tag_CPU_arch_profile" in line), "")
    assert arm_profile(attributes(path), "<") == SHOWN[said]


def test_damage_is_no_profile(tmp_path: Path) -> None:
    data = attributes(
        compile_c(tmp_path, "int x;", "arm32", options=("-mcpu=cortex-m0", "-mthumb", "-mfloat-abi=soft"))
    )
    for length in range(len(data)):
        assert arm_profile(data[:length], "<") in ("", "M")
    for at in range(len(data)):
        for value in (0, 0x7F, 0xFF):
            assert len(arm_profile(data[:at] + bytes([value]) + data[at + 1 :], "<")) <= 1
