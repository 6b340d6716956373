"""EFI images (PE/COFF, `xen.efi`): sections, permissions, symbols and base relocations.

The image is given as an `Elf` of type "PE", whose segments are its sections, because a loader maps them one by one: so
whatever judges an image judges this one too. pefile (the extra `ldcheck[efi]`) reads headers and sections; symbols and
relocations, thousands of them, are unpacked here (PE Format specification: "COFF Symbol Table", "The .reloc Section").
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ldcheck.image.files import OpenFile, describe, refuse
from ldcheck.image.model import Elf, ImageSection, Segment
from ldcheck.image.symbols import SymbolTable
from ldcheck.record import dataclass
from ldcheck.source import decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pefile import PE

_ARCHES = {0x8664: "x86_64", 0x14C: "x86_32", 0xAA64: "arm64", 0x1C0: "arm32", 0x1C4: "arm32", 0x5064: "riscv64"}
_ARCHES |= {0x5032: "riscv32", 0x6264: "loongarch64"}

_EXECUTE = 0x20000000
_READ = 0x40000000
_WRITE = 0x80000000
_UNINITIALIZED = 0x80

_BASE_RELOCATIONS = 5
_PADDING = 0

_LARGEST = 256 << 20
_SYMBOL = struct.Struct("<8sIhHBB")
_MOST_SYMBOLS = 1_000_000

# Storage classes of the COFF symbol table: external, static, label; and types of functions.
_GLOBAL = 2
_NAMED = (2, 3, 6)
_FUNCTION = 0x20


@dataclass(frozen=True, slots=True)
class PeImage:
    """An EFI image. `base` is the preferred address, which every address in `image` includes.

    `relocations` are addresses and types (IMAGE_REL_BASED_...; 3: 32 bits, 10: 64 bits). `subsystem` is 10 for an EFI
    application. An image without relocations can be loaded at its base alone.
    """

    image: Elf
    base: int
    subsystem: int
    relocations: tuple[tuple[int, int], ...]


def read_pe(path: str) -> PeImage:
    """Read an EFI image. Raises CheckError where it cannot be read, is something else, or pefile is not installed."""
    try:
        import pefile
    except ModuleNotFoundError:
        advice = "pip install 'ldcheck[efi]', or give the ELF file that it was made with, such as xen-syms"
        raise refuse(path, "PE images are read by pefile, which is not installed", advice) from None
    with OpenFile(path, "a PE image") as window:
        head = window.read(0, 4096)
        if head[:2] != b"MZ":
            raise refuse(path, f"expected a PE image, this looks like {describe(head)}")
        if window.size > _LARGEST:
            raise refuse(path, "expected a PE image, this is more than 256 MB")
        data = window.read(0, window.size)
    try:
        file = pefile.PE(data=data, fast_load=True)
        return _image(path, file, data)
    except pefile.PEFormatError as error:
        raise refuse(path, f"the PE headers are damaged: {error}") from None
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError, struct.error) as error:
        # What pefile ends in for headers that contradict each other.
        raise refuse(path, f"the PE headers are damaged ({type(error).__name__}: {error})") from None


def _image(path: str, file: PE, data: bytes) -> PeImage:
    base = file.OPTIONAL_HEADER.ImageBase
    problems = list(file.get_warnings())[:20]
    names = _section_names(file, data)
    # As in ELF, section 0 is none, so that symbols count alike.
    sections = [ImageSection(0, "", "NULL", 0, 0, 0, 0, writable=False, allocated=False, executable=False)]
    segments = []
    for index, (name, header) in enumerate(zip(names, file.sections, strict=True), 1):
        flags = header.Characteristics
        # Objects have no virtual size.
        size = header.Misc_VirtualSize or header.SizeOfRawData
        section = ImageSection(
            index=index,
            name=name,
            type="NOBITS" if flags & _UNINITIALIZED or not header.SizeOfRawData else "PROGBITS",
            address=base + header.VirtualAddress,
            offset=header.PointerToRawData,
            size=size,
            align=file.OPTIONAL_HEADER.SectionAlignment,
            writable=bool(flags & _WRITE),
            allocated=True,
            executable=bool(flags & _EXECUTE),
            flags=flags,
        )
        sections.append(section)
        segments.append(
            Segment(
                type="LOAD",
                offset=section.offset,
                address=section.address,
                load_address=section.address,
                file_size=min(header.SizeOfRawData, size),
                memory_size=size,
                align=section.align,
                readable=bool(flags & _READ),
                writable=section.writable,
                executable=section.executable,
                sections=(index,),
            )
        )
        if header.PointerToRawData + header.SizeOfRawData > len(data) and section.occupies_file:
            problems.append(f"section {name} reaches beyond the end of the file")
    table = _symbols(file, data, sections)
    image = Elf(
        path=path,
        arch=_ARCHES.get(file.FILE_HEADER.Machine, f"machine-{file.FILE_HEADER.Machine:#x}"),
        bits=64 if file.OPTIONAL_HEADER.Magic == 0x20B else 32,
        big_endian=False,
        type="PE",
        entry=base + file.OPTIONAL_HEADER.AddressOfEntryPoint,
        sections=tuple(sections),
        segments=tuple(segments),
        symbols=table,
        incomplete=tuple(problems),
        tables=(table,) if table.count else (),
        stripped=not table.count,
    )
    return PeImage(image, base, file.OPTIONAL_HEADER.Subsystem, tuple(_relocations(file, data, base)))


def _section_names(file: PE, data: bytes) -> list[str]:
    """Names of up to 8 bytes, or `/offset` into the string table (GNU extension)."""
    names = []
    for section in file.sections:
        name = section.Name.rstrip(b"\0")
        if name[:1] == b"/" and name[1:].isdigit():
            name = _string(file, data, int(name[1:])) or name
        names.append(decode(name))
    return names


def _string(file: PE, data: bytes, offset: int) -> bytes:
    at = file.FILE_HEADER.PointerToSymbolTable + file.FILE_HEADER.NumberOfSymbols * _SYMBOL.size + offset
    end = data.find(b"\0", at, at + 4096)
    return data[at:end] if end >= 0 and file.FILE_HEADER.PointerToSymbolTable else b""


def _symbols(file: PE, data: bytes, sections: list[ImageSection]) -> SymbolTable:
    names: list[str] = []
    columns: tuple[list[int], ...] = ([], [], [], [], [])
    at, count = file.FILE_HEADER.PointerToSymbolTable, file.FILE_HEADER.NumberOfSymbols
    end = min(at + min(count, _MOST_SYMBOLS) * _SYMBOL.size, len(data)) if at else 0
    while at and at + _SYMBOL.size <= end:
        name, value, section, kind, storage, auxiliary = _SYMBOL.unpack_from(data, at)
        at += (1 + auxiliary) * _SYMBOL.size
        if storage not in _NAMED or not 0 < section < len(sections):
            continue
        long = not name[:4].strip(b"\0")
        names.append(decode(_string(file, data, int.from_bytes(name[4:], "little")) if long else name.rstrip(b"\0")))
        info = (storage == _GLOBAL) << 4 | (2 if kind == _FUNCTION else 0)
        row = (info, 0, section, sections[section].address + value, 0)
        for column, cell in zip(columns, row, strict=True):
            column.append(cell)
    info_column, other, place, values, sizes = columns
    return SymbolTable("COFF symbols", names, (info_column, other, place, values, sizes))


def _relocations(file: PE, data: bytes, base: int) -> Iterator[tuple[int, int]]:
    """Blocks of a page each: its address, the block's size, and 16-bit entries of type and offset."""
    directories = file.OPTIONAL_HEADER.DATA_DIRECTORY
    if len(directories) <= _BASE_RELOCATIONS or not directories[_BASE_RELOCATIONS].Size:
        return
    start, left = directories[_BASE_RELOCATIONS].VirtualAddress, directories[_BASE_RELOCATIONS].Size
    home = next((s for s in file.sections if s.VirtualAddress <= start < s.VirtualAddress + s.SizeOfRawData), None)
    if home is None:
        return
    at = home.PointerToRawData + start - home.VirtualAddress
    end = min(at + left, len(data))
    while at + 8 <= end:
        page, size = struct.unpack_from("<II", data, at)
        if size < 8:
            return
        block = data[at + 8 : min(at + size, end)]
        for (entry,) in struct.iter_unpack("<H", block[: len(block) // 2 * 2]):
            if entry >> 12 != _PADDING:
                yield base + page + (entry & 0xFFF), entry >> 12
        at += size
