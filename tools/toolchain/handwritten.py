"""Entries of the catalogue that the compilers at hand do not show, each with where it comes from.

Where a source does show such a section after all, the observed entry replaces the one here.
"""

from __future__ import annotations

_CLANG_TARGETS = "x86_64 x86_32 arm64"
_PE = "for PE"
_CRT = "GCC, libgcc/crtstuff.c"
_GABI = "ELF gABI, Special Sections"
_LINKONCE = "GNU ld manual and GCC before 4.0: one section for each inline function, where targets have no groups"
_ARMCC = "Arm Compiler 5 User Guide, --split_sections and the default names of sections"
_PEP = "GNU ld, scripttempl/pep.sc"

# As the rows of the table: pattern, kind, ((maker, since, architectures, option), ...), source.
ENTRIES: tuple[tuple[str, str, tuple[tuple[str, str, str, str], ...], str], ...] = (
    (".text.split.*", "code", (("clang", "11", _CLANG_TARGETS, "-fsplit-machine-functions"),), "Clang User's Manual"),
    (".text.unknown.*", "code", (("clang", "11", "", "-fprofile-use"),), "LLVM, CodeGenPrepare.cpp: ProfileUnknown"),
    (".text.asan.*", "code", (("clang", "", "", "-fsanitize=address -ffunction-sections"),), "Linux, vmlinux.lds.h"),
    (".text.tsan.*", "code", (("clang", "", "", "-fsanitize=thread -ffunction-sections"),), "Linux, vmlinux.lds.h"),
    (
        "__llvm_prf_bits",
        "data",
        (("clang", "18", "", "-fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc"),),
        "LLVM, InstrProfData.inc",
    ),
    (
        "__llvm_prf_vns",
        "constant",
        (("clang", "19", "", "-fprofile-instr-generate -fcoverage-mapping"),),
        "LLVM, InstrProfData.inc",
    ),
    (
        "__llvm_prf_vtab",
        "data",
        (("clang", "19", "", "-fprofile-instr-generate -fcoverage-mapping"),),
        "LLVM, InstrProfData.inc",
    ),
    ("__llvm_orderfile", "data", (("clang", "9", "", "-forder-file-instrumentation"),), "LLVM, InstrProfData.inc"),
    (".note.gnu.property", "note", (("gcc", "8", "x86_64 x86_32", "-fcf-protection"),), "GCC manual"),
    (".note.ABI-tag", "note", (("glibc", "", "", "crt1.o"),), "glibc, csu/abi-note.c"),
    (".note.package", "note", (("ld", "2.39", "", "--package-metadata"),), "GNU ld manual"),
    (".gnu.build.attributes.*", "unallocated", (("gcc", "", "", "-fplugin=annobin"),), "the annobin plugin of Fedora"),
    (".comment.*", "unallocated", (("gcc", "", "", "of SUSE"),), "Xen, xen.lds.S: .comment.SUSE.OPTs"),
    (".init", "code", (("gcc", "", "", "crti.o"),), _CRT),
    (".fini", "code", (("gcc", "", "", "crti.o"),), _CRT),
    (".ctors", "relro", (("gcc", "", "", "before 4.7"),), _CRT),
    (".ctors.*", "relro", (("gcc", "", "", "before 4.7"),), _CRT),
    (".dtors", "relro", (("gcc", "", "", "before 4.7"),), _CRT),
    (".dtors.*", "relro", (("gcc", "", "", "before 4.7"),), _CRT),
    (".preinit_array", "relro", (("gcc", "", "", "-fsanitize=address"),), _GABI),
    (".jcr", "data", (("gcc", "", "", "before 7"),), _CRT),
    (".tm_clone_table", "data", (("gcc", "4.7", "", "crtbegin.o"),), _CRT),
    (".gnu.linkonce.t.*", "code", (("gcc", "", "", "before 4.0"),), _LINKONCE),
    (".gnu.linkonce.r.*", "constant", (("gcc", "", "", "before 4.0"),), _LINKONCE),
    (".gnu.linkonce.d.*", "data", (("gcc", "", "", "before 4.0"),), _LINKONCE),
    (".gnu.linkonce.b.*", "zero", (("gcc", "", "", "before 4.0"),), _LINKONCE),
    (".gnu.linkonce.this_module", "data", (("gcc", "", "", "of Linux modules"),), "Linux, include/linux/module.h"),
    (".gnu.warning.*", "constant", (("glibc", "", "", "libc.a"),), "GNU ld, elflink.c"),
    (".gnu.sgstubs", "code", (("ld", "2.26", "arm32", "--cmse-implib"),), "GNU ld manual, ARM"),
    (".dynbss", "zero", (("ld", "", "", "-pie"),), "GNU ld, elflink.c"),
    (
        ".gnu.version_d",
        "constant",
        (("ld", "", "", "--version-script"), ("lld", "", "", "--version-script")),
        "GNU ld, elflink.c",
    ),
    (".gnu.version", "constant", (("ld", "", "", "-shared"), ("lld", "", "", "-shared")), "GNU ld, elflink.c"),
    (".gnu.version_r", "constant", (("ld", "", "", "-shared"), ("lld", "", "", "-shared")), "GNU ld, elflink.c"),
    (".plt.sec", "code", (("ld", "2.31", "x86_64 x86_32", "-z ibtplt"),), "GNU ld, elfxx-x86.c"),
    (".bss.rel.ro", "zero", (("lld", "", "", "-pie"),), "lld, Relocations.cpp"),
    (".sdata2", "constant", (("gcc", "", "ppc32", "-msdata=eabi"),), "PowerPC EABI"),
    (".sdata2.*", "constant", (("gcc", "", "ppc32", "-msdata=eabi -fdata-sections"),), "PowerPC EABI"),
    (".sbss2", "zero", (("gcc", "", "ppc32", "-msdata=eabi"),), "PowerPC EABI"),
    (".sbss2.*", "zero", (("gcc", "", "ppc32", "-msdata=eabi -fdata-sections"),), "PowerPC EABI"),
    (".scommon", "zero", (("gcc", "", "mips", "-G8 -fcommon"),), "MIPS psABI"),
    (".glue_7", "code", (("ld", "", "arm32", "where ARM code calls Thumb code"),), "GNU ld, elf32-arm.c"),
    (".glue_7t", "code", (("ld", "", "arm32", "where Thumb code calls ARM code"),), "GNU ld, elf32-arm.c"),
    (".vfp11_veneer", "code", (("ld", "", "arm32", "--vfp11-denorm-fix"),), "GNU ld, elf32-arm.c"),
    (".v4_bx", "code", (("ld", "", "arm32", "--fix-v4bx-interworking"),), "GNU ld, elf32-arm.c"),
    (".text.sorted.*", "code", (("gcc", "10", "", "-flto -fprofile-use"),), "GCC, varasm.c"),
    (".stub", "code", (("ld", "", "", "of Alpha and IA-64"),), "GNU ld, scripttempl/elf.sc"),
    (".text.*_veneer", "code", (("ld", "", "arm32 arm64", "where a branch does not reach"),), "GNU ld, elf32-arm.c"),
    (".progmem.*", "constant", (("gcc", "", "avr", "__flash"),), "GCC manual, AVR"),
    (".gcc_except_table.*", "unwind", (("gcc", "", "", "-fexceptions -ffunction-sections"),), "GCC, except.c"),
    ("i.*", "code", (("armcc", "5", "arm32", ""),), _ARMCC),
    (".constdata", "constant", (("armcc", "5", "arm32", ""),), _ARMCC),
    (".conststring", "constant", (("armcc", "5", "arm32", ""),), _ARMCC),
    (".ARM.__at_*", "data", (("armcc", "5", "arm32", "__attribute__((at()))"),), _ARMCC),
    (".rdata", "constant", (("gcc", "", "", _PE),), _PEP),
    (".rdata$*", "constant", (("gcc", "", "", _PE),), _PEP),
    (".text$*", "code", (("gcc", "", "", _PE),), _PEP),
    (".data$*", "data", (("gcc", "", "", _PE),), _PEP),
    (".bss$*", "zero", (("gcc", "", "", _PE),), _PEP),
    (".pdata", "unwind", (("gcc", "", "x86_64", _PE),), _PEP),
    (".pdata$*", "unwind", (("gcc", "", "x86_64", _PE),), _PEP),
    (".xdata", "unwind", (("gcc", "", "x86_64", _PE),), _PEP),
    (".xdata$*", "unwind", (("gcc", "", "x86_64", _PE),), _PEP),
    (".drectve", "unallocated", (("gcc", "", "", _PE),), _PEP),
    (".idata$*", "data", (("ld", "", "", _PE),), _PEP),
    (".edata", "constant", (("ld", "", "", _PE),), _PEP),
    (".reloc", "constant", (("ld", "", "", _PE),), _PEP),
    (".tls$*", "data", (("gcc", "", "", _PE),), _PEP),
    (".CRT$*", "data", (("gcc", "", "", _PE),), _PEP),
)
