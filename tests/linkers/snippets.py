"""A script for each row of the table of differences, with the input that shows what the row says.

The symbols and the sizes are the observation: see `image`.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.build import assemble
from tests.support.linkers import Linker, command
from tests.support.tools import tool

REFUSED = "refused"


def section(name: str, flags: str = "a", size: int = 4, kind: str = "@progbits", align: int = 1, mark: str = "") -> str:
    """Source of an input section whose bytes are 1, with a symbol at its start."""
    symbol = f".globl {mark}\n{mark}:\n" if mark else ""
    fill = ",1" if kind != "@nobits" else ""
    return f'.section "{name}","{flags}",{kind}\n.balign {align}\n{symbol}.skip {size}{fill}\n'


TEXT = section(".text", "ax", 16)
ODD = section(".text", "ax", 6)
RODATA = section(".rodata")
DATA = section(".data", "aw")
BSS = section(".bss", "aw", kind="@nobits")
MEMORY = "MEMORY { FLASH : ORIGIN = 0x1000, LENGTH = 64K\n SRAM : ORIGIN = 0x80000, LENGTH = 64K }\n"
TWO = section(".text.a", "ax", mark="a1") + section(".text.b", "ax", mark="b1")
INIT = "".join(
    section(name, "aw", 8, kind, 8, mark)
    for name, kind, mark in (
        (".init_array.100", "@init_array", "i100"),
        (".ctors.65435", "@progbits", "c100"),
        (".init_array.50", "@init_array", "i50"),
        (".ctors.65525", "@progbits", "c10"),
    )
)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A script and the sources of a.o, b.o ..., for the difference of this name.

    With what linkers of the kind `stopped` make of it the link does not go on. The last source is also that of a member
    of an archive if `member` is its name.
    """

    difference: str
    script: str
    sources: tuple[str, ...]
    stopped: str = ""
    member: str = ""


def _at(text: str) -> str:
    return f"SECTIONS {{ . = 0x10000; {text} }}"


