"""What --gc-sections keeps by the entry: the one that is named, or the one that a linker takes of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ldcheck.linker import Linker as Meant
from ldcheck.script.parser import parse
from ldcheck.sections.roots import default_entry, roots
from ldcheck.source import Source
from tests.support.build import compile_c, link
from tests.support.linkers import ALL, Linker, as_params, command
from tests.support.tools import tool

NAMES = ("start", "_start", "main")
SCRIPT = "{} SECTIONS {{ . = 0x1000; .text : {{ *(.text .text.*) }} /DISCARD/ : {{ *(.comment .note.* .eh_frame) }} }}"


@pytest.mark.parametrize("linker", as_params(ALL))
@pytest.mark.parametrize("command_text", ["", "ENTRY(main)", "EXTERN(main)"])
def test_a_root_is_what_the_linker_keeps(tmp_path: Path, linker: Linker, command_text: str) -> None:
    source = "\n".join(f"int {name}(void) {{ return {number}; }}" for number, name in enumerate(NAMES))
    compile_c(tmp_path, source, "x86_64", "a.o", ["-ffunction-sections"])
    script = SCRIPT.format(command_text)
    done = link(tmp_path, script, ["a.o"], options=["--gc-sections"], linker=command(linker))
    assert done.elf is not None, done.output
    listed = subprocess.run([tool("nm"), done.elf], capture_output=True, text=True, check=True).stdout
    kept = {line.split()[-1] for line in listed.splitlines()}
    meant = Meant(linker.kind, tuple(map(int, linker.version.split("."))))
    found = roots(parse(Source("a.lds", script)).tree, {}, meant)
    assert kept & set(NAMES) == set(found)
    assert (default_entry(meant) in found) == ("ENTRY" not in command_text)
