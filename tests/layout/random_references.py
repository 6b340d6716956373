"""Random objects whose sections refer to each other, and scripts that keep some: what --gc-sections goes through."""

from __future__ import annotations

from random import Random

# The directive of a pointer, by target.
_POINTER = {"x86_64": ".quad", "arm64": ".quad", "riscv64": ".quad", "arm32": ".long"}
_NONE = {"x86_64": "R_X86_64_NONE", "arm64": "R_AARCH64_NONE", "riscv64": "R_RISCV_NONE", "arm32": "R_ARM_NONE"}
_SECTIONS = (
    (".text.f{}", "ax", "%progbits"),
    (".text.f{}", "ax", "%progbits"),
    (".text", "ax", "%progbits"),
    (".data.d{}", "aw", "%progbits"),
    (".rodata.r{}", "a", "%progbits"),
    (".bss.b{}", "aw", "%nobits"),
    ("table", "a", "%progbits"),
    ("list", "aw", "%progbits"),
    (".init_array", "aw", "%init_array"),
    (".note.n{}", "a", "%note"),
    (".odd{}", "", "%progbits"),
    (".debug_x{}", "", "%progbits"),
    (".debug_line.text.f{}", "", "%progbits"),
    (".comment", "", "%progbits"),
)
_COUNT = 30


def random_related(random: Random, number: int, target: str, frames: bool = False) -> str:
    """Assembler source of one of several objects."""
    at = "%" if target == "arm32" else "@"
    lines = [".option norelax"] if target == "riscv64" else []
    known: dict[tuple[str, str], str] = {}
    for count in range(random.randint(2, 9)):
        name, flags, kind = random.choice(_SECTIONS)
        name = name.format(random.randint(0, _COUNT))
        rest = ""
        if flags and random.random() < 0.12 and not name.startswith(".note"):
            flags += "R"
        if random.random() < 0.2:
            flags += "G"
            rest = f",group{random.randint(0, 5)}" + (",comdat" if random.random() < 0.7 else "")
        flags = known.setdefault((name, rest), flags)
        lines += [f'.section {name},"{flags}",{kind.replace("%", at)}{rest}', f".balign {random.choice((1, 4, 8))}"]
        code = frames and "x" in flags and random.random() < 0.8
        indexed = code and target == "arm32" and random.random() < 0.7
        if random.random() < 0.8 and (not name.startswith(".debug") or random.random() < 0.1):
            binding = ".weak" if "G" in flags or random.random() < 0.3 else ".globl"
            lines += [f"{binding} s{number}_{count}", f"s{number}_{count}:"]
        lines += [".fnstart"] * indexed + [".cfi_startproc"] * code
        if code and random.random() < 0.3:
            lines += [f".cfi_personality 0x{'0' if target == 'arm32' else '3'}, s0_{random.randint(0, 8)}"]
        if code and random.random() < 0.3:
            lines += [f".cfi_lsda 0x{'0' if target == 'arm32' else '3'}, .Ld{number}"]
        lines += [f".skip {4 * random.randint(0, 6)}"]
        if code:
            lines += random.sample([".cfi_def_cfa_offset 16", ".skip 4\n.cfi_adjust_cfa_offset 8", ".skip 4"], 2)
        if kind != "%nobits":
            for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
                lines.append(_reference(random, target))
        lines += [".cfi_endproc"] * code + _index(random) * indexed
    lines += [f'.section .gcc_except_table.x{number},"a"', f".Ld{number}: .long 1"] if frames else []
    if random.random() < 0.3:
        lines.append(f'.section linked,"ao",{at}progbits,.text\n.long 1')
    if random.random() < 0.3:
        lines.append(f".comm c{random.randint(0, 3)}_{number}, {random.randint(1, 9) * 4}, 4")
    lines += [".weak __start_table", ".weak __stop_list"]
    return "\n".join(lines) + "\n"


def _index(random: Random) -> list[str]:
    """The end of a function of arm, with one of the kinds of unwinding information."""
    kinds = (".cantunwind", ".save {r4, lr}", ".save {r4, r5, lr}", ".personality s0_1\n.handlerdata\n.long 1")
    return [random.choice(kinds), ".fnend"]


def _reference(random: Random, target: str) -> str:
    place = random.choice(
        (
            f"s{random.randint(0, 3)}_{random.randint(0, 8)}",
            f"s{random.randint(0, 3)}_{random.randint(0, 8)}",
            f"s{random.randint(0, 3)}_{random.randint(0, 8)}",
            "__start_table",
            "__stop_list",
            "given",
            "alias",
            ".data",
            ".text",
            f"c{random.randint(0, 3)}_{random.randint(0, 3)}",
        )
    )
    if random.random() < 0.1:
        return f".reloc ., {_NONE[target]}, {place}"
    return f"{_POINTER[target]} {place}"


def random_keeping(random: Random) -> str:
    """A script that places such objects and keeps some of their sections."""

    def kept(pattern: str) -> str:
        return f"KEEP({pattern})" if random.random() < 0.25 else pattern

    entry = random.choice(("", "ENTRY(s0_0)", "ENTRY(alias)", "EXTERN(s1_1) ENTRY(s2_0)", "ENTRY(nowhere)"))
    alias = random.choice(("alias = s1_0;", "PROVIDE(alias = s1_1);", "alias = 0x1000;", "alias = given;"))
    given = random.choice(("given = .;", "PROVIDE(given = .);"))
    bodies = [
        f".text : {{ {kept('*(.text)')} {kept('*(.text.f1*)')} *(.text .text.*) {given} }}",
        f".ro : {{ {kept('*(.rodata.r2*)')} *(.rodata*) {kept('*(.init_array)')} *(.gcc_except_table*) }}",
        f".note : {{ {kept('*(.note.n1*)')} *(.note.n2*) }}",
        f".data : {{ {kept('*(list)')} {kept('*(.data.d1*)')} *(.data*) }}",
        f".bss : {{ *(.bss*) {kept('*(COMMON)')} }}",
        "/DISCARD/ : { *(.data.d9) *(.comment*) }",
    ]
    if random.random() < 0.5:
        bodies.append("linked : { *(linked) }")
    if random.random() < 0.5:
        bodies.append(".late : { KEEP(*(.rodata.r1*)) KEEP(*(.text.f2*)) }")
    unwinding = random.choice(("*(.eh_frame)", "KEEP(*(.eh_frame))"))
    if random.random() < 0.5:
        bodies.insert(1, ".ARM.exidx : { *(.ARM.exidx* .gnu.linkonce.armexidx.*) }")
    bodies.insert(2, f".eh_frame : {random.choice(('', 'ONLY_IF_RO'))} {{ {unwinding} }}")
    return f"{entry} {alias} SECTIONS {{ . = 0x10000; {' '.join(bodies)} }}\n"
