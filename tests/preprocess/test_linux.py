"""Linux' own linker scripts, from Debian's source package, without a build; and a small tree that is made like it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ldcheck import checks
from ldcheck.judging.gate import Asked, check_target
from ldcheck.preprocess.run import preprocess
from ldcheck.project.read import read_project
from ldcheck.project.target import Target
from ldcheck.record import replace
from tests.preprocess.conditions import wrong_conditions
from tests.preprocess.support import places, same_by_pcpp, tree, words
from tests.support.debian import source_package

EXAMPLE = Path(__file__).parents[2] / "examples" / "linux" / ".ldcheck.yaml"
# The scripts, and all that they may include.
FILES = [
    *(f"arch/{arch}/kernel/*.lds.S" for arch in ("x86", "arm64", "arm", "riscv")),
    *(f"arch/{arch}/kernel/*.h" for arch in ("arm64", "riscv")),
    *(f"arch/{arch}/include/*" for arch in ("x86", "arm64", "arm", "riscv")),
    *(f"include/{folder}/*" for folder in ("linux", "asm-generic", "uapi", "vdso")),
]
SCRIPT = """\
#define LOAD_OFFSET __START_KERNEL_map
#define EMITS_NOTES
#include <asm-generic/vmlinux.lds.h>
#include <asm/asm-offsets.h>
#include <asm/types.h>
#undef i386
OUTPUT_ARCH(i386:x86-64)
jiffies = jiffies_64;
SECTIONS {
	. = KERNEL_BASE;
	.text : AT(ADDR(.text) - LOAD_OFFSET) {
		TEXT_TEXT
		STATIC_CALL_TEXT
#ifdef CONFIG_RETPOLINE
		*(.text..__x86.*)
#endif
	}
	INIT_DATA_SECTION(16)

	.mid.init : AT(ADDR(.mid.init) - \\
			LOAD_OFFSET) { *(.mid.init) }
	DISCARDS
}
"""
HEADER = """\
#ifdef CONFIG_LTO_CLANG
#define TEXT_MAIN .text .text.[0-9a-zA-Z_]*
#else
#define TEXT_MAIN .text
#endif
#define TEXT_TEXT		\\
	*(.text.hot .text.hot.*)	\\
	*(TEXT_MAIN .text.fixup)	/* both */ \\
	*(.text.unlikely)
#define BOUNDED(sec, l, start, stop, keep)	start = .; keep(*(sec)) stop = .;
#define TABLE(sec) BOUNDED(sec, , __start_##sec, __stop_##sec, KEEP)
#define STATIC_CALL_TEXT TABLE(calls)
#define _ALIGN(x) . = ALIGN(x);
#define INIT_DATA_SECTION(a)	\\
	.init.data : { _ALIGN(a) *(.init.data) }
