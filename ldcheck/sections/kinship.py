"""Which names of the catalogue belong together, and what tells that a script is made for an option; for `siblings`.

Each family has its reason in a script's statements: the names beside which the others have their place, and by which a
script shows that it knows of them.
"""

from __future__ import annotations

from ldcheck.record import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """Patterns of the catalogue that belong together, and the names beside which they have their place, best first.

    `always` are names beside which the family is wanted where the others are not taken either. `harmless` families are
    never more than possible: their orphans take no memory. `arches` are those for which the family is to be expected,
    if it is not all for which the catalogue has it. Without `possible`, names count only where they are likely.
    Where a name of `unless` is taken, they never are. What may lie `anywhere` matters only beside a discarded sibling.
    What is `apart` is of use only in an output section of its own, for the reason that this gives; where `apart_on` is
    not empty, only for those architectures, whose linkers go by the name. It may have to be `ahead` of its sibling's.
    """

    name: str
    patterns: tuple[str, ...]
    beside: tuple[str, ...]
    always: tuple[str, ...] = ()
    harmless: bool = False
    arches: frozenset[str] = frozenset()
    possible: bool = True
    unless: tuple[str, ...] = ()
    anywhere: bool = False
    apart: str = ""
    apart_on: frozenset[str] = frozenset()
    ahead: bool = False


# GNU ld refuses the relocations of small data whose output section is not called .sdata, .sbss, .sdata2 or .sbss2.
_NAMED = frozenset(("ppc32",))
_SMALL = "the linker finds small data by the name of its output section"

_DEBUG = (
    *(".debug_abbrev", ".debug_aranges", ".debug_frame", ".debug_info", ".debug_line", ".debug_str"),
    *(".debug_loc", ".debug_ranges", ".debug_addr", ".debug_line_str", ".debug_loclists", ".debug_rnglists"),
    *(".debug_str_offsets", ".debug_macro"),
)

_INIT_ARRAY = frozenset(("x86_64", "x86_32", "arm64", "arm32", "riscv64", "riscv32"))

FAMILIES = (
    Family(
        "code",
        (
            *(".text", ".text.*", ".text.unlikely", ".text.unlikely.", ".text.unlikely.*"),
            *(".text.hot", ".text.hot.", ".text.hot.*", ".text.exit", ".text.exit.*"),
        ),
        (".text",),
    ),
    # A kernel has no main(), and who lists the parts of .text knows which of them it has.
    Family("code that runs once", (".text.startup", ".text.startup.*"), (".text",), unless=(".text.unlikely",)),
    Family(
        "constants", (".rodata", ".rodata.*", ".rodata.str*", ".rodata.cst*"), (".rodata", ".rodata.str*"), (".text",)
    ),
    Family("data", (".data", ".data.*"), (".data", ".data.*")),
    # Not beside .data.rel.ro: what is written to would be read-only after relocation.
    Family(
        "data with relocations",
        (".data.rel", ".data.rel.*", ".data.rel.local", ".data.rel.local.*"),
        (".data.rel", ".data.rel.local", ".data"),
    ),
    Family(
        "data that is read-only after relocation",
        (".data.rel.ro", ".data.rel.ro.*", ".data.rel.ro.local", ".data.rel.ro.local.*"),
        (".data.rel.ro", ".data.rel", ".data.rel.local", ".data"),
    ),
    Family("zeroed data", (".bss", ".bss.*"), (".bss", ".bss.*")),
    Family("common symbols", ("COMMON",), (".bss", ".bss.*"), possible=False),
    Family(
        "small data",
        (".sdata", ".sdata.*", ".sdata2", ".sdata2.*"),
        (".sdata", ".sdata.*", ".sdata2", ".data", ".data.*"),
        apart=_SMALL,
        apart_on=_NAMED,
    ),
    Family("small constants", (".srodata", ".srodata.*", ".srodata.cst*"), (".srodata", ".srodata.*", ".rodata")),
    Family(
        "small zeroed data",
        (".sbss", ".sbss.*", ".sbss2", ".sbss2.*", ".scommon"),
        (".sbss", ".sbss.*", ".sbss2", ".bss", ".bss.*"),
        apart=_SMALL,
        apart_on=_NAMED,
    ),
    Family("thread-local data", (".tdata", ".tdata.*", ".tbss", ".tbss.*"), (".tdata", ".tbss")),
    Family(
        "large code model",
        (".ltext", ".ltext.*", ".lrodata", ".lrodata.*", ".ldata", ".ldata.*", ".lbss", ".lbss.*"),
        (".lrodata", ".ldata", ".lbss", ".ltext"),
        apart="code, constants, data and zeroed data have other permissions and contents",
    ),
    Family("constructors", (".init_array", ".init_array.*"), (".init_array",)),
    Family("destructors", (".fini_array", ".fini_array.*"), (".fini_array",)),
    Family(
        "constructors",
        (".init_array", ".init_array.*"),
        (".preinit_array", ".fini_array"),
        apart="what lies between the symbols of another array is called with that",
    ),
    # Elsewhere GCC may be configured for .ctors still, whatever its build for Linux does.
    Family("constructors", (".init_array", ".init_array.*"), (".ctors",), arches=_INIT_ARRAY),
    Family("destructors", (".fini_array", ".fini_array.*"), (".dtors",), arches=_INIT_ARRAY),
    Family(
        "what the dynamic linker looks symbols up in",
        (".dynsym", ".dynstr", ".hash", ".gnu.hash"),
        (".dynsym", ".dynstr", ".hash", ".gnu.hash"),
        anywhere=True,
        apart="each is found by its own kind of section",
    ),
    Family(
        "index of unwind tables",
        (".ARM.exidx", ".ARM.exidx.*"),
        (".ARM.exidx", ".ARM.exidx.*", ".ARM.extab"),
        apart="all that is in its output section is read as the index",
    ),
    # What the index, .eh_frame or the loader leads to may lie anywhere.
    Family(
        "unwind tables of Arm",
        (".ARM.extab", ".ARM.extab.*"),
        (".ARM.extab", ".ARM.exidx", ".ARM.exidx.*"),
        anywhere=True,
        apart="all that is in the output section of `.ARM.exidx` is read as the index",
        ahead=True,
    ),
    Family(
        "unwind tables",
        (".eh_frame",),
        (".eh_frame_hdr", ".gcc_except_table"),
        apart="the linker makes no `.eh_frame_hdr` for frames that share one",
    ),
    Family("exception tables", (".gcc_except_table", ".gcc_except_table.*"), (".gcc_except_table",), anywhere=True),
    Family(
        "notes",
        (".note.gnu.property",),
        (".note.gnu.property", ".note.gnu.build-id", ".note.GNU-stack", ".note.ABI-tag"),
        anywhere=True,
        apart="notes of another alignment cannot be read in one",
    ),
    Family(
        "global offset table",
        (".got", ".got.plt", ".toc", ".got2"),
        (".got", ".got.plt", ".toc", ".got2"),
        anywhere=True,
        possible=False,
    ),
    Family(
        "coverage counters",
        tuple(f"__llvm_prf_{name}" for name in ("bits", "cnts", "data", "names", "vns", "vtab")),
        ("__llvm_prf_cnts", "__llvm_prf_data", "__llvm_prf_names"),
        apart="the runtime reads all between `__start_` and `__stop_` of its name",
    ),
    Family(
        "debugging information",
        _DEBUG,
        (".debug_info", ".debug_line", ".debug_str"),
        harmless=True,
        apart="it is found by the name of its output section",
    ),
)

