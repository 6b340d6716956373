"""Random scripts and objects for the comparison with GNU ld."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.build import TARGETS
from tests.support.tools import tool

# Names with the flags and the type that the assembler is given.
SECTIONS = {
    ".text": '"ax",@progbits', ".text.a": '"ax",@progbits', ".text.ab": '"ax",@progbits', ".text.b": '"ax",@progbits',
    ".text.hot.a": '"ax",@progbits', ".init": '"ax",@progbits', ".data": '"aw",@progbits', ".data.a": '"aw",@progbits',
    ".data.ab": '"aw",@progbits', ".data.read_mostly": '"aw",@progbits', ".data.b": '"a",@progbits',
    ".rodata": '"a",@progbits', ".rodata.a": '"a",@progbits', ".rodata.b": '"aw",@progbits', ".bss": '"aw",@nobits',
    ".bss.a": '"aw",@nobits', ".tdata": '"awT",@progbits', ".tbss": '"awT",@nobits', ".note.a": '"a",@note',
    ".note.b": '"a",@note', ".init_array": '"aw",@init_array', ".init_array.5": '"aw",@init_array',
    ".init_array.100": '"aw",@init_array', ".ctors.65000": '"aw",@progbits', ".ctors": '"aw",@progbits',
    ".ctors.65435": '"aw",@progbits', ".fini_array": '"aw",@fini_array', ".debug_a": '"",@progbits',
    ".other": '"",@progbits', ".strange": '"awx",@progbits', ".strange.a": '"ax",@nobits', "plain": '"a",@progbits',
    ".gnu.linkonce.t.a": '"ax",@progbits', ".gnu.linkonce.r.a": '"a",@progbits', ".excluded": '"ae",@progbits',
    ".a-b": '"a",@progbits', ".a+b": '"aw",@progbits', ".aab": '"a",@progbits', ".aba": '"a",@progbits',
    ".ab": '"a",@progbits', ".comment.a": '"",@progbits',
}  # fmt: skip

PATTERNS = [
    ".text", ".text.*", ".text.a", ".text.a*", ".text*", ".data", ".data.*", ".data.a?", ".data*",
    ".data.read_mostly", ".rodata", ".rodata*", ".rodata.[a-c]", ".rodata.[!a]", ".bss", ".bss*", "COMMON", ".tdata",
    ".tbss", ".t*", ".note*", ".note.b", ".init_array*", ".init_array.*", ".ctors*", ".ctors", ".fini_array",
    ".debug*", ".other", ".init", ".strange*", "plain", "*", ".a[+-]b", ".ab*ba", ".a*b", "*a", "*.a", ".*.?",
    ".[td]*", "?*b", ".gnu.linkonce*", ".a?b", ".*a*", "[!.]*", ".exc*", "nothing", ".comment*", ".[^t]*",
]  # fmt: skip

FILES = ["a.o", "b.o", "c.o", "sub/d.o", "lib1.a", "lib2.a"]
FILE_PATTERNS = [
    "a.o", "b.o", "*b.o", "*.o", "[ab].o", "sub/*", "sub/d.o", "*d.o", "lib1.a", "lib1.a:", "lib1.a:e.o", "lib*.a:*",
    "*:e.o", ":a.o", ":*", "*lib2.a:*", "e.o", "?.o", "*:", ":",
]  # fmt: skip
EXCLUDES = [*FILE_PATTERNS, "lib2.a", "lib?.a", "f.o", "*.a"]
SORTS = [
    "SORT(%s)", "SORT_BY_NAME(%s)", "SORT_BY_ALIGNMENT(%s)", "SORT_NONE(%s)", "SORT_BY_INIT_PRIORITY(%s)",
    "SORT_BY_NAME(SORT_BY_ALIGNMENT(%s))", "SORT_BY_ALIGNMENT(SORT_BY_NAME(%s))", "SORT(SORT(%s))",
]  # fmt: skip
OUTPUTS = [
    ".text", ".data", ".rodata", ".bss", ".init_array", ".o1", ".o2", ".o3", ".tdata", ".note.a", "plain", ".debug_a",
    ".other", ".strange", ".note.b", ".comment.a", ".ctors", ".data.a", ".tbss",
]  # fmt: skip
FLAGS = ["SHF_WRITE", "!SHF_WRITE", "SHF_EXECINSTR", "!SHF_EXECINSTR", "SHF_ALLOC", "!SHF_TLS", "SHF_TLS"]


def objects(chance: random.Random, folder: Path, target: str = "x86_64") -> list[str]:
    """Write the objects and archives of one link; their names in the order of the command line."""
    sources = {}
    names = ("a.o", "b.o", "c.o", "sub/d.o", "e.o", "e1/e.o", "f.o", "e2/e.o", "g.o")
    for count, name in enumerate(names, 1):
        source = [
            _section(f"at_{count}_{number}", section, chance)
            for number, section in enumerate(chance.sample(sorted(SECTIONS), chance.randint(1, 7)))
        ]
        if chance.random() < 0.3:
            source.append(f".comm at_{count}_common, 8, 8\n")
        sources[name] = "".join(source)
    assemble(folder, sources, target)
    archive(folder, "lib1.a", ["e1/e.o", "f.o"])
    archive(folder, "lib2.a", ["e2/e.o", "g.o"])
    return chance.sample(FILES, chance.randint(2, len(FILES)))


def assemble(folder: Path, sources: Mapping[str, str], target: str = "x86_64") -> None:
    """Assemble each source into the object of that name."""
    assembler = tool(f"{TARGETS[target].prefix}as")
    for name, source in sources.items():
        (folder / name).parent.mkdir(exist_ok=True)
        # The assembler warns of sections with flags that their names do not suggest.
        subprocess.run([assembler, "--no-warn", "-o", folder / name, "-"], input=source, text=True, check=True)


def archive(folder: Path, name: str, contents: Sequence[str], how: str = "rcs") -> None:
    """Make an archive of objects."""
    (folder / name).unlink(missing_ok=True)
    subprocess.run([tool("ar"), how, name, *contents], cwd=folder, check=True)


def _section(symbol: str, name: str, chance: random.Random) -> str:
    kind = SECTIONS[name]
    if chance.random() < 0.08 and "note" not in kind and "array" not in kind:
        kind = chance.choice(['"a"', '"aw"', '"ax"']) + kind[kind.rindex(",") :]
        if name in (".text", ".data", ".bss"):
            kind = SECTIONS[name]
    align = chance.choice([1, 1, 2, 4, 8, 16, 32])
    content = ".skip 3" if "nobits" in kind else ".byte 1,2,3"
    if "note" in kind:
        content = '.long 4, 0, 1\n.asciz "abc"'
    return f'.section "{name}",{kind}\n.balign {align}\n.globl {symbol}\n{symbol}:\n{content}\n'


# Patterns that take what a linker makes itself, such as .symtab and .rela.dyn: lld asks the script for those as well.
_GREEDY = re.compile(r"(?<=[( ])(?:\*|\?\*b|\.\[\^t\]\*|\.\*a\*)(?=[ )])")


def script_for_lld(chance: random.Random) -> str:
    """A script that means the same language to lld, and takes nothing that lld makes itself."""
    while True:
        text, default = script(chance)
        text = text.replace(", ", " ")
        # Neither sorts of files nor EXCLUDE_FILE() ahead of a sort or of a bracket.
        text = re.sub(r"EXCLUDE_FILE\([^)]*\) (?=SORT|\S+\()", "", text)
        text = re.sub(r"(SORT\w*\()EXCLUDE_FILE\([^)]*\) ", r"\1", text)
        text = re.sub(r"SORT(?:_NONE)?\(([^()\s]+)\)\(", r"\1(", text)
        if not default and "INPUT_SECTION_FLAGS" not in text and not _GREEDY.search(text):
            return text


def script(chance: random.Random) -> tuple[str, str]:
    """A script that ld accepts, if it links at all, and the one that stands for ld's default if it has an INSERT."""
    text = ["SECTIONS {\n"]
    if chance.random() < 0.7:
        text.append(" . = 0x10000;\n")
    names = chance.sample(OUTPUTS, chance.randint(1, 8))
    if chance.random() < 0.2:
        names.append(chance.choice(names))
    for number, name in enumerate(names):
        if chance.random() < 0.1 and number and number + 1 < len(names):
            text.append("}\nSECTIONS {\n")
        if chance.random() < 0.12:
            text.append(f" /DISCARD/ : {{ {_statements(chance, discard=True)} }}\n")
        if chance.random() < 0.05:
            text.append(f" OVERLAY : {{ .ov{number} {{ {_wild(chance)} }} .ow{number} {{ {_wild(chance)} }} }}\n")
        if chance.random() < 0.06:
            text.append(f" symbol{number} = {chance.choice(['ADDR', 'LOADADDR'])}({chance.choice(names)});\n")
        if chance.random() < 0.1:
            body = _statements(chance)
            text.append(f" {name} : ONLY_IF_RO {{ {body} }}\n {name} : ONLY_IF_RW {{ {body} }}\n")
            continue
        constraint = chance.choice([" ONLY_IF_RO", " ONLY_IF_RW"]) if chance.random() < 0.06 else ""
        kind = chance.choice(["(NOLOAD) ", "(INFO) ", "(COPY) "]) if chance.random() < 0.05 else ""
        text.append(f" {name} {kind}:{constraint} {{ {_statements(chance)} }}\n")
        if chance.random() < 0.2:
            text.append(f" end{number} = .;\n")
    text.append("}\n")
    default = ""
    if chance.random() < 0.08:
        text.append(f"INSERT {chance.choice(['BEFORE', 'AFTER'])} .later;\n")
        wild = [chance.choice(PATTERNS) for _ in range(3)]
        default = f"SECTIONS {{ .early : {{ *({wild[0]}) }} .later : {{ *({wild[1]}) BYTE(1) }} "
        default += f".last : {{ *({wild[2]}) }} }}\n"
    return "".join(text), default