# fmt: off
SNIPPETS = (
    Snippet("dot-number", _at(".text : { *(.text) . = 0x400; end = .; }"), (TEXT,), "lld"),
    Snippet("dot-number", "size = 0x40;\n" + _at(".text : { *(.text) . = size; end = .; }"), (TEXT,), "lld"),
    Snippet("dot-number", _at(".text : { *(.text) . = 1 ? 0x40 : 0x80; end = .; }"), (TEXT,), "lld"),
    Snippet("dot-arithmetic", _at(".text : { *(.text) . = . + 2 * 1 << 2; end = .; }"), (TEXT,)),
    Snippet("dot-arithmetic", "SECTIONS { . = 0x10004; .text : { *(.text) . = (. + 15) & ~15; end = .; } }", (ODD,)),
    Snippet("dot-arithmetic", "SECTIONS { . = 0x10004; .text : { *(.text) . = ALIGN(., 16); end = .; } }", (ODD,)),
    Snippet("dot-arithmetic", _at(".text : { *(.text) . = MAX(., 0x40); end = .; }"), (TEXT,)),
    Snippet("symbol-number", _at(".text : { *(.text) x = 0x10; } y = x;"), (TEXT,)),
    Snippet("symbol-number", _at(".text : { *(.text) x = SIZEOF(.data); } .data : { *(.data) }"), (TEXT + DATA,)),
    Snippet("symbol-number", _at(".text : { start = .; *(.text) size = . - start; }"), (TEXT,)),
    Snippet("symbol-number", _at(".text : { *(.text) above = . > 0x8000; }"), (TEXT,)),
    Snippet("symbol-number", MEMORY + "SECTIONS { .text : { *(.text) n = LENGTH(SRAM); } > FLASH }", (TEXT,)),
    Snippet("dot-address", _at(".text : { *(.text) . = ADDR(.text) + 0x40; end = .; }"), (TEXT,)),
    Snippet("assert-dot", 'SECTIONS { . = 0x10001; .text : { *(.text) ASSERT((. & 15) == 0, ""); } }', (TEXT,), "lld"),
    Snippet("own-size", _at(".text : { *(.text) n = ABSOLUTE(SIZEOF(.text)); QUAD(0) }"), (TEXT,)),
    Snippet("own-size", _at('.text : { *(.text) ASSERT(SIZEOF(.text) < 20, ""); *(.data) }'), (TEXT + DATA,), "gnu"),
    Snippet("unallocated-dot", _at(".text : { *(.text) } .debug : { *(.debug) } e = .; .data : { *(.data) }"),
            (TEXT + DATA + section(".debug", "", 32),)),
    Snippet("unallocated-dot", _at(".text : { *(.text) } .debug 0 : { *(.debug) } e = .; .data : { *(.data) }"),
            (TEXT + DATA + section(".debug", "", 32),)),
    *(Snippet("info-dot", _at(f".text : {{ *(.text) }} .n ({kind}) : {{ *(.data) }} end = .;"), (TEXT + DATA,))
      for kind in ("COPY", "INFO", "OVERLAY")),
    Snippet("region-address", MEMORY + "SECTIONS { . = 0x1100; .text . : { *(.text) } > FLASH }", (TEXT,)),
    Snippet("empty-aligned", "SECTIONS { . = 0x10001; .e ALIGN(4K) : { . = .; } .data : { *(.data) } }", (DATA,)),
    Snippet("only-space", _at(".text : { *(.text) } .heap : { . += 64; }"), (TEXT,)),
    Snippet("only-space", _at(".text : { *(.text) } .heap : { *(.heap) . += 64; }"), (TEXT,)),
    Snippet("only-space", _at(".text : { *(.text) } .heap : { *(.heap) . = . + 64; end = .; }"), (TEXT,)),
    Snippet("headers-size", "SECTIONS { . = 0x10000 + SIZEOF_HEADERS; .text : { *(.text) } }", (TEXT,)),
    Snippet("subalign", "SECTIONS { . = 0x10001; .text : SUBALIGN(2) { *(.text) } }",
            (section(".text", "ax", align=16),)),
    Snippet("load-inherited",
            MEMORY + "SECTIONS { .text : { *(.text) } > FLASH .data : { *(.data) } > SRAM AT> FLASH "
            ".bss : { *(.bss) } > SRAM load = LOADADDR(.bss); }", (TEXT + DATA + BSS,)),
    Snippet("load-at-inherited", "SECTIONS { . = 0x80000; .data : AT(0x1000) { *(.data) } .two : { *(.rodata) }\n"
            "load = LOADADDR(.two); }", (DATA + RODATA,)),
    Snippet("load-alignment",
            MEMORY + "SECTIONS { .text : { *(.text) } > FLASH .data : { *(.data) } > SRAM AT> FLASH "
            "load = LOADADDR(.data); }", (ODD + section(".data", "aw", align=64),)),
    Snippet("read-only-orphan", _at(".text : { *(.text) } etext = .; .data : { *(.data) }"), (TEXT + RODATA + DATA,)),
    Snippet("note-orphan", _at(".text : { *(.text) } .rodata : { *(.rodata) } .data : { *(.data) }"),
            (TEXT + RODATA + DATA + section(".note.x", "a", 16, "@note") + section(".rodata.x"),)),
    Snippet("typed-orphan", _at(".text : { *(.text) } .x (NOLOAD) : { *(.data) } .y : { *(.y) }"),
            (TEXT + DATA + section(".x", "aw"),)),
    Snippet("exclude-outside", _at(".a : { EXCLUDE_FILE(*b.o) *(.text) } .b : { *(.text) }"), (TEXT, TEXT)),
    *(Snippet("bare-file", _at(f".a : {{ {what} }} .b : {{ *(.text) }}"), (TEXT, TEXT))
      for what in ("KEEP(a.o)", "INPUT_SECTION_FLAGS(SHF_ALLOC) a.o")),
    Snippet("exclude-kept", _at(".a : { KEEP(EXCLUDE_FILE(*b.o) *(.text)) } .b : { *(.text) }"), (TEXT, TEXT)),
    Snippet("exclude-list", _at(".a : { *(EXCLUDE_FILE(*b.o) .text .data) } .b : { *(.text .data) }"),
            (TEXT + DATA, TEXT + DATA)),
    Snippet("colon-file", _at(".a : { :a.o(.text) } .b : { *(.text) }"), (TEXT, TEXT)),
    Snippet("file-of-member", _at(".a : { b.o(.text) } .b : { *(.text) }"), (TEXT, ODD), member="b.o"),
    Snippet("sorted-together", _at(".text : { *(SORT(.text.b*) .text.a*) }"),
            (TWO + section(".text.b0", "ax", mark="b0"),)),
    Snippet("sorted-together", _at(".init_array : { KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*) "
            "SORT_BY_INIT_PRIORITY(.ctors.*))) }"), (INIT,)),
    Snippet("flags-sorted", _at(".t : { INPUT_SECTION_FLAGS(SHF_WRITE) *(SORT(.foo*)) } .x : { *(.foo*) }"),
            (section(".fooa") + section(".foob", "aw", 8),)),
    Snippet("insert", "SECTIONS { .x : { *(.x) } } INSERT AFTER .text;", (TEXT + section(".x"),)),
    Snippet("discard-all", _at(".text : { *(.text) } /DISCARD/ : { *(*) }"), (TEXT + DATA,)),
    Snippet("quoted-name", _at('".text" : { *(.text) }'), (TEXT,)),
    Snippet("quoted-name", _at('.text : { *(.text) } .data : { *(.data) } x = SIZEOF(".data");'), (TEXT + DATA,)),
    *(Snippet("quoted-region", MEMORY + f"SECTIONS {{ .text : {{ *(.text) }} > FLASH .data : {{ *(.data) }} {what} }}",
              (TEXT + DATA,))
      for what in ('> "SRAM"', '> SRAM AT> "FLASH"', '> SRAM x = LENGTH("SRAM");')),
    *(Snippet(name, f"PHDRS {{ {text} PT_LOAD; }} " + _at(f".text : {{ *(.text) }} :{use} .data : {{ *(.data) }}"),
              (TEXT + DATA,))
      for name, text, use in (("quoted-region", "text", '"text"'), ("quoted-memory", '"text"', "text"),
                              ("quoted-everywhere", '"text"', '"text"'))),
    *(Snippet(name, MEMORY.replace("SRAM", '"SRAM"') + "SECTIONS { .text : { *(.text) } > FLASH .data : { *(.data) } "
              f"> {use} }}", (TEXT + DATA,))
      for name, use in (("quoted-memory", "SRAM"), ("quoted-everywhere", '"SRAM"'))),
    Snippet("quoted-file", _at('.x : { "a*"(.text) } .y : { *(.text) }'), (TEXT, ODD)),
    Snippet("quoted-file", _at('.x : { *(EXCLUDE_FILE("a*") .text) } .y : { *(.text) }'), (TEXT, ODD)),
    Snippet("octal", "x = 010;\n" + _at(".text : { *(.text) }"), (TEXT,)),
    Snippet("dollar-number", "x = $10;\n" + _at(".text : { *(.text) }"), (TEXT,)),
    Snippet("hexadecimal-name", _at(".text : { *(.text) } x = dead;"), (TEXT + ".globl dead\n.set dead, 5\n",)),
    Snippet("comma-list", _at(".text : { *(.text,.rodata) } .x : { *(.text) } .y : { *(.rodata) }"), (TEXT + RODATA,)),
    Snippet("comma-list", _at(".x : { *(.text, .rodata) } .y : { *(.text) }"), (TEXT + RODATA,)),
    Snippet("defined-later", "x = DEFINED(y) ? 1 : 2; y = 3;\n" + _at(".text : { *(.text) }"), (TEXT,)),
    Snippet("assert-early", 'ASSERT(end > 0x10000, "small")\n' + _at(".text : { *(.text) } end = .;"), (TEXT,), "lld"),
    Snippet("signed-division", "x = -8 / 2;\n" + _at(".text : { *(.text) }"), (TEXT,)),
    Snippet("missing-section", "x = SIZEOF(.missing);\n" + _at(".text : { *(.text) }"), (TEXT,)),
    Snippet("undeclared-region", _at(".text : { *(.text) } > ROM"), (TEXT,)),
    Snippet("align-with-input", MEMORY + "SECTIONS { .text : ALIGN_WITH_INPUT { *(.text) } > FLASH }", (TEXT,)),
    Snippet("block", _at(". = BLOCK(16); .text : { *(.text) }"), (TEXT,)),
    Snippet("next", _at(". = NEXT(0x1000); .text : { *(.text) }"), (TEXT,)),
    Snippet("odd-align", _at(". = ALIGN(6); .text : { *(.text) }"), (TEXT,)),
    Snippet("sorted-files", _at(".text : { SORT(*)(.text) }"), (TEXT, TEXT)),
    Snippet("special", _at(".text : SPECIAL { *(.text) }"), (TEXT,)),
    Snippet("section-class", _at("CLASS(c) { *(.text.a) } .one : { *(.text.b) } .two : { CLASS(c) }"), (TWO,)),
    Snippet("overwrite-sections", "OVERWRITE_SECTIONS { .text : { a = .; *(.text) } } " + _at(".x : { *(.x) }"),
            (TEXT,)),
    Snippet("group-sections", "SECTIONS { GROUP 0x10000 : { .text : { *(.text) } } }", (TEXT,)),
    *(Snippet("old-command", f"{word}\n" + _at(".text : { *(.text) }"), (TEXT,))
      for word in ("STARTUP(a.o)", "FORCE_COMMON_ALLOCATION", "HLL(a)", "SYSLIB(a)")),
    Snippet("overlay-address", "SECTIONS { . = 0x10000; OVERLAY : AT(0x20000) { .t { *(.text) } .d { *(.data) } } }",
            (TEXT + DATA,)),
    *(Snippet(name, f"SECTIONS {{ OVERLAY 0x10000 : AT(0x20000) {{ .t {{ *(.text) }} .d {{ {body} }} }} }}",
              (TEXT + DATA,))
      for name, body in (("overlay-keep", "KEEP(*(.data))"), ("overlay-statements", "*(.data) end = .;"))),
    *(Snippet("overlay-moving", f"SECTIONS {{ . = 0x10002; OVERLAY {address} : AT(0x20000) {{ .t {{ *(.text) }} "
              ".d { *(.data) } } }", (TEXT + DATA,))
      for address in (".", "ALIGN(8)")),
    Snippet("overlay-region", MEMORY + "SECTIONS { OVERLAY 0x1000 : AT(0x20000) { .t { *(.text) } .d { *(.data) } } "
            "> FLASH }", (TEXT + DATA,)),
    *(Snippet(name, f"SECTIONS {{ OVERLAY 0x10000 : AT(0x20000) {{ .t {{ *(.text) }} .d {{ *(.data) {what} }} }} }}",
              (TEXT + DATA,))
      for name, what in (("overlay-data", "BYTE(1)"), ("overlay-assert", 'ASSERT(1, "")'))),
    Snippet("overlay-nocrossrefs",
            "SECTIONS { OVERLAY 0x10000 : NOCROSSREFS AT(0x20000) { .t { *(.text) } .d { *(.data) } } }",
            (TEXT + DATA,)),
    Snippet("nocrossrefs", "NOCROSSREFS(.text .data)\n" + _at(".text : { *(.text) } .data : { *(.data) }"),
            (TEXT + DATA,)),
    Snippet("dsect", _at(".text : { *(.text) } .n (DSECT) : { *(.data) }"), (TEXT + DATA,)),
    Snippet("readonly-type", _at(".r (READONLY) : { *(.data) }"), (DATA,)),
    Snippet("section-type", _at(".r (TYPE = SHT_NOBITS) : { *(.data) }"), (DATA,)),
    Snippet("exclusive-or", "x = 6 ^ 3;\n" + _at(".text : { *(.text) }"), (TEXT,)),
    Snippet("exclusive-or-assignment", "x = 6; x ^= 3;\n" + _at(".text : { *(.text) }"), (TEXT,)),
    Snippet("reverse", _at(".text : { *(REVERSE(.text.*)) }"), (TWO,)),
    Snippet("reverse-files", _at(".text : { REVERSE(*)(.text) }"), (section(".text", "ax", mark="a1"), ODD)),
    Snippet("asciz", _at('.text : { *(.text) ASCIZ "abc" end = .; }'), (TEXT,)),
    Snippet("squad", _at(".text : { *(.text) SQUAD(1) end = .; }"), (TEXT,)),
    Snippet("linker-version", _at(".text : { *(.text) LINKER_VERSION end = .; }"), (TEXT,)),
    Snippet("hash-comment", "# a comment\n" + _at(".text : { *(.text) }"), (TEXT,)),
    Snippet("same-name-twice", _at(".a : { *(.text) } .b : { *(.rodata) } .a : { *(.data) }"),
            (TEXT + RODATA + DATA,)),
)
# fmt: on

