"""How known projects lie in their trees: which linker scripts they have, and how their builds preprocess them.

Facts about Xen and Linux that hold in every release and on every machine, as the keys of `.ldcheck.yaml`. What `ldcheck
init` writes, and what a script of such a tree is preprocessed with where there is no configuration, is made from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

# What is written under a key: a word, a list of them, a mapping, a flag.
Entry = str | bool | tuple[str, ...] | Mapping[str, object]


class Draft(NamedTuple):
    """A target as it is written down. `remarks` are comments, by the key ahead of which they stand."""

    name: str
    keys: Mapping[str, Entry]
    remarks: Mapping[str, str] = {}

    @property
    def script(self) -> str:
        """The linker script, from the top of the tree."""
        return str(self.keys["script"])


class Layout(NamedTuple):
    """A project. `marks` are files that the top of its tree has, `head` is the comment ahead of its configuration."""

    name: str
    marks: tuple[str, ...]
    head: str
    defaults: Mapping[str, Entry]
    remarks: Mapping[str, str]
    targets: tuple[Draft, ...]


# Debian's names, which other distributions have as well.
COMPILERS = {
    "x86_64": "x86_64-linux-gnu-gcc",
    "x86_32": "i686-linux-gnu-gcc",
    "arm64": "aarch64-linux-gnu-gcc",
    "arm32": "arm-linux-gnueabihf-gcc",
    "riscv64": "riscv64-linux-gnu-gcc",
    "ppc64": "powerpc64le-linux-gnu-gcc",
    "mips": "mips-linux-gnu-gcc",
    "s390x": "s390x-linux-gnu-gcc",
    "loongarch64": "loongarch64-linux-gnu-gcc",
    "sparc64": "sparc64-linux-gnu-gcc",
    "m68k": "m68k-linux-gnu-gcc",
    "sh": "sh4-linux-gnu-gcc",
    "hppa": "hppa-linux-gnu-gcc",
    "alpha": "alpha-linux-gnu-gcc",
}


def _xen(name: str, folder: str, arch: str, **more: Entry) -> dict[str, Entry]:
    includes = ("xen/include", f"xen/arch/{folder}/include")
    keys: dict[str, Entry] = {
        "script": f"xen/arch/{folder}/xen.lds.S",
        "arch": arch,
        "compiler": (COMPILERS[arch],),
        "command-file": f"xen/arch/{folder}/.xen.lds.cmd",
        "includes": (*includes, "xen/arch/x86/include/asm/mach-*") if folder == "x86" else includes,
        **more,
    }
    if name != "xen/x86-efi":
        keys["image"] = "xen/xen-syms"
    keys["policies"] = (f"xen/{folder}",)
    return keys


_X86 = {"XEN_IMG_OFFSET": "0x200000", "HAVE_LD_SORT_BY_INIT_PRIORITY": True}

XEN = Layout(
    "xen",
    ("xen/include/xen/config.h", "xen/arch"),
    """\
