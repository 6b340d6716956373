"""Images as the tests in policies describe them: sections, symbols and segments in YAML instead of a real link.

The form is declared in `ldcheck.policy.language` and was checked when the policy was loaded. Here the sizes are worked
out, what was left out is filled in as a linker would (addresses one behind the other, flags by the well-known names),
and the classes of `ldcheck.image.model` are made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ldcheck.documents.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ldcheck.image.model import (
    Elf,
    Image,
    ImageSection,
    InputSection,
    LinkMap,
    MapInput,
    MapSection,
    Padding,
    Segment,
)
from ldcheck.image.references import Reference, References
from ldcheck.image.symbols import Symbol
from ldcheck.policy.sizes import evaluate

_PAGE = 0x1000
_WRITE, _ALLOC, _EXECUTE = 1, 2, 4
_DEFAULT_SIZE = 8

# Flags and types of sections by the beginning of their names (ELF gABI, "Special Sections"); others are writable data.
_WELL_KNOWN: tuple[tuple[tuple[str, ...], str, str], ...] = (
    ((".text", ".init.text", ".init", ".fini", ".plt"), "AX", "PROGBITS"),
    ((".rodata", ".init.rodata", ".eh_frame", ".ex_table", ".gnu", ".interp"), "A", "PROGBITS"),
    ((".note",), "A", "NOTE"),
    ((".rela",), "A", "RELA"),
    ((".rel.",), "A", "REL"),
    ((".bss", ".sbss", ".tbss", "COMMON"), "WA", "NOBITS"),
    ((".init_array",), "WA", "INIT_ARRAY"),
    ((".fini_array",), "WA", "FINI_ARRAY"),
    ((".debug", ".comment", ".stab"), "-", "PROGBITS"),
)


def image_of(described: MappingNode, params: Mapping[str, int], arch: str) -> Image:
    """The image that a test describes. Raises CheckError for sizes without a value."""
    reader = _Reader(params)
    sections = _mapping(described, "sections")
    parts: list[tuple[ImageSection, MapSection, int]] = []
    at = 0
    for index, (key, node) in enumerate(sections.items() if sections is not None else (), start=1):
        assert isinstance(node, MappingNode)
        part = reader.section(key.text, index, node, at)
        parts.append(part)
        if part[0].allocated:
            at = part[0].end
    symbols = reader.symbols(_mapping(described, "symbols"), [part[0] for part in parts])
    elf = map_ = None
    if _flag(described, "elf", bool(parts or symbols)):
        segments = reader.segments(described, parts)
        elf = Elf(
            path="the described image",
            arch=arch,
            bits=32 if arch.endswith("32") or arch in ("mips", "m68k", "sh") else 64,
            big_endian=False,
            type="EXEC",
            entry=reader.size(described, "entry", 0),
            sections=(_NULL, *(part[0] for part in parts)),
            segments=segments,
            symbols=symbols,
        )
    discarded = reader.inputs(described, "discarded", 0)
    if _flag(described, "map", bool(discarded) or any(part[1].inputs for part in parts)):
        values = {name: symbol.value for name, symbol in symbols.items()}
        map_sections = tuple(part[1] for part in parts)
        map_ = LinkMap("the described map", "GNU ld", map_sections, discarded, values)
    objects = reader.objects(described) if described.get("objects") is not None else None
    # There is no file to read them from.
    references = References((), reader.references(described), [one.name for one in objects or ()])
    if described.get("references") is not None:
        objects = objects or ()
    return Image(elf, map_, objects, references=references)


class _Reader:
    """Reads sizes with the params of the policy."""

    def __init__(self, params: Mapping[str, int]) -> None:
        self._params = params

    def size(self, node: MappingNode, key: str, otherwise: int) -> int:
        """The value of a key, or `otherwise` where it is not given."""
        value = node.get(key)
        return otherwise if value is None else self._value(value)

    def _value(self, node: Node) -> int:
        assert isinstance(node, ScalarNode)
        return evaluate(node.text, self._params, node.location)

    def section(self, name: str, index: int, node: MappingNode, at: int) -> tuple[ImageSection, MapSection, int]:
        """An output section for the ELF file and for the map, and its load address."""
        flags, kind = _nature(name, node)
        align = self.size(node, "align", 1)
        address = self.size(node, "at", -(-at // align) * align)
        inputs = self.inputs(node, "inputs", address)
        end = max((part.address + part.size for part in inputs), default=address)
        size = self.size(node, "size", end - address)
        load_address = self.size(node, "load-at", address)
        section = ImageSection(
            index=index,
            name=name,
            type=kind,
            address=address,
            # As if the file were laid out as the memory is.
            offset=address,
            size=size,
            align=align,
            writable=bool(flags & _WRITE),
            allocated=bool(flags & _ALLOC),
            executable=bool(flags & _EXECUTE),
            flags=flags,
        )
        paddings = _gaps(address, size, inputs)
        return section, MapSection(name, address, size, load_address, inputs, paddings, 0, align=align), load_address

    def inputs(self, parent: MappingNode, key: str, at: int) -> tuple[MapInput, ...]:
        """The input sections of a list for the map, those without an address one behind the other."""
        found = []
        for node in _items(parent, key):
            align = self.size(node, "align", 1)
            address = self.size(node, "at", -(-at // align) * align)
            size = self.size(node, "size", _DEFAULT_SIZE)
            name, file = _text(node, "name", ""), _text(node, "file", "a.o")
            found.append(MapInput(name, file, _text(node, "member", ""), address, size, align, 0))
            at = address + size
        return tuple(found)

    def objects(self, described: MappingNode) -> tuple[InputSection, ...]:
        """The sections of object files; the index counts within a file."""
        found: list[InputSection] = []
        counts: dict[tuple[str, str], int] = {}
        for node in _items(described, "objects"):
            name, file, member = _text(node, "name", ""), _text(node, "file", "a.o"), _text(node, "member", "")
            counts[file, member] = counts.get((file, member), 0) + 1
            flags, kind = _nature(name, node)
            size, align = self.size(node, "size", _DEFAULT_SIZE), self.size(node, "align", 1)
            found.append(InputSection(file, member, name, counts[file, member], size, align, kind, flags))
        return tuple(found)

    def references(self, described: MappingNode) -> list[Reference]:
        """What refers to what, with addresses where they are told."""
        found = []
        for node in _items(described, "references"):
            source, target = _text(node, "symbol", ""), _text(node, "target", "")
            found.append(
                Reference(
                    file=_text(node, "file", "a.o"),
                    member="",
                    section=_text(node, "from", ""),
                    number=0,
                    offset=0,
                    source=(source,) if source else (),
                    target_section=_text(node, "to", ""),
                    target=(target,) if target else (),
                    target_file="",
                    address=self.size(node, "at", 0) if node.get("at") is not None else None,
                    target_address=self.size(node, "target-at", 0) if node.get("target-at") is not None else None,
                )
            )
        return found

    def symbols(self, given: MappingNode | None, sections: Sequence[ImageSection]) -> dict[str, Symbol]:
        """The symbols, each in the section that holds its address, else absolute."""
        found = {}
        for key, node in given.items() if given is not None else ():
            value = self._value(node)
            holders = [part.index for part in sections if part.allocated and part.address <= value <= part.end]
            found[key.text] = Symbol(key.text, value, 0, "NOTYPE", "GLOBAL", holders[-1] if holders else None)
        return found

    def segments(
        self, described: MappingNode, parts: Sequence[tuple[ImageSection, MapSection, int]]
    ) -> tuple[Segment, ...]:
        """The program headers that are described, else one for each allocated section that has content."""
        loaded = [(section, load) for section, _, load in parts if section.allocated]
        if described.get("segments") is None:
            return tuple(_own_segment(section, load) for section, load in loaded if section.size)
        found = []
        for node in _items(described, "segments"):
            address, size = self.size(node, "at", 0), self.size(node, "size", 0)
            letters = _text(node, "flags", "RWX").upper()
            inside = [part for part, _ in loaded if address <= part.address and part.end <= address + size]
            found.append(
                Segment(
                    type=_text(node, "type", "LOAD"),
                    offset=address,
                    address=address,
                    load_address=self.size(node, "load-at", address),
                    file_size=self.size(node, "file-size", size),
                    memory_size=size,
                    align=self.size(node, "align", _PAGE),
                    readable="R" in letters,
                    writable="W" in letters,
                    executable="X" in letters or "E" in letters,
                    sections=tuple(part.index for part in inside),
                )
            )
        return tuple(found)


_NULL = ImageSection(0, "", "NULL", 0, 0, 0, 0, writable=False, allocated=False, executable=False)


def _own_segment(section: ImageSection, load_address: int) -> Segment:
    return Segment(
        type="LOAD",
        offset=section.offset,
        address=section.address,
        load_address=load_address,
        file_size=section.size if section.occupies_file else 0,
        memory_size=section.size,
        align=_PAGE,
        readable=True,
        writable=section.writable,
        executable=section.executable,
        sections=(section.index,),
    )


def _nature(name: str, node: MappingNode) -> tuple[int, str]:
    """Flags (SHF_*) and type of a section, as given or by its name."""
    letters, kind = next(
        ((flags, kind) for names, flags, kind in _WELL_KNOWN if name.startswith(names)), ("WA", "PROGBITS")
    )
    letters = _text(node, "flags", letters).upper()
    bits = {"W": _WRITE, "A": _ALLOC, "X": _EXECUTE, "M": 0x10, "S": 0x20, "G": 0x200, "T": 0x400}
    flags = sum(bits.get(letter, 0) for letter in set(letters))
    return flags, _text(node, "type", kind).upper()


def _gaps(address: int, size: int, inputs: Sequence[MapInput]) -> tuple[Padding, ...]:
    """What lies between the input sections and behind the last one."""
    found = []
    at = address
    for part in inputs:
        if part.address > at:
            found.append(Padding(at, part.address - at, "input alignment", 0))
        at = max(at, part.address + part.size)
    if inputs and address + size > at:
        found.append(Padding(at, address + size - at, "assignment", 0))
    return tuple(found)


def _mapping(node: MappingNode, key: str) -> MappingNode | None:
    value = node.get(key)
    return value if isinstance(value, MappingNode) else None


def _items(node: MappingNode, key: str) -> list[MappingNode]:
    value = node.get(key)
    return [item for item in value.items if isinstance(item, MappingNode)] if isinstance(value, SequenceNode) else []


def _text(node: MappingNode, key: str, otherwise: str) -> str:
    value = node.get(key)
    return value.text if isinstance(value, ScalarNode) else otherwise


def _flag(node: MappingNode, key: str, otherwise: bool) -> bool:
    value = node.get(key)
    return value.text.lower() == "true" if isinstance(value, ScalarNode) else otherwise