#ifdef EMITS_NOTES
#define NOTES *(.note.*)
#else
#define NOTES
#endif
#define DISCARDS /DISCARD/ : { NOTES *(.discard) }
"""
SMALL = {
    "arch/x86/kernel/vmlinux.lds.S": SCRIPT,
    "include/asm-generic/vmlinux.lds.h": HEADER,
    "include/asm-generic/types.h": "#define KERNEL_BASE (1UL << 31)\n",
    "arch/x86/include/asm/asm-offsets.h": "#include <generated/asm-offsets.h>\n",
}


@pytest.fixture
def linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Linux' source as the current folder, with the example's configuration in it."""
    package = source_package("linux", only=FILES)
    for folder in ("arch", "include"):
        (tmp_path / folder).symlink_to(package / folder)
    shutil.copy(EXAMPLE, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.sweep
@pytest.mark.parametrize("name", ["linux/x86", "linux/arm64", "linux/arm", "linux/riscv"])
def test_compiler_and_pcpp_agree_on_linux(linux: Path, name: str) -> None:
    target = next(target for target in read_project(".ldcheck.yaml").targets if target.name == name)
    assert same_by_pcpp(target) > 50_000


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    """A tree with the habits of Linux' scripts: macros of macros, generated headers, joined lines."""
    monkeypatch.chdir(tree(tmp_path, SMALL))
    includes = ("arch/x86/include", "include")
    return Target("small", "arch/x86/kernel/vmlinux.lds.S", arch="x86_64", includes=includes)


def test_compiler_and_pcpp_agree_on_a_small_tree(small: Target) -> None:
    assert same_by_pcpp(small) > 400


def test_places_in_macros_of_macros(small: Target) -> None:
    script = preprocess(replace(small, preprocessor="compiler"))[0]

    def chain(text: str) -> list[str]:
        at = script.source.text.index(text)
        end = at + len(text)
        places = [script.origin.locate(script.source, at, end)]
        places += [related.location for related in script.origin.related(script.source, at, end)]
        return [f"{Path(place.file).name}:{place.excerpt.strip()}" for place in places]

    header = "vmlinux.lds.h:"
    assert chain(".text.unlikely") == [header + "*(.text.unlikely)", "vmlinux.lds.S:TEXT_TEXT"]
    assert chain("__start_calls") == [
        header + "#define TABLE(sec) BOUNDED(sec, , __start_##sec, __stop_##sec, KEEP)",
        header + "#define STATIC_CALL_TEXT TABLE(calls)",
        "vmlinux.lds.S:STATIC_CALL_TEXT",
    ]
    assert chain("*(.init.data)")[1:] == ["vmlinux.lds.S:INIT_DATA_SECTION(16)"]
    assert chain("*(.mid.init)") == ["vmlinux.lds.S:LOAD_OFFSET) { *(.mid.init) }"]


def test_a_header_that_the_script_sets_up_is_not_varied(small: Target) -> None:
    scripts = preprocess(small)
    assert sorted({name for script in scripts for one in script.configurations for name in one.definitions}) == [
        "CONFIG_LTO_CLANG",
        "CONFIG_RETPOLINE",
    ]
    assert all("*(.note.*)" in " ".join(words(script.source.text)).replace(" ", "") for script in scripts)
    assert set(scripts[0].notes) == {
        "the generated header generated/asm-offsets.h is missing and taken as empty",
        "asm/types.h is missing; asm-generic/types.h stands in, as in a build",
    }


def test_recorded_command_compiler_and_pcpp_agree(small: Target) -> None:
    command = (
        "gcc -E -Wp,-MMD,arch/x86/kernel/.vmlinux.lds.d -nostdinc -I./arch/x86/include -I./include "
        "-include ./include/generated/autoconf.h -D__KERNEL__ -m64 -fmacro-prefix-map=./= -P -C -Ux86 -D__ASSEMBLY__ "
        "-o arch/x86/kernel/vmlinux.lds arch/x86/kernel/vmlinux.lds.S"
    )
    choices = "#define CONFIG_RETPOLINE 1\n#define CONFIG_BASE 0x80000000\n"
    tree(
        Path.cwd(),
        {
            "arch/x86/kernel/.vmlinux.lds.cmd": f"savedcmd_arch/x86/kernel/vmlinux.lds := {command}\n",
            "include/generated/autoconf.h": choices,
            "include/asm-generic/types.h": "#define KERNEL_BASE (CONFIG_BASE)\n",
            "arch/x86/include/asm/types.h": "#include <asm-generic/types.h>\n",
        },
    )
    first = ("include/generated/autoconf.h",)
    targets = (
        replace(small, preprocessor="recorded"),
        replace(small, preprocessor="compiler", include_first=first),
        replace(small, preprocessor="pcpp", include_first=first),
    )
    (recorded,), (compiled,), (portable,) = (preprocess(target) for target in targets)
    for other in (compiled, portable):
        assert words(other.source.text) == words(recorded.source.text)
        assert places(other) == places(recorded)
    # A value that Kconfig chose is shown where it is used: nobody edits autoconf.h.
    at = recorded.source.text.index("0x80000000")
    assert recorded.origin.locate(recorded.source, at, at + 10).file == "include/asm-generic/types.h"


def test_a_condition_is_made_of_what_decides_the_lines(linux: Path) -> None:
    """Of fifty symbols that pairs are tried of, some happen to tell the same configurations from the others."""
    target = next(target for target in read_project(".ldcheck.yaml").targets if target.name == "linux/x86")
    checked = check_target(target, Asked(), checks, lambda _: None)
    found = [one.configurations for one in checked.findings if "`.data.once`" in one.message]
    assert found == ["only with CONFIG_LD_DEAD_CODE_DATA_ELIMINATION, or with CONFIG_LTO_CLANG"]


@pytest.mark.sweep
@pytest.mark.parametrize("name", ["linux/x86", "linux/arm64", "linux/arm", "linux/riscv"])
def test_each_condition_that_a_finding_names_is_right(linux: Path, name: str) -> None:
    target = next(target for target in read_project(".ldcheck.yaml").targets if target.name == name)
    assert list(wrong_conditions(target)) == []
