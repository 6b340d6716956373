"""The stock policies on Debian's Xen: script and xen-syms of three architectures, every finding checked by hand.

What is listed as not held was looked at in Xen's source and in `readelf -sW` of the image; the tests compare the
figures with readelf again.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import ldcheck
from ldcheck.findings import Finding, Severity, Verdict
from ldcheck.report.model import Report
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.support.tools import tool
from tests.support.xen import newer_elf, newer_tree, xen

EXAMPLE = Path(__file__).parent.parent / "examples" / "xen" / ".ldcheck.yaml"
ARCHITECTURES = {"x86_64": "xen/x86", "arm64": "xen/arm", "arm32": "xen/arm"}

# With CONFIG_CC_SPLIT_SECTIONS, as Debian builds x86, `*(.text.*)` in .text stands ahead of `*(.text.startup)` in
# .init.text and of `*(.text.exit)` in /DISCARD/: start-up code is never freed, exit code is kept. On arm32 nothing
# aligns __proc_info_start behind *(.data.rel.ro.*); it is aligned by what lies in front of it. What a macro of the
# headers would tell (XEN_VIRT_START) a preprocessed script does not, and what is init as a whole, and who refers to it,
# only the objects do.
NOT_HELD = {
    "x86_64": {
        "startup-not-shadowed": Verdict.VIOLATED,
        "text-exit-not-shadowed": Verdict.VIOLATED,
        "thunks-not-shadowed": Verdict.VIOLATED,
        "init-objects-in-init": Verdict.NOT_CHECKED,
        "init-not-referenced": Verdict.NOT_CHECKED,
        # An ELF alone does not tell whether something is COMMON.
        "no-orphans": Verdict.NOT_CHECKED,
    },
    "arm64": {
        "starts-where-linked": Verdict.NOT_CHECKED,
        "init-objects-in-init": Verdict.NOT_CHECKED,
        "init-not-referenced": Verdict.NOT_CHECKED,
        "no-orphans": Verdict.NOT_CHECKED,
    },
    "arm32": {
        "proc-info-aligned": Verdict.UNPROVEN,
        "starts-where-linked": Verdict.NOT_CHECKED,
        "init-objects-in-init": Verdict.NOT_CHECKED,
        "init-not-referenced": Verdict.NOT_CHECKED,
        "no-orphans": Verdict.NOT_CHECKED,
    },
}


def symbols(elf: Path) -> dict[str, int]:
    """Names and values by readelf."""
    listed = subprocess.run([tool("readelf"), "-sW", elf], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return {row[7]: int(row[1], 16) for row in rows if len(row) == 8 and row[0][:-1].isdigit() and row[6] != "UND"}


def check(arch: str, *, script: bool = True, image: bool = True) -> Report:
    found = xen(arch)
    return ldcheck.check(
        [str(found.preprocessed)] if script else [],
        policies=[ARCHITECTURES[arch]],
        elf=str(found.elf) if image else "",
    )


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_script_parses_in_full(arch: str) -> None:
    for efi in (False, True) if arch == "x86_64" else (False,):
        path = xen(arch, efi).preprocessed
        assert not parse(Source(str(path), path.read_text())).problems


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_script_and_image(arch: str) -> None:
    report = check(arch)
    assert report.errors == ()
    verdicts = {result.rule: result.verdict for result in report.rules}
    passing = (Verdict.HELD, Verdict.NOT_APPLICABLE)
    assert {rule: verdict for rule, verdict in verdicts.items() if verdict not in passing} == NOT_HELD[arch]
    assert sum(verdict is Verdict.HELD for verdict in verdicts.values()) > 25
    assert report.status == (1 if Verdict.VIOLATED in NOT_HELD[arch].values() else 0)


def test_findings_stand_at_the_lines_of_the_source() -> None:
    lines = xen("x86_64").script.read_text().splitlines()
    for finding in check("x86_64", image=False).findings:
        place = finding.location
        assert place.file == "arch/x86/xen.lds.S"
        assert lines[place.line - 1] == place.excerpt
        assert "*(.text.*)" in place.excerpt


@pytest.mark.parametrize("arch", ["arm32"])
def test_unproven_alignment_is_what_readelf_says(arch: str) -> None:
    finding = only(check(arch).findings, "proc-info-aligned")
    address = symbols(xen(arch).elf)["__proc_info_start"]
    assert address % 4 == 0
    assert finding.facts == (f"in the image: __proc_info_start is at {address:#x}",)
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_image_alone(arch: str) -> None:
    report = check(arch, script=False)
    assert report.errors == ()
    verdicts = [result.verdict for result in report.rules]
    assert verdicts.count(Verdict.HELD) >= 15
    assert Verdict.VIOLATED not in verdicts
    assert report.status == 0


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_moved_boundary_is_found_in_the_script(arch: str) -> None:
    """The good script with one line broken: each break is found, by its own rule."""
    text = xen(arch).preprocessed.read_text()
    breaks = {
        "init-page-aligned": ("  __init_begin = .;", "  . += 8;\n  __init_begin = .;"),
        "read-mostly-not-shadowed": ("       *(.rodata)\n", "       *(.rodata)\n       *(.data.read*)\n"),
        "image-order": ("  _end = . ;", ""),
    }
    for rule, (old, new) in breaks.items():
        assert old in text
        broken = text.replace(old, new, 1)
        # What the script's own ASSERT refuses is no link that a rule need speak of.
        broken = re.sub(r"^ASSERT\(.*__init_begin.*$", "", broken, flags=re.MULTILINE)
        if rule == "image-order":
            broken = broken.replace("  _start = .;", "  _start = .;\n  _end = .;", 1)
        report = ldcheck.check(["xen.lds"], policies=[ARCHITECTURES[arch]], text=broken)
        assert rule in {finding.rule for finding in report.findings}, rule


# Debian has no such Xen for 32-bit Arm any more.
@pytest.mark.parametrize("arch", ["x86_64", "arm64"])
def test_image_of_the_newer_release_alone(arch: str) -> None:
    """4.20 as Debian builds it; which policy it calls for, its symbols tell."""
    report = ldcheck.check(elf=str(newer_elf(arch)))
    assert report.errors == ()
    assert f"judged by generic and {ARCHITECTURES[arch]}" in report.notes[0]
    verdicts = {result.rule: result.verdict for result in report.rules}
    # Xen's one segment is writable and executable by design, which is a note.
    assert {rule for rule, verdict in verdicts.items() if verdict is Verdict.VIOLATED} <= {"rwx-segment"}
    assert verdicts["image-order"] is verdicts["bug-frames-brackets"] is Verdict.HELD
    assert verdicts["bug-frames-order"] is Verdict.NOT_APPLICABLE


# By hand: __init_end of RISC-V and POWER is aligned to a pointer, and freed by the page; .srodata of RISC-V has no
# statement, and without a build ID `_erodata` ends right ahead of it; the rest stands behind *(.text.*), which is there
# with CONFIG_CC_SPLIT_SECTIONS.
NEWER_NOT_HELD = {
    "xen/x86": {"startup-not-shadowed", "text-exit-not-shadowed", "thunks-not-shadowed"},
    "xen/x86-efi": {"startup-not-shadowed", "text-exit-not-shadowed", "thunks-not-shadowed"},
    "xen/arm64": set(),
    "xen/arm32": set(),
    "xen/riscv": {"identity-code-not-shadowed", "init-page-aligned", "no-orphans"},
    "xen/ppc": {"init-page-aligned"},
}


# Not every mirror has the sources of another suite.
@pytest.mark.sweep
def test_scripts_of_the_newer_release_without_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "xen").symlink_to(newer_tree() / "xen")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".ldcheck.yaml").write_text(EXAMPLE.read_text())
    report = ldcheck.check()
    assert report.errors == ()
    found: dict[str, set[str]] = {name: set() for name in NEWER_NOT_HELD}
    for result in report.rules:
        if result.verdict in (Verdict.VIOLATED, Verdict.UNPROVEN):
            found[result.target].add(result.rule)
    assert found == NEWER_NOT_HELD


def test_scripts_without_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "xen").symlink_to(xen("x86_64").tree)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".ldcheck.yaml").write_text(EXAMPLE.read_text())
    report = ldcheck.check()
    assert report.errors == ()
    found: dict[str, set[str]] = {}
    for result in report.rules:
        if result.verdict in (Verdict.VIOLATED, Verdict.UNPROVEN):
            found.setdefault(result.target, set()).add(result.rule)
    split = NEWER_NOT_HELD["xen/x86"]
    assert found == {"xen/x86": split, "xen/x86-efi": split, "xen/arm32": {"proc-info-aligned"}}
    assert {finding.configurations for finding in report.findings} == {"only with CONFIG_CC_SPLIT_SECTIONS", ""}


def only(findings: tuple[Finding, ...], rule: str) -> Finding:
    found = [finding for finding in findings if finding.rule == rule]
    assert len(found) == 1
    return found[0]
