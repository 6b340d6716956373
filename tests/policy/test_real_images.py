"""The stock policies on kernels and firmware that Debian built, every finding checked by hand.

What is listed as not held was looked at in the source and in `readelf` of the image; where readelf can tell, the tests
ask it again. Xen is in tests/test_xen.py.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import ldcheck
from ldcheck.findings import Finding, Verdict
from ldcheck.image.elf import read_elf
from ldcheck.layout.concrete import evaluate_on
from ldcheck.layout.interpret import interpret
from ldcheck.report.model import Report
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.support.build import TARGETS
from tests.support.debian import binary_package, source_package
from tests.support.tools import tool

PASSING = (Verdict.HELD, Verdict.NOT_APPLICABLE)

OPENSBI = ("fw_dynamic", "fw_jump")
TF_A = ("rk3328", "rk3399")
# Debian strips them: of the RISC-V ones, which are position independent, the dynamic symbols are left.
WITH_SYMBOLS = ("qemu-riscv64", "qemu-riscv64_smode")
STRIPPED = ("malta64el", "maltael", "qemu-ppce500", "qemu-x86", "qemu-x86_64", "qemu_arm", "qemu_arm64")
U_BOOT = (*WITH_SYMBOLS, *STRIPPED)

# Of one Linux: the script, the generated headers and the image.
LINUX_VERSION = "6.1.176-1"
LINUX_FILES = [
    *(f"arch/{arch}/{part}" for arch in ("x86", "arm64") for part in ("kernel/*.lds.S", "kernel/*.h", "include/*")),
    *(f"include/{folder}/*" for folder in ("linux", "asm-generic", "uapi", "vdso")),
]


def readelf(option: str, elf: Path) -> list[list[str]]:
    done = subprocess.run([tool("readelf"), option, elf], capture_output=True, text=True, check=True)
    return [line.replace("[ ", "[").split() for line in done.stdout.splitlines()]


def symbols(elf: Path) -> dict[str, int]:
    """The global and local symbols by readelf; of equal names, the last."""
    rows = readelf("-sW", elf)
    return {row[7]: int(row[1], 16) for row in rows if len(row) == 8 and row[0][:-1].isdigit() and row[6] != "UND"}


def writable_and_executable(elf: Path) -> set[tuple[str, int]]:
    """Sections and segments (LOAD and GNU_STACK) with both permissions, and their addresses, by readelf."""
    found = set()
    for row in readelf("-SWl", elf):
        if row and re.fullmatch(r"\[\d+\]", row[0]) and len(row) == 11 and "W" in row[7] and "X" in row[7]:
            found.add((row[1], int(row[3], 16)))
        if row and row[0] in ("LOAD", "GNU_STACK") and "RWE" in row:
            found.add((row[0], int(row[2], 16)))
    return found


def verdicts(report: Report, *, but: tuple[Verdict, ...] = PASSING) -> dict[str, Verdict]:
    return {result.rule: result.verdict for result in report.rules if result.verdict not in but}


def not_hardened(findings: tuple[Finding, ...]) -> set[tuple[str, int]]:
    """The subjects and addresses of the rules on permissions in the policy `hardening`."""
    found = set()
    for finding in findings:
        match = re.match(r"(?:output-section|segment) (\S+) at (0x\w+) does not satisfy", finding.message)
        assert match is not None, finding.message
        found.add((match[1], int(match[2], 16)))
    return found


@cache
def images() -> Mapping[str, Path]:
    """The firmware of three small packages, by name."""
    opensbi = binary_package("opensbi") / "usr/lib/riscv64-linux-gnu/opensbi/generic"
    tf_a = binary_package("arm-trusted-firmware", "arm64") / "usr/lib/arm-trusted-firmware"
    u_boot = binary_package("u-boot-qemu") / "usr/lib/u-boot"
    found = {name: opensbi / f"{name}.elf" for name in OPENSBI}
    found |= {name: tf_a / name / "bl31.elf" for name in TF_A}
    return found | {name: u_boot / name / "uboot.elf" for name in U_BOOT}


@pytest.mark.parametrize("name", [*OPENSBI, *TF_A, *U_BOOT])
def test_hardening_says_of_firmware_what_readelf_says(name: str) -> None:
    elf = images()[name]
    report = ldcheck.check([], policies=["hardening"], elf=str(elf))
    assert report.errors == ()
    assert not_hardened(report.findings) == writable_and_executable(elf)
    # Every one of them is a single writable and executable segment, or several.
    assert verdicts(report)["no-writable-code-segment"] is Verdict.VIOLATED


@pytest.mark.parametrize("name", [*OPENSBI, *TF_A, *U_BOOT])
def test_firmware_says_of_segments_what_readelf_says(name: str) -> None:
    report = ldcheck.check([], policies=["firmware"], elf=str(images()[name]))
    assert report.errors == ()
    loaded = {(kind, at) for kind, at in writable_and_executable(images()[name]) if kind == "LOAD"}
    assert not_hardened(report.findings) == loaded
    assert verdicts(report, but=(*PASSING, Verdict.NOT_CHECKED)) == {"no-writable-code": Verdict.VIOLATED}
    assert report.status == 0


@pytest.mark.parametrize("name", WITH_SYMBOLS)
def test_u_boot_with_dynamic_symbols(name: str) -> None:
    report = ldcheck.check([], policies=["u-boot"], elf=str(images()[name]))
    held = {result.rule for result in report.rules if result.verdict is Verdict.HELD}
    assert held == {"bss-aligned", "bss-aligned-64", "relocations-ordered"}
    assert report.findings == ()
    found = symbols(images()[name])
    assert found["__bss_start"] % 8 == found["__bss_end"] % 8 == 0
    assert found["__rel_dyn_start"] < found["__rel_dyn_end"]


@pytest.mark.parametrize("name", [*TF_A, *STRIPPED])
def test_nothing_is_said_to_be_checked_on_a_stripped_image(name: str) -> None:
    report = ldcheck.check([], policies=["tf-a" if name in TF_A else "u-boot"], elf=str(images()[name]))
    assert report.findings == ()
    assert Verdict.HELD not in {result.verdict for result in report.rules}
    assert report.status == 2
    assert "nothing was checked" in report.errors[0].message


# The larger ones: a script that was preprocessed as the build does it, and what the build made with it.


@dataclass(frozen=True)
class Built:
    """A preprocessed script with line markers, and the image that was linked with it."""

    script: Path
    elf: Path
    map: Path | None = None

    def check(self, policy: str, *, script: bool = True, image: bool = True) -> Report:
        return ldcheck.check(
            [str(self.script)] if script else [],
            policies=[policy],
            elf=str(self.elf) if image else "",
            map=str(self.map) if image and self.map else "",
        )


@dataclass(frozen=True)
class Kernel:
    """How one architecture's vmlinux.lds.S is preprocessed, and what is to be found.

    `unknown` are symbols that the script places in sections which are empty, and so not in the image, or that it only
    provides; `asserts` is how many ASSERTs it has.
    """

    debian: str
    source: str
    options: tuple[str, ...]
    writable: int
    asserts: int
    unknown: frozenset[str]


_EMPTY = {"__start_builtin_fw", "__end_builtin_fw"}
KERNELS = {
    "x86_64": Kernel("amd64", "x86", (), 0xFFFFFFFF8304C000, 16, frozenset(_EMPTY | {"__init_begin", "__init_end"})),
    "arm64": Kernel(
        "arm64",
        "arm64",
        ("-DKASAN_SHADOW_SCALE_SHIFT=",),
        0xFFFF800008000000,
        13,
        frozenset(_EMPTY | {"__relr_start", "__relr_end", "__pi___memcpy", "__pi___memmove", "__pi___memset"}),
    ),
}

# `*(.data.rel.ro*)` in RO_DATA takes what the ASSERT on .data.rel.ro is there to refuse: it cannot fail, a note.
KERNEL_ERRORS: dict[str, set[str]] = {"x86_64": set(), "arm64": set()}


@pytest.fixture(scope="session")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Built]:
    """Linux of both architectures: one download each, of which only vmlinux is unpacked."""
    return {arch: _kernel(arch, tmp_path_factory.mktemp("linux")) for arch in KERNELS}


def _kernel(arch: str, folder: Path) -> Built:
    kernel, release = KERNELS[arch], f"6.1.0-50-cloud-{KERNELS[arch].debian}"
    image = binary_package(f"linux-image-{release}-dbg", kernel.debian, LINUX_VERSION, ["usr/lib/debug/boot/vmlinux-*"])
    headers = binary_package(f"linux-headers-{release}", kernel.debian, LINUX_VERSION)
    tree = source_package("linux", LINUX_VERSION, LINUX_FILES)
    made = headers / "usr/src" / f"linux-headers-{release}"
    own = f"arch/{kernel.source}/include"
    places = [own, made / own / "generated", "include", made / "include", f"{own}/uapi"]
    places += [made / own / "generated/uapi", "include/uapi", made / "include/generated/uapi"]
    first = ("include/linux/compiler-version.h", "include/linux/kconfig.h")
    # scripts/Makefile.build, cmd_cpp_lds_S, without -P.
    command = [
        *(tool(f"{TARGETS[arch].prefix}gcc"), *TARGETS[arch].compiler, "-E", "-x", "assembler-with-cpp", "-nostdinc"),
        *(f"-I{place}" for place in places),
        *(word for name in first for word in ("-include", name)),
        *("-D__KERNEL__", *kernel.options, f"-U{kernel.source}", "-D__ASSEMBLY__", "-DLINKER_SCRIPT"),
        *("-o", str(folder / "vmlinux.lds"), f"arch/{kernel.source}/kernel/vmlinux.lds.S"),
    ]
    subprocess.run(command, cwd=tree, check=True, timeout=120)
    return Built(folder / "vmlinux.lds", image / "usr/lib/debug/boot" / f"vmlinux-{release}")


def agrees(built: Built) -> tuple[set[str], int]:
    """Hold a script against its image; the symbols whose value was not computed, and how many ASSERTs hold."""
    tree = parse(Source(built.script.name, built.script.read_text())).tree
    elf = read_elf(str(built.elf))
    found = evaluate_on(tree, elf)
    assert [symbol.name for symbol in found.symbols if symbol.agrees is False] == []
    assert [assertion.node.message.text for assertion in found.assertions if assertion.holds is False] == []
    # What is guaranteed of every link holds in this one.
    layout = interpret(tree)
    listed, said = symbols(built.elf), 0
    for name in {symbol.name for symbol in found.symbols} & listed.keys():
        for known in (layout.symbol(name), layout.symbol(name, with_assertions=True)):
            assert known is None or known.number.holds(listed[name]), (name, str(known))
            said += known is not None and (known.modulus != 1 or known.low > 0)
    assert said > 50
    unknown = {symbol.name for symbol in found.symbols if symbol.actual is None or symbol.expected is None}
    return unknown, sum(assertion.holds is True for assertion in found.assertions)


@pytest.mark.sweep
@pytest.mark.parametrize("arch", KERNELS)
def test_linux(kernels: Mapping[str, Built], arch: str) -> None:
    built = kernels[arch]
    both = built.check("linux")
    assert both.errors == ()
    assert both.findings == ()
    # What refers to what, only objects tell, or an image that was linked with --emit-relocs.
    unchecked = verdicts(both)
    assert set(unchecked.values()) == {Verdict.NOT_CHECKED}
    assert {result.check for result in both.rules if result.rule in unchecked} == {"no-reference"}
    assert sum(result.verdict is Verdict.HELD for result in both.rules) >= 9
    for report in (built.check("linux", image=False), built.check("linux", script=False)):
        assert report.findings == ()
        assert set(verdicts(report).values()) <= {Verdict.NOT_CHECKED}
        assert report.status == 0


@pytest.mark.sweep
@pytest.mark.parametrize("arch", KERNELS)
def test_a_moved_boundary_of_linux_is_found(kernels: Mapping[str, Built], arch: str) -> None:
    """The good script with one place broken: each break is found, by its own rule alone, where it was made."""
    text = kernels[arch].script.read_text()
    breaks = {
        "init-page-aligned": ("__init_begin = .;", ". += 8; __init_begin = .;"),
        "rodata-page-aligned": ("__start_rodata = .;", ". += 8; __start_rodata = .;"),
        "bss-order": ("__bss_stop = .;", "__bss_stop = .; . += 8; __bss_start = .;"),
        "ex-table-brackets": ("__start___ex_table = .;", "__start___ex_table = .; LONG(0)"),
        "page-aligned-data-not-shadowed": ("*(.data..page_aligned)", "*(.data..page*) *(.data..page_aligned)"),
        "init-text-in-init": ("*(.init.text .init.text.*)", "*(.init.other)"),
    }
    for rule, (old, new) in breaks.items():
        assert old in text, old
        broken = text.replace(old, new, 1)
        if rule == "init-text-in-init":
            broken = broken.replace("_stext = .;", "_stext = .; *(.init.text)", 1)
        report = ldcheck.check(["vmlinux.lds"], policies=["linux"], text=broken)
        if (arch, rule) == ("x86_64", "init-text-in-init"):
            # .data..percpu stands at 0 between .text and __init_end: the order of statements proves nothing wrong.
            assert verdicts(report)[rule] is Verdict.NOT_CHECKED
        else:
            assert {finding.rule for finding in report.findings} == {rule}


@pytest.mark.sweep
@pytest.mark.parametrize("arch", KERNELS)
def test_linux_has_the_values_of_its_script(kernels: Mapping[str, Built], arch: str) -> None:
    unknown, asserts = agrees(kernels[arch])
    assert unknown == set(KERNELS[arch].unknown)
    assert asserts == KERNELS[arch].asserts


@pytest.mark.sweep
@pytest.mark.parametrize("arch", KERNELS)
def test_linux_is_not_hardened_by_its_segments(kernels: Mapping[str, Built], arch: str) -> None:
    # Nobody maps a kernel by its program headers.
    report = kernels[arch].check("hardening")
    assert not_hardened(report.findings) == {("LOAD", KERNELS[arch].writable)}
    assert not_hardened(report.findings) == writable_and_executable(kernels[arch].elf)
    assert verdicts(report)["no-writable-code-segment"] is Verdict.VIOLATED
    held = {result.rule for result in report.rules if result.verdict is Verdict.HELD}
    assert {"asserts-hold", "no-writable-code-section", "segments-on-their-own-pages"} <= held


@pytest.mark.sweep
@pytest.mark.parametrize("arch", KERNELS)
def test_what_generic_says_of_linux(kernels: Mapping[str, Built], arch: str) -> None:
    report = kernels[arch].check("generic")
    errors = {finding.message for finding in report.findings if finding.severity.value == "error"}
    assert errors == KERNEL_ERRORS[arch]
    # Tables that are kept by nothing but the fact that these kernels are linked without --gc-sections, and start
    # symbols behind records of another size: true, and warnings.
    warned = {finding.check for finding in report.findings if finding.severity.value == "warning"}
    assert warned - {"shadowed-pattern"} == {"missing-keep"}
    # Without objects nobody knows with which options the kernel was compiled, and its segments are meant as they are:
    # `FLAGS(7)`.
    noted = {finding.check for finding in report.findings if finding.severity.value == "note"}
    assert noted - {"shadowed-pattern"} == {"boundary-gap", "orphan-section", "rwx-segment"}
    gaps = {finding.message.split()[0] for finding in report.findings if finding.check == "boundary-gap"}
    assert gaps == {"__start___trace_bprintk_fmt", "__initcall_start", "__con_initcall_start"}
    # None of them is a gap in this image: each start is where the table ahead of it ends.
    found = symbols(kernels[arch].elf)
    assert found["__initcall_start"] == found["__setup_end"]
    assert found["__con_initcall_start"] == found["__initcall_end"]
    kept = [finding.message for finding in report.findings if finding.check == "missing-keep"]
    assert not [message for message in kept if re.search(r"text|\.data|rodata|bss|tracepoints", message)]


@pytest.fixture(scope="session", params=["0", "1"])
def bl31(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """BL31 of Debian's source, made for QEMU: code and read-only data in one section, or in two."""
    tree = source_package("arm-trusted-firmware")
    made = tmp_path_factory.mktemp("tf-a")
    compiler = tool(f"{TARGETS['arm64'].prefix}gcc").removesuffix("gcc")
    choices = ["PLAT=qemu", "DEBUG=0", f"SEPARATE_CODE_AND_RODATA={request.param}"]
    # The linker's warning of a writable and executable segment is an error there.
    choices += [f"CROSS_COMPILE={compiler}", f"BUILD_BASE={made}", "LDFLAGS=--no-warn-rwx-segments"]
    done = subprocess.run([tool("make"), "-C", tree, *choices, "bl31"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    folder = made / "qemu/release/bl31"
    return Built(folder / "bl31.ld", folder / "bl31.elf", folder / "bl31.map")


@pytest.mark.sweep
def test_tf_a(bl31: Built) -> None:
    both = bl31.check("tf-a")
    assert both.errors == ()
    assert both.findings == ()
    assert verdicts(both) == {}
    held = {result.rule for result in both.rules if result.verdict is Verdict.HELD}
    assert {"services-kept", "services-bracketed", "writable-order", "no-orphans"} <= held
    assert len(held & {"image-order", "separate-image-order"}) == 1
    alone = bl31.check("tf-a", image=False)
    assert alone.findings == ()
    assert verdicts(alone) == {"writable-order": Verdict.NOT_CHECKED, "no-orphans": Verdict.NOT_CHECKED}


@pytest.mark.sweep
def test_tf_a_has_the_values_of_its_script(bl31: Built) -> None:
    # .rela.dyn is empty, for this image is not position independent.
    unknown, asserts = agrees(bl31)
    assert unknown == {"__RELA_START__", "__RELA_END__"}
    assert asserts == 3
