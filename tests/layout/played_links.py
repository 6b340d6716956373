"""Random links, played through without a linker and made by the real ld, and where the two differ."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from ldcheck.image.definitions import read_definitions
from ldcheck.image.elf import read_elf
from ldcheck.image.maps import read_map
from ldcheck.image.model import LinkMap, MapSection
from ldcheck.image.objects import read_objects
from ldcheck.layout.knowledge import NotPredicted, Options
from ldcheck.layout.played import Played, PlayedSection
from ldcheck.layout.player import play
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.layout.random_references import random_keeping, random_related
from tests.layout.random_scripts import random_script
from tests.layout.soundness import make_objects
from tests.support.build import TARGETS, assemble, link

# Options of ld, and what they mean to the player.
OPTIONS: tuple[tuple[tuple[str, ...], dict[str, object]], ...] = (
    ((), {}),
    ((), {}),
    ((), {}),
    ((), {}),
    (("-z", "norelro"), {"relro": False}),
    (("-z", "max-page-size=0x1000"), {"max_page": 0x1000}),
    (("-z", "max-page-size=0x200000"), {"max_page": 0x200000}),
    (("-z", "noseparate-code"), {"separate_code": False}),
    (("-z", "separate-code"), {"separate_code": True}),
    (("--sort-section=alignment",), {"sort_section": "alignment"}),
    (("--sort-section=name",), {"sort_section": "name"}),
    (("-N",), {"text_read_only": False, "paged": False}),
    (("-n",), {"paged": False}),
)

# Why ld makes no file of what it has laid out.
_FILE = re.compile("not enough room for program headers|TLS sections are not adjacent|internal error")


@dataclass
class Tally:
    """What a run compared: links, sections, inputs and symbols that agree, and why others were not predicted.

    `adjusted` are links whose load addresses overlapped.
    """

    links: int = 0
    predicted: int = 0
    sections: int = 0
    inputs: int = 0
    symbols: int = 0
    adjusted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def run(folder: Path, seeds: range, target: str = "x86_64", firmware: bool = False) -> Tally:
    """One link for each seed."""
    tally = Tally()
    objects = make_objects(folder, seeds.start, 40, target, relaxed=False)
    for seed in seeds:
        link_once(folder, seed, objects, tally, target, firmware)
    return tally


def link_once(
    folder: Path, seed: int, objects: list[Path], tally: Tally, target: str = "x86_64", firmware: bool = False
) -> None:
    """Link and play the script of one seed with some of the objects, and compare."""
    random = Random(seed)
    text = random_script(random, firmware)
    chosen = random.sample(objects, random.choice((3, 5, 8, 13) if firmware else (1, 1, 2, 3, 5, 8)))
    options, known = random.choice(OPTIONS)
    done = link(folder, text, chosen, target, [*options, "--no-check-sections", "--noinhibit-exec"])
    where = f"seed {seed}: {target} ld {' '.join(options)} {' '.join(path.name for path in chosen)}\n{text}"
    parsed = parse(Source("t.lds", text))
    assert parsed.ok
    with chdir(folder):
        names = [path.name for path in chosen]
        inputs, symbols = read_objects(names), read_definitions(names)
    tally.links += 1
    try:
        arch = TARGETS[target].arch or target
        played = play(parsed.tree, inputs, symbols, Options(arch=arch, **known))  # type: ignore[arg-type]
    except NotPredicted as why:
        tally.refused[re.sub(r"[.\w]*\d+|\.\w+", "X", why.reason)] += 1
        if done.elf is None and "refuses" in why.reason:
            tally.refused["and so does ld"] += 1
        return
    if late := _FILE.search(done.output):
        tally.refused[f"no file: {late[0]}"] += 1
        return
    if done.elf is None or done.map is None:
        tally.broken.append(f"ld does not link: {done.output[:500]}\n{where}")
        return
    if not done.map.stat().st_size:
        tally.refused[f"ld did not end well: {done.status}"] += 1
        return
    tally.predicted += 1
    tally.adjusted += "adjusted to" in done.output
    compare(played, read_map(str(done.map)), where, tally)
    elf = read_elf(str(done.elf))
    for name, address in played.symbols.items():
        found = elf.symbols.get(name)
        if found is None or not found.defined:
            tally.broken.append(f"{name} is {address:#x} and not in the file\n{where}")
        elif found.kind != "TLS":
            tally.symbols += 1
            if found.value != address & (1 << elf.bits) - 1:
                tally.broken.append(f"{name} is {found.value:#x}, predicted {address:#x}\n{where}")


def run_related(folder: Path, seeds: range, target: str, frames: bool) -> Tally:
    """One link for each seed, of objects whose sections refer to each other: with --gc-sections, or most of them."""
    tally = Tally()
    for seed in seeds:
        random = Random(seed)
        objects = [
            assemble(folder, random_related(random, number, target, frames), target, f"o{number}.o")
            for number in range(4)
        ]
        text = random_keeping(random)
        collects = random.random() < 0.8 or not frames
        options = ["--gc-sections"] * collects + ["--noinhibit-exec", "--unresolved-symbols=ignore-all"]
        done = link(folder, text, objects, target, options)
        if done.map is None or done.elf is None:
            # The script refers to a symbol that the objects have not.
            assert "undefined symbol" in done.output, done.output
            continue
        tally.links += 1
        with chdir(folder):
            names = [path.name for path in objects]
            inputs, symbols = read_objects(names), read_definitions(names)
        try:
            played = play(parse(Source("t.lds", text)).tree, inputs, symbols, Options(arch=target, collects=collects))
        except NotPredicted as why:
            tally.refused[why.reason] += 1
            continue
        tally.predicted += 1
        compare(played, read_map(str(done.map)), f"seed {seed}: {target} ld {' '.join(options)}\n{text}", tally)
    return tally


def compare(played: Played, link_map: LinkMap, where: str, tally: Tally) -> None:
    """Each output section of the map against the one that was predicted, with its inputs and its padding."""
    # What ONLY_IF_RO leaves out is listed with its data.
    lines = Path(link_map.path).read_text().splitlines()
    # What ONLY_IF_RO leaves out is listed without address; long names stand on a line of their own.
    mapped = [
        one
        for one in link_map.sections
        if one.present
        and "0x" in lines[one.line - (1 if len(one.name) < 15 else 0)]
        and not one.name.endswith(".attributes")
    ]
    ours = played.sections
    if [one.name for one in mapped] != [one.name for one in ours]:
        tally.broken.append(f"{[one.name for one in mapped]}, predicted {[one.name for one in ours]}\n{where}")
        return
    for one, other in zip(ours, mapped, strict=True):
        if difference := _difference(one, other):
            tally.broken.append(f"{one.name}: {difference}\n{where}")
            return
        tally.sections += 1
        tally.inputs += len(one.inputs)


def _difference(ours: PlayedSection, theirs: MapSection) -> str:
    for what, one, other in (
        ("address", ours.address, theirs.address),
        ("load address", ours.load_address, theirs.load_address),
        ("size", ours.size, theirs.size),
    ):
        if one != other:
            return f"{what} {other:#x}, predicted {one:#x}"
    listed = [(one.name, one.file, one.address, one.size) for one in theirs.inputs]
    # Only what takes room is the same thing in a map.
    here = Counter((one.input.name, one.input.file, one.address, one.size) for one in ours.inputs if one.size)
    there = Counter(one for one in listed if one[3])
    if here != there:
        return f"inputs {sorted((there - here).elements())}, predicted {sorted((here - there).elements())}"
    padding = sum(one.size for one in theirs.paddings)
    if padding != sum(one.size for one in ours.paddings):
        return f"padding {theirs.paddings}, predicted {ours.paddings}"
    return ""
