"""Damaged and hostile files: a clear error or a partial model that says so; no traceback, no run-away time or memory.

All of it runs in workers under limits of memory and CPU (see `damage.py`), where a fault is a line of their output.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from ldcheck.cli.main import main
from ldcheck.findings import CheckError
from ldcheck.image.elf import read_elf
from ldcheck.image.objects import read_objects
from tests.image import corpus
from tests.support.cache import ROOT
from tests.support.images import mini_image
from tests.support.tools import tool

_BATCHES = 4
_IN_A_BATCH = 500


def worker(*arguments: object) -> None:
    """Run the worker; whatever it prints is a fault."""
    command = [sys.executable, "-m", "tests.image.damage", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def files() -> list[Path]:
    """Images, maps, objects and archives: 32 and 64 bits, both byte orders, both linkers."""
    links = [("ld", "x86_64"), ("ld", "arm32"), ("ld", "mips"), ("ld.lld-16", "arm64"), ("ld.lld-16", "arm32")]
    built = [corpus.image(*link) for link in links]
    mini = mini_image("arm64")
    fat = [corpus.objects(arch)[number] for arch in ("x86_64", "mips") for number in (0, 1)]
    return [path for image in built for path in (image.elf, image.map)] + [mini.elf, mini.map, *fat]


@pytest.mark.parametrize("batch", range(_BATCHES))
def test_damaged_files(batch):
    worker(batch * _IN_A_BATCH, _IN_A_BATCH, *files())


@pytest.mark.sweep
def test_many_damaged_files():
    """`LDCHECK_SEED` begins another series. Static programs are among them."""
    start = int(os.environ.get("LDCHECK_SEED", "100000"))
    static = corpus.static_image("x86_64-linux-gnu-")
    worker(start, 10_000, *files())
    worker(start, 500, static.elf, static.map)


def test_a_truncated_image_says_so(tmp_path):
    whole = corpus.image("ld", "x86_64").elf.read_bytes()
    headers = struct.unpack_from("<Q", whole, 40)[0]
    for size in [*range(0, 512, 7), *range(512, len(whole), len(whole) // 200)]:
        path = tmp_path / "cut.elf"
        path.write_bytes(whole[:size])
        said = (
            f"section headers lie at bytes {headers:,} to {len(whole):,}" if size >= 64 else "cut off|this looks like"
        )
        with pytest.raises(CheckError, match=said):
            read_elf(str(path))


def test_a_truncated_object_says_so(tmp_path):
    whole = corpus.objects("x86_64")[0].read_bytes()
    for size in range(64, len(whole), 50):
        (tmp_path / "cut.o").write_bytes(whole[:size])
        with pytest.raises(CheckError, match=f"the file ends at byte {size:,}, but its"):
            read_objects([str(tmp_path / "cut.o")])


def test_a_truncated_image_is_no_input(tmp_path, capsys):
    image = mini_image("arm64")
    (tmp_path / "cut.elf").write_bytes(image.elf.read_bytes()[:3000])
    assert main(["check", "--elf", str(tmp_path / "cut.elf"), "--map", str(image.map)]) == 2
    assert "the file ends at byte 3,000, but its" in capsys.readouterr().out


def test_contents_behind_the_end_of_the_file(tmp_path):
    rows = [(0, 0, 0, 0, 0), (1, 64, 1000, 0, 0), (8, 64, 1 << 40, 0, 0)]
    (tmp_path / "cut.elf").write_bytes(elf64(rows, bytes(64)))
    with pytest.raises(CheckError, match="section 1 lies at bytes 64 to 1,064"):
        read_elf(str(tmp_path / "cut.elf"))


def test_a_file_of_debugging_information_alone_is_whole(tmp_path):
    debug = tmp_path / "image.debug"
    subprocess.run([tool("objcopy"), "--only-keep-debug", mini_image("x86_64").elf, debug], check=True)
    assert read_elf(str(debug)).sections


def elf64(sections: list[tuple[int, int, int, int, int]], body: bytes, programs: int = 0, **header: int) -> bytes:
    """A little-endian file: header, `body` at offset 64, then section headers of type, offset, size, link, info."""
    rows = [
        struct.pack("<IIQQQQIIQQ", 0, kind, 2, 0, at, size, link, info, 1, 0) for kind, at, size, link, info in sections
    ]
    fields = {"shoff": 64 + len(body), "shnum": len(rows), "shstrndx": 0, "phoff": 64 if programs else 0, **header}
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head += struct.pack("<HHIQQQIHHH", 2, 62, 1, 0, fields["phoff"], fields["shoff"], 0, 64, 56, programs)
    head += struct.pack("<HHH", 64, fields["shnum"], fields["shstrndx"])
    return head + body + b"".join(rows)


def hostile_images() -> dict[str, bytes]:
    """Files whose counts, offsets and strings multiply what they hold."""
    megabyte = b"a" * (1 << 20)
    # 40,000 symbols, each of which names a string of half a megabyte.
    many = b"".join(struct.pack("<IBBHQQ", at * 20, 0x10, 0, 1, 0, 0) for at in range(40_000))
    end = 64 + len(many)
    return {
        "long-names": elf64([(0, 0, 0, 0, 0), (2, 64, len(many), 2, 0), (3, end, 1 << 20, 0, 0)], many + megabyte),
        "zeros-for-names": elf64([(0, 0, 0, 0, 0), (2, 64, 48, 2, 0), (3, 64, 8 << 20, 0, 0)], bytes(8 << 20)),
        "endless-sections": elf64([(0, 64, 1 << 62, 0, 0)], bytes(64), shnum=0),
        "many-segments": elf64(
            [(1, 64, 16, 0, 0)] * 60_000, struct.pack("<IIQQQQQQ", 1, 7, 0, 0, 0, 1 << 40, 1 << 40, 1) * 20_000, 20_000
        ),
        "huge-sizes": elf64(
            [(0, 0, 0, 0, 0), (1, 1 << 63, 1 << 63, 0, 0), (2, 64, 1 << 63, 9, 0), (7, 64, 1 << 63, 0, 0)], bytes(64)
        ),
        "many-notes": elf64([(7, 64, 1 << 20, 0, 0)] * 30_000, bytes(1 << 20)),
        "many-tables": elf64([(2, 64, 1 << 20, 1, 0)] * 30_000, bytes(1 << 20)),
        "all-program-headers": elf64([], bytes(3 << 20), 65_534),
    }


def hostile_objects() -> dict[str, bytes]:
    """The same for objects, with groups, and for archives."""
    body = bytes(1 << 20)
    groups = elf64([(0, 0, 0, 0, 0), (2, 64, 1 << 20, 1, 0)] + [(17, 64, 1 << 20, 1, 5)] * 30_000, body)
    tables = elf64([(2, 64, 1 << 20, 1, 0)] * 30_000, body)
    member = b"x.o/            0           0     0     644     0         `\n"
    endless = b"x.o/            0           0     0     644     9999999999`\n"
    relocatable = struct.pack("<H", 1)
    return {
        "groups.o": groups[:16] + relocatable + groups[18:],
        "tables.o": tables[:16] + relocatable + tables[18:],
        "empty-members.a": b"!<arch>\n" + member * 50_000,
        "endless-member.a": b"!<arch>\n" + endless + b"\x7fELF",
        "self.a": b"!<thin>\n//                                              8         `\nself.a/\n"
        + b"/0              0           0     0     644     8         `\n" * 5_000,
        "bad-names.a": b"!<arch>\n" + member.replace(b"x.o/ ", b"/999 ") * 3,
    }


_GNU = b"\n*default*        0x0 0xffffffffffffffff\n\nLinker script and memory map\n\n"
_LLD = b"             VMA              LMA     Size Align Out     In      Symbol\n"


def hostile_maps() -> dict[str, bytes]:
    """Lines and numbers that no linker writes."""
    section = b"\n.text           0x0000000000010000        0x8\n"
    line = b" .text          0x0000000000010000        0x8 a.o\n"
    return {
        "one-line.map": _GNU + b"x" * (8 << 20),
        "blanks.map": _GNU + b" " * (8 << 20),
        "feeds.map": _GNU + b"\n" * (1 << 20),
        "exclude.map": _GNU + section + b" *(" + b"EXCLUDE_FILE(" * 200_000 + b")\n" + line,
        "sorts.map": _GNU + section + b" *(" + b"SORT_BY_NAME(" * 200_000 + b")\n" + line,
        "brackets.map": _GNU + section + b" *" + b"(" * 500_000 + b")" * 500_000 + b"\n" + line,
        "sections.map": _GNU + b"".join(b"\n.s%d 0x%x 0x1\n" % (at, 64 * at * at) for at in range(20_000)),
        "jumps.map": _GNU
        + (section + b"                0x0000000000020000                . = ALIGN (0x10000)\n") * 5_000,
        "overlapping.map": _GNU + section + line * 100_000,
        "far.map": _GNU + section + b" .text          0xffffffffffffffff 0xffffffffffffffff a.o\n" * 50_000,
        "expression.map": _GNU
        + section
        + b"                0x0000000000010000                . = "
        + b"(" * 300_000
        + b"\n",
        "default.map": b"*default* 0x0 0x0\n" * 200_000,
        "defaults.map": b"\n*default* 0x0 0x0\n\n" * 100_000,
        "colons.map": _LLD + b"            1000             1000        8     1         " + b"a:(" * 500_000 + b"\n",
        "lld-line.map": _LLD + b"1 " * (2 << 20),
        "lld-sizes.map": _LLD
        + b"ffffffffffffffff ffffffffffffffff ffffffffffffffff 99999999999999999999 .text\n" * 20_000,
        "lld-sections.map": _LLD + b"               0                0        8     1 .text\n" * 20_000,
    }


@pytest.mark.parametrize("hostile", [hostile_images, hostile_objects, hostile_maps])
def test_hostile_files(tmp_path, hostile):
    paths = []
    for name, content in hostile().items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(content)
    worker("hostile", *paths)
