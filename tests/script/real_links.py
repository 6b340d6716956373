"""Links with scripts as they are, and what is known of them: to compare every assignment's value with ld's.

In front of each assignment, a symbol with the location counter's address is put into the script; the rest of it stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ldcheck.script.environment import ABSOLUTE, Environment, Value
from ldcheck.script.expressions import absolute, assigned, evaluate
from ldcheck.script.parser import parse
from ldcheck.script.syntax import Assignment, MemoryRegion, Node, OutputSection, Overlay, walk
from ldcheck.source import Source, decode
from tests.support.build import link

OBJECT = """
    .globl _start, main, __libc_init_array, _init, _fini
_start: main: __libc_init_array: _init: _fini:
    .skip 37
    .data
    .balign 8
    .long 1, 2, 3
    .bss
    .skip 100
    .section .rodata,"a"
    .skip 11
    .section .init_array,"aw"
    .balign 8
    .skip 16
    .section .tdata,"awT"
    .skip 5
    .data
    .weak __executable_start, etext, _etext, __etext, edata, _edata, end, _end, __bss_start
    .weak __init_array_start, __init_array_end, __preinit_array_start, __fini_array_end, __data_start, __stack
    .dc.a __executable_start, etext, _etext, __etext, edata, _edata, end, _end, __bss_start
    .dc.a __init_array_start, __init_array_end, __preinit_array_start, __fini_array_end, __data_start, __stack
"""
MARK = "__ldcheck_at_"


@dataclass
class Place:
    """An assignment, and the output section it stands in."""

    node: Assignment
    section: str | None


@dataclass
class Image(Environment):
    """What the linked file says. `location` and `section` are set for each expression."""

    symbols: dict[str, tuple[int, str]] = field(default_factory=dict)
    sections: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    regions: dict[str, tuple[int, int]] = field(default_factory=dict)
    section: str | None = None
    location: int | None = None
    wide: bool = True

    @property
    def dot(self) -> int | None:
        return self.location

    def symbol(self, name: str) -> Value | None:
        if name not in self.symbols:
            return None
        address, section = self.symbols[name]
        if section == ABSOLUTE:
            return Value(address, ABSOLUTE)
        return Value(address - self.sections[section][0], section) if section in self.sections else None

    def addr(self, section: str) -> int | None:
        return self.sections[section][0] if section in self.sections else None

    def sizeof(self, section: str) -> int | None:
        return self.sections[section][1] if section in self.sections else 0

    def alignof(self, section: str) -> int | None:
        return self.sections[section][2] if section in self.sections else None

    def origin(self, region: str) -> int | None:
        return self.regions[region][0] if region in self.regions else None

    def length(self, region: str) -> int | None:
        return self.regions[region][1] if region in self.regions else None


def assignments(text: str) -> list[Place]:
    """The assignments of a script to symbols, in order; those to names with several are left out."""
    parsed = parse(Source("script", text))
    assert parsed.ok
    found: list[Place] = []
    names: dict[str, int] = {}

    def collect(node: Node, section: str | None) -> None:
        for child in walk(node):
            if isinstance(child, Assignment) and id(child) not in seen:
                seen.add(id(child))
                names[child.target.text] = names.get(child.target.text, 0) + 1
                if child.target.text != "." and child.operator == "=":
                    found.append(Place(child, section))

    seen: set[int] = set()
    for node in walk(parsed.tree):
        if isinstance(node, OutputSection):
            collect(node, node.name.text)
    collect(parsed.tree, None)
    return [place for place in found if names[place.node.target.text] == 1]


def compare(
    folder: Path, script: str, target: str, objects: list[Path], options: tuple[str, ...] = ()
) -> tuple[int, str]:
    """Link by an instrumented script; how many values were compared, and the differences or what went wrong."""
    places = assignments(script)
    first = parse(Source("script", script)).tree
    inside = {id(child) for node in walk(first) if type(node).__name__ == "Sections" for child in walk(node)}
    starts = {child.start for child in walk(first) if isinstance(child, Assignment) and id(child) in inside}
    text = script
    for number, place in sorted(enumerate(places), key=lambda item: -item[1].node.start):
        at = place.node.start
        if at in starts:
            text = f"{text[:at]}{MARK}{number} = ABSOLUTE (.); {text[at:]}"
    linked = link(folder, text, objects, target, (*options, "--no-gc-sections"))
    if linked.elf is None:
        return 0, linked.output
    image = read_image(linked.elf)
    read_regions(image, first)
    compared, wrong = 0, []
    for number, place in enumerate(places):
        name = place.node.target.text
        mark = image.symbols.get(f"{MARK}{number}")
        image.location = mark[0] if mark is not None else None
        image.section = place.section
        if name not in image.symbols or (place.section is not None and place.section not in image.sections):
            continue
        value = assigned(evaluate(place.node.value, image), image)
        address = absolute(value, image).number
        if address is None:
            continue
        compared += 1
        mask = (1 << 64) - 1 if image.wide else (1 << 32) - 1
        if address & mask != image.symbols[name][0]:
            wrong.append(f"{name}: ld {image.symbols[name]}, we {address:#x} ({value})")
    return compared, "\n".join(wrong)


def read_image(path: Path) -> Image:
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    image = Image()
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        image.wide = elf.elfclass == 64
        names = [section.name for section in elf.iter_sections()]
        for section in elf.iter_sections():
            if section.name:
                image.sections[section.name] = (section["sh_addr"], section["sh_size"], section["sh_addralign"] or 1)
        table = elf.get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        for symbol in table.iter_symbols():
            index = symbol["st_shndx"]
            if symbol.name and index != "SHN_UNDEF":
                section_name = names[index] if isinstance(index, int) else ABSOLUTE
                image.symbols[symbol.name] = (symbol["st_value"], section_name)
    return image


def read_regions(image: Image, tree: Node) -> None:
    for node in walk(tree):
        if isinstance(node, MemoryRegion):
            origin, length = evaluate(node.origin, image).number, evaluate(node.length, image).number
            if origin is not None and length is not None:
                image.regions[node.name.text] = (origin, length)


def has_overlays(tree: Node) -> bool:
    return any(isinstance(node, Overlay) for node in walk(tree))


def text_of(path: Path) -> str:
    return decode(path.read_bytes())