# Where linkers do the same with what looks like a difference: for a lint that is silent here.
SAME = (
    Snippet("dot-number", "SECTIONS { .text 0 : { *(.text) . = 0x400; end = .; } }", (TEXT,)),
    Snippet("dot-arithmetic", _at(".text : { *(.text) . = . + 0x10 - 1; end = .; }"), (TEXT,)),
    Snippet("dot-arithmetic", "SECTIONS { . = 0x10004; .text : { *(.text) . = ALIGN(16); end = .; } }", (ODD,)),
    Snippet("symbol-number", _at(".text : { *(.text) x = ABSOLUTE(8); y = . + 8; z = ADDR(.text) + 4; }"), (TEXT,)),
    Snippet("symbol-number", MEMORY + "SECTIONS { .text : { *(.text) n = ORIGIN(SRAM); } > FLASH }", (TEXT,)),
    Snippet("assert-dot", _at('.text : { *(.text) ASSERT(. > ADDR(.text), "small"); }'), (TEXT,)),
    Snippet("own-size", _at(".text : { *(.text) n = ABSOLUTE(SIZEOF(.text)); }"), (TEXT,)),
    Snippet("own-size", _at(".text : { *(.text) n = ABSOLUTE(SIZEOF(.data)); *(.rodata) } .data : { *(.data) }"),
            (TEXT + RODATA + DATA,)),
    Snippet("unallocated-dot", _at(".text : { *(.text) } end = .; .debug 0 : { *(.debug) }"),
            (TEXT + section(".debug", "", 32),)),
    Snippet("empty-aligned", "SECTIONS { . = 0x10001; .e ALIGN(4K) : { *(.e) } .data : { *(.data) } }", (DATA,)),
    Snippet("read-only-orphan", _at(".text : { *(.text) } .rodata : { *(.rodata) }"), (TEXT + RODATA,)),
    Snippet("only-space", _at(".text : { *(.text) } .heap (NOLOAD) : { *(.heap) . += 64; }"), (TEXT,)),
    Snippet("only-space", _at(".text : { *(.text) } .data : { *(.data) . += 64; }"), (TEXT + DATA,)),
    Snippet("hash-comment", "/* # no comment of that kind */\n" + _at(".text : { *(.text) }"), (TEXT,)),
    Snippet("load-at-inherited", _at(".text : AT(0x1000) { *(.text) } .rodata : { *(.rodata) } x = LOADADDR(.rodata);"),
            (TEXT + RODATA,)),
    Snippet("dot-arithmetic", _at(".text : { s = .; *(.text) . = MAX(., s + 0x40); end = .; }"), (TEXT,)),
    Snippet("dot-arithmetic", _at(".text : { *(.text) . = (. + 15) & ~15; end = .; }"), (ODD,)),
    Snippet("exclude-list", _at(".a : { *(EXCLUDE_FILE(*b.o) .text) } .b : { *(.text) }"), (TEXT, TEXT)),
    Snippet("sorted-together", _at(".text : { *(SORT(.text.*)) *(.text) }"), (TWO + TEXT,)),
    Snippet("octal", "x = 00; y = 07;\n" + _at(".text : { *(.text) }"), (TEXT,)),
    Snippet("defined-later", "y = 3; x = DEFINED(y) ? 1 : 2;\n" + _at(".text : { *(.text) }"), (TEXT,)),
    Snippet("assert-early", _at(".text : { *(.text) } end = .;") + 'ASSERT(end > 0x10000, "small")\n', (TEXT,)),
    Snippet("signed-division", "x = 8 / 2;\n" + _at(".text : { *(.text) }"), (TEXT,)),
    Snippet("odd-align", _at(". = ALIGN(16); .text : { *(.text) }"), (TEXT,)),
    Snippet("quoted-name", _at('.text : { *(".text") }'), (TEXT,)),
    Snippet("quoted-region", MEMORY + 'REGION_ALIAS("R", SRAM) SECTIONS { .data : { *(.data) } > R }', (DATA,)),
    Snippet("overlay-moving", "SECTIONS { OVERLAY 0x10000 : AT(0x20000) { .t { *(.text) } .d { *(.data) } } }",
            (TEXT + DATA,)),
    Snippet("quoted-file", _at('.x : { "a.o"(".te*") } .y : { *(.text) }'), (TEXT, ODD)),
)  # fmt: skip