# A project that renames the sections of an object (objcopy --rename-section) has these behind a prefix.
PREFIXED = Family("constants behind a prefix", (".rodata.str*", ".rodata.cst*"), (".rodata", ".rodata.str*"))

# What a script shows that it is made for: an option, and names that a pattern which begins with the second word must
# match for that. Named as the catalogue names options.
SHOWING = (
    ("-ffunction-sections -fdata-sections", ".text", (".text.q7",)),
    # `.data.*` may be there for .data.rel.
    ("-fdata-sections", ".bss", (".bss.q7",)),
    ("-fdata-sections", ".sbss", (".sbss.q7",)),
    ("-fPIE -fPIC -pie", ".rel", (".rela.dyn", ".rel.dyn")),
    ("-fPIE -fPIC -pie", ".dyn", (".dynamic", ".dynsym", ".dynstr")),
    ("-fPIE -fPIC", ".data.rel", (".data.rel", ".data.rel.local", ".data.rel.ro", ".data.rel.ro.local")),
    ("constructor(N)", ".init_array", (".init_array", ".init_array.00101")),
    ("C++ -fexceptions -funwind-tables", ".gcc_except_table", (".gcc_except_table",)),
    ("-fexceptions -funwind-tables", ".eh_frame", (".eh_frame",)),
    ("-fexceptions -funwind-tables", ".ARM.ex", (".ARM.exidx", ".ARM.exidx.q7", ".ARM.extab")),
    ("-fprofile-instr-generate -fcoverage-mapping", "__llvm", ("__llvm_prf_cnts", "__llvm_prf_data")),
    ("-mcmodel=large -mcmodel=medium", ".l", (".ltext", ".lrodata", ".ldata", ".lbss")),
    ("-G8 -mno-abicalls -msdata=eabi", ".s", (".sdata", ".sbss", ".scommon", ".sdata.q7", ".sbss.q7")),
    ("-gdwarf-4 -gdwarf-5 -g", ".debug", (".debug_info", ".debug_line")),
    # Distributions have it on by default.
    ("-fcf-protection -mbranch-protection=standard", ".note", (".note.gnu.build-id", ".note.ABI-tag", ".note.gnu.x")),
)

# What is thrown away was emitted all the same; but nobody is served by an .eh_frame that is not there.
ALSO_DISCARDED = frozenset((".ARM.ex", ".debug", ".dyn", ".note"))


def needs_its_name(name: str, arch: str) -> bool:
    """Whether the linker for an architecture takes sections of that name in an output section of the name alone."""
    families = (family for family in FAMILIES if arch in family.apart_on)
    stems = {pattern.removesuffix(".*") for family in families for pattern in family.patterns}
    return any(name == stem or name.startswith(f"{stem}.") for stem in stems)
