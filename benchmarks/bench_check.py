"""The gate from start to finish, as a hook or a CI job runs it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.paired import Result, ratio
from tests.support.xen import xen


def measure() -> Iterator[Result]:
    ldcheck = [sys.executable, "-m", "ldcheck"]
    yield ratio("ldcheck --version", [*ldcheck, "--version"])
    x86 = xen("x86_64")
    check = [*ldcheck, "check", "--policy", "xen/x86", str(x86.preprocessed)]
    yield ratio("check of Xen's preprocessed x86 script", check, bar=1.6, cwd=x86.tree)
    yield ratio("the same with the ELF file", [*check, "--elf", str(x86.elf)], bar=5, cwd=x86.tree)
    for arch in ("arm64", "arm32"):
        other = xen(arch)
        command = [*ldcheck, "check", "--policy", "xen/arm", str(other.preprocessed), "--elf", str(other.elf)]
        yield ratio(f"check of Xen's {arch} script with the ELF file", command, bar=5, cwd=other.tree)
    vary = [f"--vary={name}" for name in ("CONFIG_CC_SPLIT_SECTIONS", "CONFIG_XEN_ALIGN_2M", "EFI")]
    headers = ["-Iinclude", "-Iarch/x86/include", "--include=include/xen/config.h"]
    # What arch.mk defines; the three varied symbols are then all that is left open.
    pinned = ("HAVE_LD_SORT_BY_INIT_PRIORITY", "XEN_BUILD_EFI", "BUILD_ID_EFI", "XEN_IMG_OFFSET=0x200000")
    defines = [f"-D{name}" for name in ("__XEN__", "__ASSEMBLY__", "LINKER_SCRIPT", "BUILD_ID", *pinned)]
    hook = [*ldcheck, "check", "--policy=xen/x86", f"--kconfig={x86.config}", *vary, *headers, *defines]
    yield ratio("hook on Xen's xen.lds.S in 8 configurations", [*hook, "arch/x86/xen.lds.S"], bar=6, cwd=x86.tree)