_SECTION = re.compile(
    r"\] (\S+) +(\S+) +([0-9a-f]{16}) [0-9a-f]+ ([0-9a-f]+) \S+ +([WAXMSILOGTCxoEDlp]*) ", re.MULTILINE
)


def image(linker: Linker, snippet: Snippet, folder: Path) -> str:
    """What a linker makes of a snippet: allocated sections with content, by address, and symbols; or `REFUSED`."""
    objects = [
        assemble(folder, source, name=f"{name}.o").name for name, source in zip("abc", snippet.sources, strict=False)
    ]
    if snippet.member:
        (folder / "member").mkdir(exist_ok=True)
        assemble(folder / "member", snippet.sources[-1], name=snippet.member)
        subprocess.run([tool("ar"), "rcs", "../lib.a", snippet.member], cwd=folder / "member", check=True)
        objects += ["--whole-archive", "lib.a"]
    (folder / "t.lds").write_text(snippet.script)
    elf = folder / "t.elf"
    elf.unlink(missing_ok=True)
    options = ["-nostdlib", "-e0", "--build-id=none", "-zmax-page-size=4096", "-T", "t.lds", "-o", elf.name]
    done = subprocess.run(
        [command(linker), *options, *objects], cwd=folder, capture_output=True, text=True, errors="replace", timeout=60
    )
    if done.returncode or not elf.exists():
        return REFUSED
    table = subprocess.run([tool("readelf"), "-SW", elf], capture_output=True, text=True, check=True).stdout
    names = subprocess.run([tool("nm"), elf], capture_output=True, text=True, check=True).stdout
    sections = sorted(
        f"{address} {size} {name}{' NOBITS' if kind == 'NOBITS' else ''}"
        for name, kind, address, size, flags in _SECTION.findall(table)
        if "A" in flags and int(size, 16)
    )
    made = ("__bss_start", "_edata", "_end")
    symbols = sorted(line for line in names.splitlines() if line.split()[-1] not in made)
    return "\n".join([*sections, *(re.sub(r" \w ", " ", line) for line in symbols)])
