"""Random linker scripts and objects, made to be hard on whoever claims to know where things end up.

Input section names decide flags, so that scripts keep to what `interpret` takes for granted: input without an address
is only taken by patterns whose names say so, or is an orphan.
"""

from __future__ import annotations

from random import Random

# Input sections by name: flags and type for the assembler.
INPUTS = {
    ".text": '"ax"',
    ".text.a": '"ax"',
    ".rodata": '"a"',
    ".rodata.b": '"a"',
    ".rodata.str": '"aMS",%progbits,1',
    ".data": '"aw"',
    ".data.c": '"aw"',
    ".bss": '"aw",%nobits',
    ".bss.d": '"aw",%nobits',
    ".t1": '"a"',
    ".t2": '"aw"',
    ".t3": '"ax"',
    ".t4": '"aw",%nobits',
    ".t5": '"a"',
    ".t6": '"aw"',
    ".tdata": '"awT"',
    ".tbss": '"awT",%nobits',
    ".note.n": '"a",%note',
    ".comment": '""',
    ".debug_info": '""',
}
# Those that no script has a pattern for. Some have the names of output sections.
ORPHANS = {
    ".orphan.text": '"ax"',
    ".orphan.ro": '"a"',
    ".orphan.rw": '"aw"',
    ".orphan.bss": '"aw",%nobits',
    ".orphan.wx": '"awx"',
    ".orphan.tdata": '"awT"',
    ".orphan.tbss": '"awT",%nobits',
    ".orphan.meta": '""',
    ".note.orphan": '"a",%note',
    ".debug_orphan": '""',
    ".out1": '"aw"',
    ".out2": '"a"',
}
OPTIONS = (
    (),
    (),
    (),
    ("-pie", "--no-dynamic-linker"),
    ("-pie", "-z", "relro", "-z", "now"),
    ("-shared",),
    ("-z", "relro"),
    ("-z", "norelro"),
    ("-z", "max-page-size=0x1000"),
    ("-z", "max-page-size=0x200000"),
    ("-z", "separate-code"),
    ("--gc-sections", "-e", "o0_0"),
    ("--sort-section=alignment",),
    ("--sort-section=name",),
    ("--sort-common",),
    ("-N",),
    ("-n",),
    ("--no-relax",),
    ("-q",),
    ("--build-id",),
    ("--unique",),
    ("--orphan-handling=discard",),
)
# Those that lld has as well.
LLD_OPTIONS = tuple(
    (*options, "-z", "notext") if {"-pie", "-shared"}.intersection(options) else options
    for options in OPTIONS
    if not {"--sort-common", "--no-relax", "--orphan-handling=discard", "--unique"}.intersection(options)
)
_OUTPUTS = (".text", ".rodata", ".data", ".bss", ".out1", ".out2", ".out3", ".out4", ".tbl", ".note.n", ".mixed")
_ALIGNMENTS = (1, 1, 1, 2, 4, 4, 8, 8, 16, 32, 64, 128, 256, 4096, 0x10000)
_POWERS = (1, 2, 4, 8, 16, 32, 64, 256, 512, 4096, 4096, 0x10000, 0x200000)
_STEPS = (*_POWERS, 3, 6, 24)
# What lld does not read, or refuses to compute: the sum of two addresses.
_NOT_FOR_LLD = ("NEXT", "CONSTRUCTORS", "{s} + {t}", "SIZEOF({o}) + {s}")

