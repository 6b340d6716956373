"""Links pairs of scripts, of which the second is an edit of the first, with the real ld: what is `same` must be."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from ldcheck.compare.scripts import compare_scripts
from ldcheck.findings import CheckError
from ldcheck.image.elf import read_elf
from ldcheck.script.parser import parse
from ldcheck.script.printer import print_tree
from ldcheck.source import Source
from tests.compare.edits import edited
from tests.layout.random_scripts import OPTIONS, random_script
from tests.layout.soundness import make_objects
from tests.support.build import link


@dataclass
class Tally:
    """What a run checked. `linked` are pairs of images that were compared, `broken` those that differ."""

    pairs: int = 0
    same: int = 0
    linked: int = 0
    broken: list[str] = field(default_factory=list)


def run(folder: Path, seeds: range, target: str = "x86_64", firmware: bool = False) -> Tally:
    """One pair for each seed."""
    tally = Tally()
    objects = make_objects(folder, seeds.start, 40, target)
    for seed in seeds:
        random = Random(seed)
        first = parse(Source("old.lds", random_script(random, firmware)))
        assert first.ok, first.problems
        text = print_tree(first.tree)
        other = print_tree(edited(first.tree, random))
        second = parse(Source("new.lds", other))
        if not second.ok or text == other:
            continue
        tally.pairs += 1
        difference = compare_scripts(first, second)
        if difference.entries:
            continue
        tally.same += 1
        for _ in range(2):
            chosen = random.sample(objects, random.choice((1, 2, 3, 5, 8, 13)))
            options = [*random.choice(OPTIONS), *random.choice(((), (), ("--gc-sections", "-e", "o1_0")))]
            if difference.reordered:
                # In a dynamic image the order of symbols is part of the contents.
                options = [option for option in options if option not in ("-shared", "-pie")]
            if "/DISCARD/" in text and "--orphan-handling=discard" in options:
                options = []
            _compare(folder, (text, other), chosen, options, target, seed, tally)
    return tally


def _compare(
    folder: Path, texts: tuple[str, str], objects: list[Path], options: list[str], target: str, seed: int, tally: Tally
) -> None:
    images = []
    for text in texts:
        done = link(folder, text, objects, target, options)
        images.append(_image(done.elf) if done.ok and done.elf is not None else "refused")
    tally.linked += images[0] != "refused"
    if images[0] != images[1]:
        names = " ".join(path.name for path in objects)
        tally.broken.append(f"seed {seed}: ld {' '.join(options)} {names}\n{texts[0]}\nand\n{texts[1]}")


def _image(path: Path) -> object:
    """What a linked file holds: sections with their contents, segments, symbols in the order of their names."""
    data = path.read_bytes()
    try:
        elf = read_elf(str(path))
    except CheckError:
        # ld gives a thread-local segment less than no bytes where its sections lie in another order than it thinks.
        return data
    tables = ("SYMTAB", "STRTAB")
    sections = [
        (
            one.name,
            one.type,
            one.address,
            one.size,
            one.align,
            one.flags,
            data[one.offset : one.offset + one.size] if one.occupies_file and one.type not in tables else b"",
        )
        for one in elf.sections
    ]
    symbols = sorted((name, symbol.value, symbol.size, symbol.section or 0) for name, symbol in elf.symbols.items())
    return elf.entry, sections, elf.segments, symbols