def _statements(chance: random.Random, discard: bool = False) -> str:
    found: list[str] = []
    for _ in range(chance.randint(1, 4)):
        found.append(_wild(chance))
        if not discard and chance.random() < 0.15:
            found.append(chance.choice(["BYTE(0);", "x = .;", ". = ALIGN(8);", "LONG(1)", "FILL(0);", "CONSTRUCTORS"]))
    return " ".join(found)


def _wild(chance: random.Random) -> str:
    file = chance.choice(FILE_PATTERNS) if chance.random() < 0.25 else "*"
    by_file = False
    if chance.random() < 0.08:
        file = f"EXCLUDE_FILE({' '.join(chance.sample(EXCLUDES, chance.randint(1, 2)))}) {file}"
    if chance.random() < 0.06:
        file, by_file = f"{chance.choice(['SORT', 'SORT_NONE'])}({file})", True
    patterns: list[str] = []
    for _ in range(chance.choice([1, 1, 2, 2, 3, 4])):
        pattern = chance.choice(PATTERNS)
        if chance.random() < 0.12:
            pattern = f"EXCLUDE_FILE({' '.join(chance.sample(EXCLUDES, chance.randint(1, 2)))}) {pattern}"
        # GNU ld 2.40 aborts where files are sorted and sections are not.
        if chance.random() < 0.25 or by_file:
            pattern = chance.choice(SORTS if not by_file else SORTS[:3]) % pattern
        patterns.append(pattern)
    text = f"{file}({chance.choice([' ', ' ', ', ']).join(patterns)})"
    if chance.random() < 0.03 and "(" not in file and ":" not in file and file != "*":
        text = file
    if chance.random() < 0.07:
        text = f"INPUT_SECTION_FLAGS({' & '.join(chance.sample(FLAGS, chance.randint(1, 2)))}) {text}"
    return f"KEEP({text})" if chance.random() < 0.15 else text