# What is assigned to the location counter between output sections. {n} is a number, {mask} one less, {s} and {t} are
# symbols, {o} is an output section, {r} a region, {later} a symbol from anywhere in the script.
_MOVES = (
    "ALIGN({n})",
    "ALIGN({n})",
    "ALIGN({n})",
    "ALIGN({n})",
    ". + {n}",
    "ALIGN({n}) + {m}",
    "ALIGN(., {n})",
    "(. + {mask}) & ~{mask}",
    "ALIGN({n}) + (. & {mask})",
    "MAX(., 0x2000)",
    "MAX(ALIGN(64), . + 16)",
    "ALIGN(CONSTANT(MAXPAGESIZE))",
    "ABSOLUTE(.) + 8",
    "NEXT({n})",
    "ALIGN(DEFINED(nothing) ? 64 : 16)",
    "0x800000",
    ". * 2",
    "(. / 64 + 1) * 64",
    "ALIGN(4096) + 4088",
    "ADDR({o}) + SIZEOF({o})",
    "MAX(., ADDR({o}) + 0x100)",
    ". + SIZEOF({o})",
    "MAX(., {s})",
    ". + ({s} & 15)",
)
_INNER_MOVES = (
    "ALIGN({n})",
    "ALIGN({n})",
    "ALIGN({n})",
    ". + {n}",
    "ALIGN(., {n})",
    "(. + {mask}) & ~{mask}",
    ". + 0",
    "ALIGN(. != 0 ? 16 : 1)",
    "ABSOLUTE(.) + {n}",
    "0x40",
    "MAX(., {n})",
    "ALIGN(ABSOLUTE(.), {n})",
    "NEXT({n})",
    ". + ({s} & 7)",
    ". + SIZEOF({o})",
    "ORIGIN({r}) + 0x1000",
    "{s} + 0x800",
)
_VALUES = (
    *("ALIGN({n})", "ALIGN(., {n})", ". + {n}", "{s} + {n}", "{s} - {t}", ". - {s}", "{s} & {mask}", "{s} & ~{mask}"),
    *("ABSOLUTE(.) + {n}", "ABSOLUTE({s})", "{n}", "MAX({s}, .)", "MIN({s}, {t})", "MAX({s}, {n})", "{s} ? {t} : {n}"),
    *("!{s}", "~{s}", "-{s}", "{s} << 4", "{s} >> 4", "{s} % {n}", "{s} / {n}", "{s} * 3", "{s} < {t}", "{s} == {t}"),
    *("{s} | {n}", "{s} && {t}", "LOG2CEIL({n})", "DEFINED({s}) ? . : 8", "ALIGN({s}, {n})", "CONSTANT(MAXPAGESIZE)"),
    *(". & {mask}", "(. + {mask}) & ~{mask}", "({s} - {t}) & {mask}", "{later} + 4", "{later}", "{later} - {s}"),
    *("SIZEOF_HEADERS", "NEXT({n})", "{s} >= {t} || {n} > 4", "{s} + {t}", "ALIGN({n}) - {s}", "{later} & {mask}"),
    *("ADDR({o})", "SIZEOF({o})", "ADDR({o}) + SIZEOF({o})", "LOADADDR({o})", "ALIGNOF({o})", "SIZEOF({o}) + {s}"),
    *("LOADADDR({o}) + SIZEOF({o})", "ORIGIN({r})", "LENGTH({r})", "ORIGIN({r}) + LENGTH({r})", "{s} - ADDR({o})"),
)
_CONDITIONS = (
    "{s} <= {t}",
    "!({s} & {mask})",
    "{s} % {n} == 0",
    "{t} - {s} < 0x10000",
    "{s} != {t} + {n}",
    "ALIGN({s}, {n}) == {s}",
    "({s} & {mask}) == 0 && {s} >= {t}",
    "{later} >= {s}",
    "SIZEOF({o}) < 0x1000",
)
_INNER_CONDITIONS = ("!(. & 3)", ". >= {s}", "(ABSOLUTE(.) & 7) == 0", "{s} <= ABSOLUTE(.)")