For Xen's tree, from 4.17 on: put it at the top, where `xen/` lies. Without a build it looks at every configuration of
the scripts; after a build (`make -C xen`) it takes the recorded commands, the configuration and what was linked. Each
build is of one architecture: the others go on without one.""",
    {
        "policies": ("generic",),
        "definitions": {"__XEN__": True, "__ASSEMBLY__": True, "LINKER_SCRIPT": True},
        "include-first": ("xen/include/xen/config.h",),
        "config": "xen/.config",
        "objects": ("xen/common/libelf/libelf.o", "xen/common/libfdt/libfdt.o", "xen/common/*.init.o"),
        "optional": True,
    },
    {
        "definitions": "What Rules.mk and arch.mk give the compiler for every linker script.",
        "objects": "Whole objects that are meant to be freed after boot, for what leaks out of them.",
    },
    (
        Draft(
            "xen/x86",
            _xen("xen/x86", "x86", "x86_64", definitions=_X86, pin={"EFI": False, "BUILD_ID_EFI": False}),
            {
                "includes": "Up to 4.17 some headers lie in folders for machines; a pattern may match none.",
                "pin": "The EFI macro makes another script of the same file: the next target.",
            },
        ),
        Draft(
            "xen/x86-efi",
            {
                **_xen("xen/x86-efi", "x86", "x86_64", definitions=_X86, pin={"EFI": True, "XEN_BUILD_EFI": True}),
                "command-file": "xen/arch/x86/.efi.lds.cmd",
            },
        ),
        Draft("xen/arm64", _xen("", "arm", "arm64", pin={"CONFIG_ARM_64": True, "CONFIG_ARM_32": False})),
        Draft("xen/arm32", _xen("", "arm", "arm32", pin={"CONFIG_ARM_32": True, "CONFIG_ARM_64": False})),
        Draft("xen/riscv", _xen("", "riscv", "riscv64", pin={"CONFIG_RISCV_64": True})),
        Draft("xen/ppc", _xen("", "ppc", "ppc64", pin={"CONFIG_PPC64": True})),
    ),
)


def _linux(folder: str, arch: str, **more: Entry) -> Draft:
    keys: dict[str, Entry] = {
        "script": f"arch/{folder}/kernel/vmlinux.lds.S",
        "arch": arch,
        "compiler": (COMPILERS[arch],),
        "includes": (f"arch/{folder}/include", "include", f"arch/{folder}/include/uapi", "include/uapi"),
        **more,
    }
    return Draft(f"linux/{folder}", keys)


LINUX = Layout(
    "linux",
    ("include/linux/kconfig.h", "include/asm-generic/vmlinux.lds.h", "arch"),
    """\
For Linux' tree: put it at its top. Without a build it looks at many configurations of the scripts; after a build it
takes the recorded commands, the configuration and what was linked.""",
    {
        "policies": ("generic", "linux"),
        "definitions": {"__KERNEL__": True, "__ASSEMBLY__": True, "LINKER_SCRIPT": True},
        "include-first": ("include/linux/compiler-version.h", "include/linux/kconfig.h"),
        "config": ".config",
        "image": "vmlinux",
        "limit": "16",
        "optional": True,
    },
    {
        "config": "`make` links vmlinux of one architecture at a time: these are there for that one only.",
        "limit": "A script with some fifty switches: pairs of them, not all.",
    },
    (
        _linux(
            "x86",
            "x86_64",
            pin={
                "CONFIG_X86_64": True,
                "CONFIG_X86_32": False,
                "CONFIG_64BIT": True,
                "CONFIG_PHYSICAL_START": "0x1000000",
                "CONFIG_PHYSICAL_ALIGN": "0x200000",
            },
        ),
        _linux(
            "arm64",
            "arm64",
            definitions={"KASAN_SHADOW_SCALE_SHIFT": "3"},
            pin={"CONFIG_ARM64": True, "CONFIG_64BIT": True, "CONFIG_ARM64_4K_PAGES": True},
        ),
        _linux(
            "arm",
            "arm32",
            pin={
                "CONFIG_ARM": True,
                "CONFIG_MMU": True,
                "CONFIG_CPU_V7": True,
                "CONFIG_CPU_TLB_V7": True,
                "CONFIG_PAGE_OFFSET": "0xc0000000",
                "CONFIG_XIP_KERNEL": False,
            },
        ),
        _linux(
            "riscv",
            "riscv64",
            pin={
                "CONFIG_RISCV": True,
                "CONFIG_64BIT": True,
                "CONFIG_MMU": True,
                "CONFIG_PAGE_OFFSET": "0xff60000000000000",
                "CONFIG_XIP_KERNEL": False,
                "CONFIG_STRICT_KERNEL_RWX": True,
            },
        ),
    ),
)

LAYOUTS = (XEN, LINUX)
