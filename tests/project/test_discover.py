"""`ldcheck init`, and what a script of a known project's tree is checked with where there is no configuration."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ldcheck.api import check
from ldcheck.cli.main import main
from ldcheck.policy.recognise import Facts, recognise
from ldcheck.project.discover import discover
from ldcheck.project.read import project_of
from ldcheck.project.write import written
from ldcheck.source import Source
from tests.preprocess.support import tree
from tests.support.tools import tool

EXAMPLES = Path(__file__).parents[2] / "examples"

XEN = {
    "xen/include/xen/config.h": "#define XEN_VIRT_START 0x200000\n",
    "xen/include/xen/xen.lds.h": "#define DISCARDS /DISCARD/ : { *(.discard) }\n",
    "xen/include/xen/unrelated.h": "",
    **{
        f"xen/arch/{arch}/xen.lds.S": "#include <xen/xen.lds.h>\nSECTIONS { .text : { *(.text) } DISCARDS }\n"
        for arch in ("x86", "arm", "riscv", "ppc")
    },
    **{f"xen/arch/{arch}/include/asm/page.h": "" for arch in ("x86", "arm", "riscv", "ppc")},
}
LINUX = {
    "include/linux/kconfig.h": "",
    "include/linux/compiler-version.h": "",
    "include/asm-generic/vmlinux.lds.h": "",
    "include/uapi/x.h": "",
    **{f"arch/{arch}/kernel/vmlinux.lds.S": "SECTIONS { }\n" for arch in ("x86", "arm64", "arm", "riscv")},
    **{f"arch/{arch}/include/uapi/x.h": "" for arch in ("x86", "arm64", "arm", "riscv")},
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("name", "files"), [("xen", XEN), ("linux", LINUX)])
def test_it_writes_the_examples(here: Path, name: str, files: dict[str, str]) -> None:
    tree(here, files)
    text = written(discover())
    assert text == (EXAMPLES / name / ".ldcheck.yaml").read_text()
    assert all(not target.errors for target in project_of(Source(".ldcheck.yaml", text)).targets)


def test_only_what_is_in_the_tree_is_listed(here: Path) -> None:
    tree(here, {name: text for name, text in XEN.items() if "riscv" not in name and "ppc" not in name})
    assert [draft.name for draft in discover().targets] == ["xen/x86", "xen/x86-efi", "xen/arm64", "xen/arm32"]


def test_it_never_writes_over_one(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree(here, XEN)
    assert main(["init"]) == 0
    assert capsys.readouterr().out.startswith(".ldcheck.yaml: 6 targets (xen/x86, ")
    first = (here / ".ldcheck.yaml").read_text()
    (here / ".ldcheck.yaml").write_text("mine\n")
    assert main(["init"]) == 2
    assert (here / ".ldcheck.yaml").read_text() == "mine\n"
    assert main(["init", "--print"]) == 0
    assert capsys.readouterr().out.endswith(first)


def test_a_tree_without_scripts(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init"]) == 2
    assert "no linker script" in capsys.readouterr().err


FIRMWARE = {
    "boards/a/flash.ld": (
        "MEMORY { FLASH : ORIGIN = 0, LENGTH = 1K }\nSECTIONS { .isr_vector : { KEEP(*(.isr_vector)) } > FLASH }\n"
    ),
    "boards/b/flash.ld": 'SECTIONS { .text : { *(.text) } }\nASSERT(1, \\\n  "two lines");\n',
    "boards/common/memory.ld": "MEMORY { FLASH : ORIGIN = 0, LENGTH = 1K }\n",
    "boards/c/app.ld.S": '#include "config/layout.h"\n#include <part.ld.S>\nSECTIONS { .text SIZE : { *(.text) } }\n',
    "parts/part.ld.S": "SECTIONS { .part : { *(.part) } }\n",
    "lib/include/config/layout.h": "#include <generated/version.h>\n#define SIZE 0x100\n",
    "tests/lib/include/config/layout.h": "#define SIZE 0x200\n",
    "tests/x.ld": "SECTIONS { }\n",
    "build/y.ld": "SECTIONS { }\n",
}


def test_scripts_are_found_by_name_and_folders_by_what_they_include(here: Path) -> None:
    tree(here, FIRMWARE)
    drafts = {draft.name: draft.keys for draft in discover().targets}
    assert sorted(drafts) == ["app", "b/flash", "flash"]
    assert drafts["app"]["includes"] == ("lib/include", "parts")
    assert drafts["app"]["generated"] == ("generated/version.h",)
    assert "includes" not in drafts["flash"]
    # Lines that end in a backslash are joined by the preprocessor alone.
    assert ["definitions" in drafts[name] for name in ("flash", "b/flash")] == [False, True]
    (here / ".ldcheck.yaml").write_text(written(discover()))
    report = check()
    assert report.status != 2, [error.message for error in report.errors]
    assert any("flash: judged by generic and firmware, recognised by MEMORY" in note for note in report.notes)


@pytest.mark.parametrize("name", ["build", "out"])
def test_what_git_tracks_is_source_whatever_its_folder_is_called(here: Path, name: str) -> None:
    tree(here, {f"{name}/image/image.ld": "SECTIONS { }\n", f"{name}/made.ld": "SECTIONS { }\n", "x.c": ""})
    assert discover().targets == ()
    subprocess.run([tool("git"), "init", "-q"], check=True)
    subprocess.run([tool("git"), "add", f"{name}/image/image.ld", "x.c"], check=True)
    assert [draft.keys["script"] for draft in discover().targets] == [f"{name}/image/image.ld"]


UBOOT = {
    "include/u-boot/u-boot.lds.h": "",
    "include/linux/kconfig.h": "",
    "common/board_f.c": "",
    "arch/mips/include/asm/x.h": "",
    "arch/mips/cpu/u-boot.lds": "#include <config.h>\nOUTPUT_ARCH(mips)\nSECTIONS { .text : { *(.text*) } }\n",
    "arch/arm/cpu/u-boot.lds": "OUTPUT_ARCH(arm)\nSECTIONS { .text : { *(.text*) } }\n",
}
TF_A = {
    "bl31/bl31.ld.S": "#include <platform_def.h>\nSECTIONS { . = BASE; .text : { *(.text*) } }\n",
    "plat/qemu/qemu/include/platform_def.h": "#define BASE 0x1000\n",
    "plat/arm/board/fvp/include/platform_def.h": '#ifndef COUNT\n#error "not set in makefile"\n#endif\n',
    "include/common/bl_common.ld.h": "",
}


@pytest.mark.parametrize(
    ("files", "names"), [(UBOOT, ["u-boot", "cpu/u-boot"]), (TF_A, ["bl31"])], ids=["u-boot", "tf-a"]
)
def test_trees_of_boot_loaders(here: Path, files: dict[str, str], names: list[str]) -> None:
    tree(here, files)
    assert [draft.name for draft in discover().targets] == names
    (here / ".ldcheck.yaml").write_text(written(discover()))
    report = check(policies=["generic"])
    assert report.status != 2, [error.message for error in report.errors]
    assert len({result.target for result in report.rules}) == len(names)


# Without a configuration ----------------------------------------------------------------------------------------------


def test_a_script_of_a_known_tree_needs_no_configuration(here: Path) -> None:
    tree(here, XEN)
    report = check(["xen/arch/arm/xen.lds.S"], policies=["generic"])
    assert not report.errors
    assert {result.target for result in report.rules} == {"xen/arm64", "xen/arm32"}


def test_a_header_leads_to_the_targets_that_include_it(here: Path) -> None:
    tree(here, XEN)
    report = check(["xen/include/xen/xen.lds.h"], policies=["generic"])
    assert {result.target for result in report.rules} >= {"xen/x86", "xen/ppc"}


def test_a_header_that_nothing_includes_is_passed_over(here: Path) -> None:
    tree(here, XEN)
    report = check(["xen/include/xen/unrelated.h"])
    assert (report.status, report.rules, report.errors) == (0, (), ())
    assert report.notes == (
        "xen/include/xen/unrelated.h is included by no script that is known here, and is passed over",
    )
    report = check(["xen/include/xen/unrelated.h", "xen/arch/ppc/xen.lds.S"], policies=["generic"])
    assert {result.target for result in report.rules} == {"xen/ppc"}
    (here / ".ldcheck.yaml").write_text(written(discover()))
    report = check(["xen/include/xen/unrelated.h"])
    assert (report.status, report.rules, report.errors) == (0, (), ())


def test_a_version_script_is_passed_over(here: Path) -> None:
    tree(here, {**XEN, "lib/version.lds": "/* libfdt */\nLIBFDT_1.2 {\n\tglobal:\n\t\tfdt_next;\n\tlocal: *;\n};\n"})
    report = check(["lib/version.lds", "xen/arch/ppc/xen.lds.S"], policies=["generic"])
    assert not report.errors
    assert any("lib/version.lds is a version script" in note for note in report.notes)
    report = check(["lib/version.lds"])
    assert (report.status, report.rules, report.errors) == (0, (), ())


KNOWN = ("generic", "xen/x86", "xen/arm", "linux", "u-boot", "tf-a", "firmware")


@pytest.mark.parametrize(
    ("path", "facts", "policy"),
    [
        ("xen/arch/x86/xen.lds.S", Facts(), "xen/x86"),
        ("../xen/arch/arm/xen.lds", Facts(), "xen/arm"),
        ("/x/arch/arm64/kernel/vmlinux.lds.S", Facts(), "linux"),
        ("arch/arm/cpu/u-boot-spl.lds", Facts(), "u-boot"),
        ("bl31/bl31.ld.S", Facts(), "tf-a"),
        ("made.lds", Facts({"__2M_rwdata_start", "__init_begin"}), "xen/x86"),
        ("made.lds", Facts({"__2M_rwdata_start"}), ""),
        ("flash.ld", Facts(sections={".vectors"}, memory=True), "firmware"),
        ("flash.ld", Facts(sections={".vectors"}), ""),
        ("flash.ld", Facts(memory=True), ""),
        # The project's own policy is not there.
        ("core/arch/arm/kernel/kern.ld.S", Facts(), ""),
    ],
)
def test_what_a_script_calls_for(path: str, facts: Facts, policy: str) -> None:
    found = recognise(path, facts, KNOWN)
    assert (found.policy if found is not None else "") == policy


def test_a_policy_that_is_named_stands_alone(here: Path) -> None:
    tree(here, XEN)
    report = check(["xen/arch/ppc/xen.lds.S"], policies=["generic"])
    assert not any("judged by" in note for note in report.notes)


def test_an_image_goes_to_the_target_of_its_architecture(here: Path) -> None:
    tree(here, XEN)
    (here / "xen-syms").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(11) + b"\xb7\x00" + bytes(44))
    report = check(["xen/arch/arm/xen.lds.S"], policies=["generic"], elf="xen-syms")
    assert not any("belongs to one target" in error.message for error in report.errors)
    report = check(["xen/arch/ppc/xen.lds.S", "xen/arch/riscv/xen.lds.S"], policies=["generic"], elf="xen-syms")
    assert any("belongs to one target, and there are 2" in error.message for error in report.errors)