def random_object(random: Random, index: int, code: str = "") -> str:
    """Assembler source of an object with a few sections; `o<index>_<count>` is the start of each.

    `code` is a statement with a `{}` for a label, for sections that hold instructions.
    """
    lines = [".text"]
    names = [*INPUTS, *ORPHANS]
    for count in range(random.randint(1, 7)):
        name = random.choice(names)
        flags = INPUTS.get(name) or ORPHANS[name]
        lines.append(f".section {name},{flags}")
        lines.append(f".balign {random.choice(_ALIGNMENTS)}")
        lines.append(f".globl o{index}_{count}\no{index}_{count}:")
        if code and '"ax' in flags:
            lines.extend(code.format(f"o{index}_{count}") for _ in range(random.randint(0, 4)))
        size = random.choice((0, 0, 1, 3, 4, 8, 12, 40, 100, 5000))
        if "MS" in flags:
            lines.append(f'.asciz "{random.choice(("a", "ab", "xyz", "longer string"))}"')
        elif size:
            lines.append(f".skip {size}" if "nobits" in flags or random.random() < 0.8 else f".skip {size},1")
            if size >= 8 and "nobits" not in flags and '"a' in flags and random.random() < 0.3:
                lines.append(f".balign 8\n.quad o{index}_{count}")
    if random.random() < 0.15:
        lines.append(f".comm common{index},{random.choice((4, 24))},{random.choice((4, 64))}")
    return "\n".join(lines) + "\n"


def random_script(random: Random, firmware: bool = False, lld: bool = False) -> str:
    """A script. Its assertions have the messages "assertion <number>;".

    That of a `firmware` has memory regions of which nearly every section names one, and the usual sections. That for
    `lld` leaves out what lld does not read.
    """
    maker = _Maker(random, lld)
    return maker.firmware() if firmware else maker.script()


