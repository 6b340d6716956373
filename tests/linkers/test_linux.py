"""Linux's scripts linked by every linker: one image, but for what linker-portability says of the script."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import ldcheck
from ldcheck.findings import Finding, Severity
from ldcheck.image.elf import read_elf
from ldcheck.layout.interpret import interpret
from ldcheck.linker import Linker as Meant
from ldcheck.script.parser import parse
from ldcheck.script.syntax import Assignment, ProgramHeader, walk
from ldcheck.script.uses import mentioned
from ldcheck.source import Source
from tests.linkers.snippets import section
from tests.support.build import TARGETS, assemble
from tests.support.kernel_scripts import ARCHITECTURES, kernel_script
from tests.support.linkers import ALL, Linker, command

# Sections that kernels have, one of each kind; the first of those of the processors holds what has to be first there.
PER_CPU = ("fixed_percpu_data", "gdt_page", "irq_stack_backing_store", "pcpu_hot")
SECTIONS = (
    section(".head.text", "ax", 20),
    section(".rodata", size=10, align=8),
    section(".data", "aw", 6, align=16),
    section(".data..read_mostly", "aw"),
    section(".data..percpu", "aw", 8, align=8),
    section(".init.text", "ax", 10),
    section(".init.data", "aw"),
    section(".exit.text", "ax"),
    section(".altinstructions"),
    section("__ex_table"),
    section(".note.Linux", size=12, kind="%note"),
    section(".bss", "aw", 100, "%nobits", 32),
    section(".bss..page_aligned", "aw", 100, "%nobits"),
    section(".comment", ""),
    section(".debug_info", ""),
)
# Sections that the scripts of only some architectures place.
SOME = {
    ".vvar__vdso_data": section(".vvar__vdso_data", "aw", 8),
    ".bss..brk": section(".bss..brk", "aw", 100, "%nobits"),
}
# What an image shows: allocated sections with content, with their load addresses, and symbols.
Image = dict[str, tuple[object, ...]]


def source(script: str) -> str:
    """An object with these sections, and with every symbol that the script leaves to objects."""
    tree = parse(Source("vmlinux.lds", script)).tree
    assigned = {node.target.text for node in walk(tree) if isinstance(node, Assignment)}
    headers = {node.name.text for node in walk(tree) if isinstance(node, ProgramHeader)}
    names = sorted(mentioned(tree) - assigned - headers)
    first = [name for name in names if name in PER_CPU]
    labels = ["".join(f".globl {name}\n{name}:\n" for name in some) for some in (first, set(names) - set(first))]
    head = f'.section ".data..percpu..first","aw"\n{labels[0]}.skip 12,1\n.text\n{labels[1]}.skip 36,1\n'
    some = [one for name, one in SOME.items() if name in script]
    return head + "".join([*SECTIONS, *some]).replace("@", "%")


def image(linker: Linker, script: str, text: str, folder: Path, target: str) -> Image:
    """What a linker makes of a kernel's script and an object."""
    (folder / "vmlinux.lds").write_text(script)
    assemble(folder, text, target)
    elf = folder / "vmlinux"
    elf.unlink(missing_ok=True)
    options = ["-nostdlib", "--build-id=none", "-z", "max-page-size=4096", "--noinhibit-exec"]
    subprocess.run(
        [command(linker, target), *TARGETS[target].linker, *options, "-T", "vmlinux.lds", "-o", elf.name, "a.o"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=120,
    )
    made = read_elf(str(elf))
    found: Image = {
        one.name: (one.address, one.size, one.type, made.load_address(one))
        for one in made.sections
        if one.allocated and one.size
    }
    return found | {name: (one.value,) for name, one in made.symbols.items() if one.defined}


def said(folder: Path, linkers: str) -> list[Finding]:
    report = ldcheck.check([str(folder / "vmlinux.lds")], select=["linker-portability"], linker=linkers)
    assert report.errors == ()
    return [*report.findings, *report.unshown]


def differences(script: str, more: str, folder: Path, target: str) -> dict[str, set[str]]:
    """The names that other linkers give another place than GNU ld 2.40, by linker."""
    text = source(script) + more
    images = {str(linker): image(linker, script, text, folder, target) for linker in ALL}
    usual = images["gnu-2.40"]
    return {name: {one for one in {*usual, *made} if usual.get(one) != made.get(one)} for name, made in images.items()}


@pytest.mark.sweep
@pytest.mark.parametrize("target", ARCHITECTURES)
def test_a_kernel_is_the_same_for_all_linkers(target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = kernel_script(target)
    assert differences(script, "", tmp_path, target) == {str(linker): set() for linker in ALL}
    with capsys.disabled():
        print(f"\n{target}: {len(ALL)} linkers, one image")
    # Nothing differs for certain; what may differ has no content here.
    found = said(tmp_path, "gnu=2.40,lld=19")
    assert {finding.severity for finding in found} == {Severity.NOTE}
    lines = script.splitlines()
    places = [lines[finding.location.line - 1] for finding in found]
    assert sorted(line.split()[0] for line in places) == ([".stab"] if target == "x86_64" else [".got", ".stab"])


@pytest.mark.sweep
@pytest.mark.parametrize("target", ARCHITECTURES)
def test_what_is_said_of_a_number_is_so(target: str, tmp_path: Path) -> None:
    script = kernel_script(target).replace(" _stext = .;", " _stext = .; number = 0x40;")
    found = differences(script, "", tmp_path, target)
    for name, different in found.items():
        assert different == ({"number"} if name.startswith("lld") else set())
    (error,) = [one for one in said(tmp_path, "gnu=2.40,lld=19") if one.severity is Severity.ERROR]
    assert "number" in script.splitlines()[error.location.line - 1]


@pytest.mark.sweep
@pytest.mark.parametrize("target", ARCHITECTURES)
@pytest.mark.parametrize("linker", [pytest.param(one, id=str(one)) for one in ALL])
def test_every_fact_of_a_kernel_holds(
    linker: Linker, target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = kernel_script(target)
    tree = parse(Source("vmlinux.lds", script)).tree
    made = image(linker, script, source(script), tmp_path, target)
    layout = interpret(tree, linker=Meant(linker.kind, tuple(map(int, linker.version.split(".")))))
    told = 0
    for name, (value, *_) in made.items():
        known = layout.symbol(name) or layout.section_start(name)
        if known is not None:
            assert isinstance(value, int)
            assert known.number.holds(value), f"{name} is {value:#x}, said to be {known}"
            told += known.modulus != 1 or known.low > 0
    with capsys.disabled():
        print(f"\n{target} by {linker}: {told} facts")
    assert told > 40
