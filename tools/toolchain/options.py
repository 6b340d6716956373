"""The usual options, the cheapest first: an entry of the catalogue names the first of them under which it is seen."""

from __future__ import annotations

from ldcheck.record import dataclass

_X86 = ("x86_64", "x86_32")


@dataclass(frozen=True, slots=True)
class Choice:
    """Options, and what they are called in the catalogue; empty makers or architectures stand for all of them.

    `sources` are those that the options say something about: files of the folder sources/.
    """

    label: str
    flags: tuple[str, ...]
    makers: tuple[str, ...] = ()
    arches: tuple[str, ...] = ()
    sources: tuple[str, ...] = ("plain.c", "priority.c", "thread.c", "plain.cc")


def _choice(
    label: str, more: str = "", makers: str = "", arches: str | tuple[str, ...] = (), sources: str = ""
) -> Choice:
    arches = tuple(arches.split()) if isinstance(arches, str) else arches
    chosen = {"sources": tuple(sources.split())} if sources else {}
    return Choice(label, tuple(more.split()), tuple(makers.split()), arches, **chosen)


# Distributions build position-independent code by default, kernels and firmware do not: said either way.
_FIXED = "-fno-pic -fno-pie"
_SPLIT = "-ffunction-sections -fdata-sections"
_C = "plain.c"

# What ordinary code is compiled with. The other options add sections of their own.
USUAL = frozenset(
    (
        *(
            "C++",
            "constructor(N)",
            "-ffunction-sections",
            "-fdata-sections",
            "-fPIE",
            "-fPIC",
            "-fcommon",
            "-fexceptions",
        ),
        *("-funwind-tables", "-fasynchronous-unwind-tables", "-mno-abicalls", "-G8", "-msdata=eabi"),
        *("-gdwarf-4", "-gdwarf-5", "-mcmodel=medium", "-mcmodel=large", "-pie", "-shared", "-dynamic-linker", "ifunc"),
    )
)

