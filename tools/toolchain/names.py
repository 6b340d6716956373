"""From the name of one section to the pattern of the catalogue that stands for all that are called so."""

from __future__ import annotations

import re

# Behind these stands the name of a symbol, or of the code that a table is for.
_STEMS = (
    *(".text.unlikely", ".text.hot", ".text.startup", ".text.exit", ".text.split", ".text", ".ltext"),
    *(".data.rel.ro.local", ".data.rel.local", ".data.rel.ro", ".data.rel", ".data"),
    *(".ldata.rel.ro.local", ".ldata.rel.local", ".ldata.rel.ro", ".ldata.rel", ".ldata"),
    *(".rodata", ".lrodata", ".srodata", ".sdata2", ".sbss2", ".sdata", ".sbss", ".bss", ".lbss", ".tdata", ".tbss"),
    *(".literal", ".xt.lit", ".xt.prop", ".xtensa.info", ".toc", ".stack_sizes", "__patchable_function_entries"),
    *(".ARM.exidx", ".ARM.extab", ".gcc_except_table", ".ctors", ".dtors", ".init_array", ".fini_array"),
    *(".gnu.linkonce.l4", ".gnu.linkonce.l8", ".gnu.lto_", ".gnu.debuglto_", ".llvm_bb_addr_map", ".progmem"),
)
# Sizes and alignments of mergeable constants differ with the architecture and with the constant.
_MERGEABLE = re.compile(r"\.(str|cst)\d+(\.\d+)?$")

_SHF_WRITE, _SHF_ALLOC, _SHF_EXECINSTR, _SHF_TLS = 1, 2, 4, 0x400

_RELRO = (".data.rel.ro", ".ldata.rel.ro", ".init_array", ".fini_array", ".preinit_array", ".ctors", ".dtors")
_UNWIND = (".eh_frame", ".gcc_except_table", ".ARM.exidx", ".ARM.extab", ".sframe")


def pattern_of(name: str) -> str:
    """The name itself, or what it has in common with those of other symbols: `.text.unlikely.*`."""
    stem = next((stem for stem in _STEMS if name.startswith(f"{stem}." if stem[-1] != "_" else stem)), "")
    # Clang's `.text.unlikely.` is a name of its own.
    if not stem or name in _STEMS or name == f"{stem}.":
        return name
    if (part := _MERGEABLE.fullmatch(name, len(stem))) is not None:
        return f"{stem}.{part[1]}*"
    return f"{stem}*" if stem[-1] == "_" else f"{stem}.*"


def kind_of(name: str, section_type: str, flags: int) -> str:
    """What the bytes are for, as a word of the catalogue."""
    if not flags & _SHF_ALLOC:
        return "debug" if name.startswith((".debug", ".zdebug", ".gnu.debuglto")) else "unallocated"
    if flags & _SHF_TLS:
        return "tls zero" if section_type == "NOBITS" else "tls"
    if section_type == "NOTE":
        return "note"
    if flags & _SHF_EXECINSTR:
        return "code"
    if section_type == "NOBITS":
        return "zero"
    if name.startswith(_UNWIND):
        return "unwind"
    if name.startswith(_RELRO):
        return "relro"
    return "data" if flags & _SHF_WRITE else "constant"