class _Maker:
    def __init__(self, random: Random, lld: bool = False) -> None:
        self._random = random
        self._lld = lld
        self._symbols: list[str] = []
        self._outputs: list[str] = []
        self._regions: list[str] = []
        self._count = 0
        self._free = [name for name in INPUTS if name not in {".comment", ".debug_info"}]
        random.shuffle(self._free)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _fill(self, templates: tuple[str, ...]) -> str:
        """One of the templates that can be filled, filled."""
        pick = self._random.choice
        while True:
            template = pick(templates)
            if ("{o}" in template and not self._outputs) or ("{r}" in template and not self._regions):
                continue
            if ("{s}" in template or "{t}" in template or "{later}" in template) and not self._symbols:
                continue
            if self._lld and template.startswith(_NOT_FOR_LLD):
                continue
            step = pick(_POWERS if self._lld else _STEPS)
            return template.format(
                n=step,
                m=pick(_POWERS if self._lld else _STEPS),
                mask=step - 1,
                s=pick(self._symbols or [""]),
                t=pick(self._symbols or [""]),
                o=pick(self._outputs or [""]),
                r=pick(self._regions or [""]),
                later="LATER",
            )

    def _number(self) -> int:
        self._count += 1
        return self._count

    def script(self) -> str:
        parts = []
        if self._chance(0.2):
            parts.append(self._memory())
        if self._chance(0.2):
            self._symbols.append(f"k{self._random.randint(0, 2)}")
            parts.append(f"{self._symbols[0]} = {self._random.choice(_STEPS)};")
        if self._chance(0.08) and not self._lld:
            parts.append('LD_FEATURE("SANE_EXPR")')
        parts.append("SECTIONS {\n  " + "\n  ".join(self._body()) + "\n}")
        if self._chance(0.15) and self._symbols:
            parts.append(f"s{self._number()} = {self._fill(_VALUES)};")
        while self._chance(0.15) and self._symbols:
            target = self._random.choice(("", "", ". = ", "asserted = "))
            end = ";" if target else ""
            parts.append(f'{target}ASSERT({self._fill(_CONDITIONS)}, "assertion {self._number()};"){end}')
        text = "\n".join(parts) + "\n"
        while "LATER" in text:
            text = text.replace("LATER", self._random.choice(self._symbols), 1)
        return text

    def firmware(self) -> str:
        attributes = self._chance(0.6)
        flags = {"flash": "(rx)", "ram": "(rwx)", "ccm": self._random.choice(("(rw)", "(xrw)", "(!x)"))}
        self._regions = list(flags)
        regions = []
        for index, name in enumerate(self._regions):
            origin = self._random.choice(("0x10000", "0x8000000", "0x1004", "0x2001"))
            shown = flags[name] if attributes else ""
            regions.append(f"{name} {shown} : ORIGIN = {origin} + {index} * 0x10000000, LENGTH = 64M")
        body = []
        usual = {
            ".text": "*(.text .text.a .t3)",
            ".data": "*(.data .data.c)",
            ".bss": "*(.bss .bss.d COMMON)",
            ".rodata": "*(.rodata .rodata.b)",
        }
        self._free = [".rodata.str", ".t1", ".t2", ".t4", ".t5", ".t6"]
        self._random.shuffle(self._free)
        names = [".text", ".data", ".bss", *self._random.sample((".rodata", ".ccm", ".out1", ".out3", ".tbl"), 2)]
        if self._chance(0.4):
            self._random.shuffle(names)
        if self._chance(0.1):
            names.remove(self._random.choice((".bss", ".bss", ".data", ".rodata" if ".rodata" in names else ".bss")))
        for name in names:
            body.extend(self._between())
            if self._lld and self._chance(0.06):
                body.append(self._overlay_for_lld())
            home = {".text": "flash", ".rodata": "flash", ".data": "ram", ".bss": "ram"}.get(name, "ccm")
            if self._chance(0.1):
                home = self._random.choice(self._regions)
            # Copied at start, and mostly first in its region.
            load = " AT>flash" if home != "flash" and name != ".bss" and self._chance(0.8) else ""
            inner = [self._symbol(), *(self._statement() for _ in range(self._random.randint(0, 3)))]
            inner.insert(self._random.randint(0, 2), usual.get(name, ""))
            if self._chance(0.5):
                inner.append(". = ALIGN(4);")
            align = f"ALIGN({self._random.choice((4, 8, 512))}) " if self._chance(0.2) else ""
            where = f" >{home}{load}" if self._chance(0.97) else ""
            kind = "(NOLOAD) " if name == ".bss" and self._chance(0.3) else ""
            self._outputs.append(name)
            body.append(f"{name} {kind}: {align}{{ {' '.join(inner)} }}{where}")
        body.extend(self._between())
        text = "MEMORY {\n" + "\n".join(regions) + "\n}\nSECTIONS {\n  " + "\n  ".join(body) + "\n}\n"
        while "LATER" in text:
            text = text.replace("LATER", self._random.choice(self._symbols), 1)
        return text

    def _memory(self) -> str:
        self._regions = ["ram", "rom"][: self._random.randint(1, 2)]
        attributes = self._chance(0.4)
        lines = []
        for index, name in enumerate(self._regions):
            flags = self._random.choice(("(rx)", "(rwx)", "(!x)", "(w)")) if attributes else ""
            origin = self._random.choice(("0x10000", "0x20000000", "0x1004"))
            lines.append(f"{name} {flags} : ORIGIN = {origin} + {index} * 0x10000000, LENGTH = 64M")
        text = "MEMORY { " + "\n".join(lines) + " }"
        if self._chance(0.3):
            self._regions.append("alias")
            text += ' REGION_ALIAS("alias", ram)'
        return text

    def _body(self) -> list[str]:
        body = []
        if self._chance(0.8):
            start = self._random.choice(("0", "0x1000", "0x1234", "0x400000", "0xffff800000000000", "0x10001"))
            body.append(f". = {start};")
        if self._chance(0.1):
            body.append('. = SEGMENT_START("text-segment", 0x400000) + SIZEOF_HEADERS;')
        segment = self._chance(0.1)
        sections = self._random.randint(1, 7)
        for index in range(sections):
            body.extend(self._between())
            if segment and index == sections // 3:
                body.append(". = DATA_SEGMENT_ALIGN(CONSTANT(MAXPAGESIZE), CONSTANT(COMMONPAGESIZE));")
            if segment and index == sections // 3 * 2 and index:
                body.append(". = DATA_SEGMENT_RELRO_END(0, .);")
            body.append(self._section())
        body.extend(self._between())
        if segment:
            body.append(". = DATA_SEGMENT_END(.);")
        return body

    def _between(self) -> list[str]:
        statements = []
        while self._chance(0.55):
            kind = self._random.random()
            if kind < 0.4:
                statements.append(f". = {self._fill(_MOVES)};")
            elif kind < 0.5:
                statements.append(f". += {self._random.choice((1, 4, 0x100, 0x1000))};")
            else:
                statements.append(self._symbol())
        return statements

    def _symbol(self) -> str:
        again = self._symbols and self._chance(0.07)
        name = self._random.choice(self._symbols) if again else f"s{self._number()}"
        value = "." if self._chance(0.55) else self._fill(_VALUES)
        if not again:
            self._symbols.append(name)
        form = self._random.random()
        if form < 0.06:
            return f"PROVIDE({name} = {value});"
        if form < 0.1:
            return f"HIDDEN({name} = {value});"
        if form < 0.12 and again:
            return f"{name} += {self._random.choice(_STEPS)};"
        return f"{name} = {value};"

    def _section(self) -> str:
        if self._chance(0.04):
            return self._overlay_for_lld() if self._lld else self._overlay()
        if self._lld and self._chance(0.03):
            return self._limited_pair()
        if self._chance(0.04):
            return "/DISCARD/ : { *(.t5) }"
        if self._chance(0.08):
            return self._random.choice(
                (
                    ".comment 0 : { *(.comment) }",
                    ".comment : { *(.comment) }",
                    ".debug_info 0 : { *(.debug_info) }",
                )
            )
        name = self._random.choice(_OUTPUTS)
        body = [self._statement() for _ in range(self._random.randint(0, 6))]
        header = self._header()
        self._outputs.append(name)
        self._ask_own_size(name, body)
        return f"{name} {header} {{ {' '.join(body)} }}{self._placement('AT(' not in header)}"

    def _ask_own_size(self, name: str, body: list[str]) -> None:
        """Now and then, ask for the size of a section in its own body."""
        # Drawn by what is there, so that whatever else a seed makes stays as it is.
        chance, count = Random(" ".join((name, *body))), len(self._outputs)
        if chance.random() < 0.15:
            size = chance.choice((0, 1, 4, 8, 40, 4096))
            asked = (
                f"own{count} = SIZEOF({name});",
                f"own{count} = ABSOLUTE(SIZEOF({name}));",
                f"own{count} = ADDR({name}) + SIZEOF({name});",
                f"own{count} = LATER ? SIZEOF({name}) : {size};" if self._symbols else f"own{count} = {size};",
                f'ASSERT(SIZEOF({name}) >= {size}, "assertion {1000 + count};");',
            )
            body.insert(chance.randint(0, len(body)), chance.choice(asked))

    def _header(self) -> str:
        address = kind = load = align = subalign = only = with_input = ""
        if self._chance(0.1):
            choices = ("0x600000", "ALIGN(64)", ". + 4", "ALIGN(4096) + 1", "0", "(ADDR({o}) + SIZEOF({o}))")
            address = self._fill(choices) + " "
        if self._chance(0.06):
            kind = self._random.choice(("(NOLOAD) ", "(INFO) ", "(COPY) " if self._lld else "(READONLY) "))
        if self._chance(0.15):
            loads = ("0x5000", "ABSOLUTE(0x100) + 0x10", "ADDR({o})", "LOADADDR({o}) + SIZEOF({o})")
            load = f"AT({self._fill(loads)}) "
        if self._chance(0.2):
            align = f"ALIGN({self._random.choice(_POWERS if self._lld else _STEPS)}) "
        if self._chance(0.1):
            subalign = f"SUBALIGN({self._random.choice((1, 2, 4, 16, 64))}) "
        elif not align and not self._lld and self._chance(0.04):
            with_input = "ALIGN_WITH_INPUT "
        if self._chance(0.04):
            only = self._random.choice(("ONLY_IF_RO ", "ONLY_IF_RW "))
        return f"{address}{kind}: {load}{align}{with_input}{subalign}{only}"

    def _placement(self, may_load: bool) -> str:
        if not self._regions:
            return ""
        region = f" >{self._random.choice(self._regions)}" if self._chance(0.95 if self._lld else 0.8) else ""
        load = f" AT>{self._random.choice(self._regions)}" if may_load and self._chance(0.2) else ""
        return region + load

    def _overlay(self) -> str:
        number = self._number()
        names = [f".ov{number}a", f".ov{number}b"]
        sections = []
        for name in names:
            symbol = self._symbol() if self._chance(0.5) else ""
            sections.append(f"{name} {{ {self._inputs()} {symbol} }}")
        self._outputs.append(names[0])
        return f"OVERLAY {self._random.choice(('', '0x700000 ', 'ALIGN(64) '))}: {{ {' '.join(sections)} }}"

    def _overlay_for_lld(self) -> str:
        """An overlay that lld reads, mostly one that it has read at all times: with an address and AT()."""
        number = self._number()
        names = [f".ov{number}{letter}" for letter in "abcd"[: self._random.choice((2, 2, 3, 4))]]
        sections = []
        for name in names:
            inputs = self._inputs()
            if inputs.startswith("KEEP(") and self._chance(0.8):
                inputs = inputs.removeprefix("KEEP(").removesuffix(")")
            # What is data elsewhere is a file with sections here.
            sections.append(f"{name} {{ {inputs} {'BYTE(1)' if self._chance(0.1) else ''} }}")
        address = self._fill(("", ".", "0x700000", "ALIGN(64)", "ALIGN({n})", ". + 4"))
        load = self._fill(("", "AT(0x5000)", "AT(ADDR({o}))", "AT({n})", "AT(LOADADDR({o}) + SIZEOF({o}))"))
        if self._chance(0.7):
            address, load = address or ".", load or "AT(0x6000)"
        region = f" >{self._random.choice(self._regions)}" if self._regions and self._chance(0.3) else ""
        self._outputs.append(names[0])
        return f"OVERLAY {address} : {load} {{ {' '.join(sections)} }}{region}"

    def _limited_pair(self) -> str:
        """A section for read-only input, and one of the same name for the same input where it is not."""
        name, body = self._random.choice(_OUTPUTS), f"{self._inputs()} {self._random.choice(('', '. = ALIGN(8);'))}"
        pair = [f"{name} : ONLY_IF_{kind} {{ {body} }}{self._placement(False)}" for kind in ("RO", "RW")]
        if self._chance(0.3):
            pair.reverse()
        return " ".join(pair)

    def _statement(self) -> str:
        kind = self._random.random()
        if kind < 0.38:
            return self._inputs()
        if kind < 0.62:
            return self._symbol()
        if kind < 0.87:
            return f". = {self._fill(_INNER_MOVES)};"
        if kind < 0.98:
            choices = ("BYTE(1)", "SHORT(2)", "LONG(3)", "QUAD(4)", "FILL({n});", "CONSTRUCTORS", ". += {n};")
            return self._fill(choices)
        return f'ASSERT({self._fill(_INNER_CONDITIONS)}, "assertion {self._number()};");'

    def _inputs(self) -> str:
        if not self._free or self._chance(0.1):
            return "*(.nothing)"
        names = [self._free.pop() for _ in range(min(len(self._free), self._random.choice((1, 1, 1, 2))))]
        if names == [".bss"] and self._chance(0.5):
            names.append("COMMON")
        sort = self._random.choice(("SORT", "SORT_BY_ALIGNMENT", "SORT_BY_NAME")) if self._chance(0.15) else ""
        text = f"*({' '.join(f'{sort}({name})' if sort else name for name in names)})"
        return f"KEEP({text})" if self._chance(0.15) else text