CHOICES = (
    _choice("", f"-O2 {_FIXED}"),
    _choice("", f"-O0 {_FIXED}"),
    _choice("-ffunction-sections", f"-O2 {_FIXED} -ffunction-sections"),
    _choice("-fdata-sections", f"-O2 {_FIXED} -fdata-sections"),
    _choice(_SPLIT, f"-O2 {_FIXED} {_SPLIT}"),
    _choice(_SPLIT, f"-O0 {_FIXED} {_SPLIT}"),
    _choice("-mno-abicalls", f"-O2 {_FIXED} -mno-abicalls", "", "mips mips64"),
    _choice("-mno-abicalls", f"-O0 {_FIXED} -mno-abicalls", "", "mips mips64"),
    _choice("-G8", f"-O2 {_FIXED} -mno-abicalls -G8", "", "mips mips64"),
    _choice(f"-G8 {_SPLIT}", f"-O2 {_FIXED} -mno-abicalls -G8 {_SPLIT}", "", "mips mips64"),
    _choice("-msdata=eabi", f"-O2 {_FIXED} -msdata=eabi", "gcc", "ppc32"),
    _choice(f"-msdata=eabi {_SPLIT}", f"-O2 {_FIXED} -msdata=eabi {_SPLIT}", "gcc", "ppc32"),
    _choice("-fPIE", "-O2 -fPIE"),
    _choice("-fPIE", "-O0 -fPIE"),
    _choice(f"-fPIE {_SPLIT}", f"-O2 -fPIE {_SPLIT}"),
    _choice("-fPIC", "-O2 -fPIC"),
    _choice(f"-fPIC {_SPLIT}", f"-O2 -fPIC {_SPLIT}"),
    _choice("-fcommon", f"-O2 {_FIXED} -fcommon", sources=_C),
    _choice("-funwind-tables", f"-O2 {_FIXED} -funwind-tables", sources=_C),
    _choice("-fasynchronous-unwind-tables", f"-O2 {_FIXED} -fasynchronous-unwind-tables", sources=_C),
    _choice("-fexceptions", f"-O2 {_FIXED} -fexceptions", sources="plain.c plain.cc"),
    _choice(f"-fexceptions {_SPLIT}", f"-O2 {_FIXED} -fexceptions {_SPLIT}", sources="plain.c plain.cc"),
    _choice("-gdwarf-4", f"-O2 {_FIXED} -gdwarf-4", sources="plain.c plain.cc"),
    _choice("-gdwarf-5", f"-O2 {_FIXED} -gdwarf-5", sources="plain.c plain.cc"),
    _choice("-gdwarf-2", f"-O2 {_FIXED} -gdwarf-2", sources=_C),
    _choice("-g -gsplit-dwarf", f"-O2 {_FIXED} -gdwarf-4 -gsplit-dwarf", sources=_C),
    _choice("-g -gsplit-dwarf", f"-O2 {_FIXED} -gdwarf-5 -gsplit-dwarf", sources=_C),
    _choice("-g -gpubnames", f"-O2 {_FIXED} -gdwarf-4 -gpubnames", sources=_C),
    _choice("-g -gpubnames", f"-O2 {_FIXED} -gdwarf-5 -gpubnames -ggnu-pubnames", sources=_C),
    _choice("-g -fdebug-types-section", f"-O2 {_FIXED} -gdwarf-4 -fdebug-types-section", sources="plain.c plain.cc"),
    _choice("-g3", f"-O2 {_FIXED} -g3 -gdwarf-4", sources=_C),
    _choice("-g3", f"-O2 {_FIXED} -g3 -gdwarf-5", sources=_C),
    _choice("-g3 -fdebug-macro", f"-O2 {_FIXED} -gdwarf-4 -fdebug-macro", "clang", sources=_C),
    _choice("-g3 -fdebug-macro", f"-O2 {_FIXED} -gdwarf-5 -fdebug-macro", "clang", sources=_C),
    _choice(
        "-g -fno-asynchronous-unwind-tables", f"-O2 {_FIXED} -g -fno-asynchronous-unwind-tables", sources="plain.c"
    ),
    _choice("-g -gz=zlib-gnu", f"-O2 {_FIXED} -g -gz=zlib-gnu", sources=_C),
    _choice("-g -gz", f"-O2 {_FIXED} -g -gz", sources=_C),
    _choice("--coverage", f"-O2 {_FIXED} --coverage", sources="plain.c plain.cc"),
    _choice(f"--coverage {_SPLIT}", f"-O2 {_FIXED} --coverage {_SPLIT}", sources="plain.c"),
    _choice(
        "-fprofile-instr-generate -fcoverage-mapping",
        f"-O2 {_FIXED} -fprofile-instr-generate -fcoverage-mapping",
        "clang",
        sources="plain.c plain.cc",
    ),
    _choice("-fprofile-generate", f"-O2 {_FIXED} -fprofile-generate", sources=_C),
    _choice("-fsanitize=address", f"-O2 {_FIXED} -fsanitize=address", sources="plain.c plain.cc"),
    _choice("-fsanitize=kernel-address", f"-O2 {_FIXED} -fsanitize=kernel-address", sources=_C),
    _choice("-fsanitize=thread", f"-O2 {_FIXED} -fsanitize=thread", sources=_C),
    _choice("-fsanitize=undefined", f"-O2 {_FIXED} -fsanitize=undefined", sources="plain.c plain.cc"),
    _choice(f"-fsanitize=undefined {_SPLIT}", f"-O2 {_FIXED} -fsanitize=undefined {_SPLIT}", sources=_C),
    _choice("-fsanitize-coverage=trace-pc-guard", f"-O2 {_FIXED} -fsanitize-coverage=trace-pc-guard", "clang"),
    _choice(
        "-fsanitize-coverage=inline-8bit-counters,pc-table",
        f"-O2 {_FIXED} -fsanitize-coverage=inline-8bit-counters,pc-table",
        "clang",
    ),
    _choice("-fsanitize=kcfi", f"-O2 {_FIXED} -fsanitize=kcfi", "clang", sources=_C),
    _choice("-flto", f"-O2 {_FIXED} -flto -ffat-lto-objects", sources=_C),
    _choice("-fstack-size-section", f"-O2 {_FIXED} -fstack-size-section", "clang", sources=_C),
    _choice("-fsplit-stack", f"-O2 {_FIXED} -fsplit-stack", sources=_C),
    _choice("-fstack-protector-all", f"-O2 {_FIXED} -fstack-protector-all", sources=_C),
    _choice("-fpatchable-function-entry", f"-O2 {_FIXED} -fpatchable-function-entry=4", sources=_C),
    _choice("-fcf-protection", f"-O2 {_FIXED} -fcf-protection", "", _X86, _C),
    _choice("-mbranch-protection=standard", f"-O2 {_FIXED} -mbranch-protection=standard", "", "arm64", _C),
    _choice("-pg", f"-O2 {_FIXED} -pg", sources=_C),
    _choice("-pg -mrecord-mcount", f"-O2 {_FIXED} -pg -mfentry -mrecord-mcount", "", (*_X86, "s390x"), _C),
    _choice("-pg -mnop-mcount", f"-O2 {_FIXED} -pg -mfentry -mrecord-mcount -mnop-mcount", "", (*_X86, "s390x"), _C),
    _choice("-mindirect-branch=thunk", f"-O2 {_FIXED} -mindirect-branch=thunk -mindirect-branch-register", "gcc", _X86),
    _choice("-mretpoline", f"-O2 {_FIXED} -mretpoline -mretpoline-external-thunk", "clang", _X86, _C),
    _choice("-mfunction-return=thunk", f"-O2 {_FIXED} -mfunction-return=thunk", "gcc", (*_X86, "s390x")),
    _choice("-mcmodel=medium", f"-O2 {_FIXED} -mcmodel=medium", "", "x86_64", "plain.c large.c"),
    _choice(f"-mcmodel=medium {_SPLIT}", f"-O2 {_FIXED} -mcmodel=medium {_SPLIT}", "", "x86_64", "plain.c large.c"),
    _choice("-mcmodel=large", f"-O2 {_FIXED} -mcmodel=large", "", "x86_64", "plain.c plain.cc large.c"),
    _choice(
        f"-mcmodel=large {_SPLIT}", f"-O2 {_FIXED} -mcmodel=large {_SPLIT}", "", "x86_64", "plain.c plain.cc large.c"
    ),
    _choice("-mcmodel=large -fPIC", "-O2 -fPIC -mcmodel=large", "", "x86_64", "plain.c large.c"),
    _choice("-mpure-code", f"-O2 {_FIXED} -march=armv7-m -mthumb -mpure-code", "gcc", "arm32", _C),
    _choice("-mrelocatable", "-O2 -fPIC -mrelocatable", "gcc", "ppc32", _C),
    _choice("-mpcrel", f"-O2 {_FIXED} -mcpu=power10", "", "ppc64", _C),
    _choice("-mmsa", f"-O2 {_FIXED} -mfp64 -mmsa", "", "mips", _C),
    _choice("-fbasic-block-sections=all", f"-O2 {_FIXED} -fbasic-block-sections=all", "clang", "x86_64", _C),
    _choice(
        "-fbasic-block-sections=labels",
        f"-O2 {_FIXED} -fbasic-block-sections=labels",
        "clang",
        "x86_64",
        _C,
    ),
    _choice("-fbasic-block-address-map", f"-O2 {_FIXED} -fbasic-block-address-map", "clang", "x86_64", _C),
    _choice("-faddrsig", f"-O2 {_FIXED} -faddrsig", "clang", sources=_C),
    _choice("-fembed-bitcode", f"-O2 {_FIXED} -fembed-bitcode", "clang", sources=_C),
    _choice("-frecord-command-line", f"-O2 {_FIXED} -frecord-command-line", "clang", sources=_C),
    _choice("-frecord-gcc-switches", f"-O2 {_FIXED} -frecord-gcc-switches", "gcc", sources=_C),
    _choice("-fno-use-init-array", f"-O2 {_FIXED} -fno-use-init-array", "clang", sources="plain.c priority.c plain.cc"),
    _choice("-fxray-instrument", f"-O2 {_FIXED} -fxray-instrument", "clang", sources=_C),
    _choice("-Wa,--gsframe", f"-O2 {_FIXED} -Wa,--gsframe", "gcc", sources=_C),
)
RUST = (
    _choice("", "-Copt-level=2 -Cpanic=abort", "rustc", sources="plain.rs"),
    _choice("", "-Copt-level=0", "rustc", sources="plain.rs"),
    _choice("-C relocation-model=static", "-Copt-level=2 -Crelocation-model=static", "rustc", sources="plain.rs"),
    _choice("-g", "-Copt-level=2 -g", "rustc", sources="plain.rs"),
)


def choices_of(maker: str, arch: str) -> tuple[Choice, ...]:
    """The choices that a compiler is asked with."""
    if maker == "rustc":
        return RUST
    return tuple(
        choice
        for choice in CHOICES
        if (not choice.makers or maker in choice.makers) and (not choice.arches or arch in choice.arches)
    )
