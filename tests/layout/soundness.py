"""Links random scripts with the real ld and holds every fact against the addresses that came out."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from random import Random

from ldcheck.findings import CheckError
from ldcheck.image.elf import read_elf
from ldcheck.image.maps import read_map
from ldcheck.image.model import Elf, LinkMap
from ldcheck.layout.concrete import evaluate_on
from ldcheck.layout.decided import Decided
from ldcheck.layout.facts import Known, Order, order
from ldcheck.layout.followed import not_followed
from ldcheck.layout.image_values import ImageValues
from ldcheck.layout.interpret import interpret
from ldcheck.layout.pages import Range, section_extents, separations, shared_pages
from ldcheck.layout.result import Layout, Truth
from ldcheck.linker import Linker as Meant
from ldcheck.script.dialect import GNU, LLD
from ldcheck.script.expressions import evaluate
from ldcheck.script.parser import parse
from ldcheck.script.printer import print_expression
from ldcheck.script.syntax import (
    Assertion,
    Binary,
    Call,
    Expression,
    InputSectionDescription,
    Name,
    Number,
    OutputSection,
    Script,
    walk,
)
from ldcheck.source import Source
from tests.layout.random_scripts import INPUTS, LLD_OPTIONS, OPTIONS, random_object, random_script
from tests.support.build import assemble, link
from tests.support.linkers import Linker, command

GNU_LD = Linker("gnu", "2.40")


@dataclass
class Tally:
    """What a run checked. `facts` counts those that said something: more than "any address"."""

    links: int = 0
    refused: int = 0
    facts: int = 0
    orders: int = 0
    apart: int = 0
    assertions: int = 0
    values: int = 0
    decided: int = 0
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.links - self.refused} links, {self.facts} facts, {self.orders} orders, {self.apart} apart, "
            f"{self.decided} decided, {self.values} values, {self.assertions} assertions, {len(self.broken)} broken"
        )


@dataclass(frozen=True)
class Place:
    """Where an output section lies."""

    start: int
    end: int
    load: int


@dataclass(frozen=True)
class Linked:
    """The addresses of a linked ELF file: symbols, and allocated sections that are the only ones of their name."""

    symbols: dict[str, int]
    sections: dict[str, Place]


def see(elf: Elf, link_map: LinkMap) -> Linked:
    """What is to be seen of an image: load addresses are taken from its map, as they were before segments were made."""
    # Thread-local symbols have offsets for values.
    symbols = {name: symbol.value for name, symbol in elf.symbols.items() if symbol.defined and symbol.kind != "TLS"}
    names = Counter(section.name for section in elf.sections)
    loads: dict[tuple[str, int], int] = {}
    for listed in link_map.sections:
        # An empty orphan of the same name may follow.
        loads.setdefault((listed.name, listed.address), listed.load_address)
    sections = {
        section.name: Place(section.address, section.end, loads.get((section.name, section.address), section.address))
        for section in elf.sections
        if section.allocated and names[section.name] == 1
    }
    return Linked(symbols, sections)


def make_objects(folder: Path, seed: int, count: int, target: str = "x86_64", *, relaxed: bool = True) -> list[Path]:
    """A pool of objects that the links draw from; not `relaxed` is code that RISC-V leaves as it is."""
    random = Random(seed)
    objects = []
    for index in range(count):
        # Calls that the linker makes shorter where it can.
        text = random_object(random, index, "call {}" if target == "riscv64" and relaxed else "")
        if target == "riscv64" and not relaxed:
            text = f".option norelax\n{text}"
        if target == "arm32":
            text = text.replace(".quad", ".long")
        objects.append(assemble(folder, text, target, f"o{index}.o"))
    return objects


def run(folder: Path, seeds: range, target: str = "x86_64", firmware: bool = False, linker: Linker = GNU_LD) -> Tally:
    """One link for each seed."""
    tally = Tally()
    objects = make_objects(folder, seeds.start, 40, target)
    for seed in seeds:
        link_once(folder, seed, objects, tally, target, firmware, linker)
    return tally


def link_once(
    folder: Path,
    seed: int,
    objects: list[Path],
    tally: Tally,
    target: str = "x86_64",
    firmware: bool = False,
    linker: Linker = GNU_LD,
) -> None:
    """Link the script of one seed with some of the objects, and compare."""
    random = Random(seed)
    lld, meant = linker.kind == "lld", Meant(linker.kind, tuple(map(int, linker.version.split("."))))
    text = random_script(random, firmware, lld)
    chosen = random.sample(objects, random.choice((3, 5, 8, 13) if firmware else (1, 1, 2, 3, 5, 8)))
    options = [*random.choice(LLD_OPTIONS if lld else OPTIONS)]
    if "/DISCARD/" in text and "--orphan-handling=discard" in options:
        options = []
    if random.random() < 0.7:
        options.append("--no-check-sections")
    done = link(folder, text, chosen, target, options, command(linker, target))
    parsed = parse(Source("t.lds", text), dialect=LLD if lld else GNU)
    assert parsed.ok, (text, parsed.problems, done.output)
    layout = interpret(parsed.tree, linker=meant)
    tally.links += 1
    where = f"seed {seed}: {target} {linker} {' '.join(options)} {' '.join(path.name for path in chosen)}\n{text}"
    said = [line for line in done.output.splitlines() if line.strip() and "warning" not in line]
    if all("assertion" in line for line in said):
        _check_assertions(layout, set(re.findall(r"assertion \d+;", done.output)), where, tally)
    if not done.ok or done.elf is None or done.map is None:
        tally.refused += 1
        return
    try:
        elf = read_elf(str(done.elf))
    except CheckError:
        # With lld, sections at the addresses of the headers overwrite these; GNU ld writes segments that end ahead of
        # their start where thread-local sections lie far apart.
        tally.refused += 1
        return
    if firmware and any((made := elf.section(name)) is None or not made.size for name in (".text", ".data")):
        # Without code or data, orphans that would go behind it are placed ahead of everything.
        tally.refused += 1
        return
    link_map = read_map(str(done.map))
    linked = see(elf, link_map)
    # A location counter that ran past the end of the address space is not what facts are about.
    top = (1 << elf.bits) - (1 << 30)
    counted = (int(value, 16) for value in _COUNTED[linker.kind].findall(done.map.read_text()))
    # Nor is one that a negative number in a constant has led there, of which the map shows the last value only.
    if (
        "= -k" in text
        or any(place >= top for place in (*counted, *(place.end for place in linked.sections.values())))
        or ("0xffff8" in text and elf.bits == 32)
    ):
        tally.refused += 1
        return
    inputs: dict[str, str] = {}
    for path in chosen:
        inputs.update(_inputs_of(path.with_suffix(".s").read_text()))
    taken = {
        pattern.pattern.text
        for section in walk(parsed.tree)
        # What a condition leaves out takes nothing.
        if isinstance(section, OutputSection) and not section.constraint
        for node in walk(section)
        if isinstance(node, InputSectionDescription)
        for pattern in node.patterns or ()
    }
    # An orphan may have made a section of the same name.
    ambiguous = set(inputs.values()) - taken
    if meant.kind == "gnu" and meant.version == (2, 44):
        # It does so for any that has other flags than the type of an output section in which a symbol is assigned.
        ambiguous |= {section.name for section in layout.sections if getattr(section.node, "type", None) is not None}
    places = _places(layout, linked, inputs, ambiguous, target, lld)
    if "adjusted to" in done.output:
        # BFD has moved load addresses that overlapped in a segment.
        places = {name: place for name, place in places.items() if not name.startswith("load")}
    # ld computes with 64 bits, of which the file keeps these.
    places = {name: place for name, place in places.items() if place[0].low >> elf.bits == 0}
    _compare(places, where, tally)
    _compare_pages(layout, _unmistakable(layout, linked, ambiguous), where, tally)
    # The symbols of 32-bit files have lost the sign of what was computed with 64.
    if elf.bits == 64 and ambiguous.isdisjoint(section.name for section in layout.sections):
        if not_followed(parsed.tree, meant) is None:
            _replay(parsed.tree, elf, link_map, where, tally, meant)
        _decide(parsed.tree, layout, elf, link_map, where, tally, random)


def _replay(tree: Script, elf: Elf, link_map: LinkMap, where: str, tally: Tally, linker: Meant) -> None:
    """The script's expressions on the image that it made give the image's values."""
    found = evaluate_on(tree, elf, link_map, linker=linker)
    for symbol in found.symbols:
        tally.values += symbol.agrees is True
        if symbol.agrees is False:
            tally.broken.append(f"{symbol.name} is {symbol.actual:#x}, computed as {symbol.expected:#x}\n{where}")
    for assertion in found.assertions:
        tally.values += assertion.holds is True
        if assertion.holds is False:
            tally.broken.append(f"{assertion.node.message.text} is said to fail\n{where}")


def _decide(
    tree: Script, layout: Layout, elf: Elf, link_map: LinkMap, where: str, tally: Tally, random: Random
) -> None:
    """What the script is said to decide about expressions of policies is so in the image."""
    judged, values = Decided(layout), ImageValues(elf, link_map)
    # Conditions that the script itself has are the likeliest to be decided.
    asked = [node.condition for node in walk(tree) if isinstance(node, Assertion)]
    symbols = [name for name, symbol in elf.symbols.items() if symbol.defined and symbol.kind != "TLS"]
    parts = [part for node in asked for part in walk(node) if isinstance(part, Name | Number | Binary | Call)]
    for _ in range(20 if symbols else 0):
        one, other = (Name(random.choice(symbols), start=0, end=0) for _ in range(2))
        left: Expression = random.choice((one, Binary("-", one, other, start=0, end=0), *parts))
        distance = Number(random.choice((0, 1, 8, 64, 256, 4096, 1 << 16)), "", start=0, end=0)
        right = random.choice((other, distance, Binary("+", other, distance, start=0, end=0), *parts))
        asked.append(Binary(random.choice(("<", "<=", "==", "!=", ">", ">=")), left, right, start=0, end=0))
        rest = Binary("%", one, Number(random.choice((2, 8, 64, 4096)), "", start=0, end=0), start=0, end=0)
        asked.append(Binary("==", rest, Number(0, "", start=0, end=0), start=0, end=0))
    for condition in asked:
        decision, truth = judged.condition(condition), evaluate(condition, values).truth
        if decision is not None and truth is not None:
            tally.decided += 1
            if decision.truth is not truth:
                tally.broken.append(f"{print_expression(condition)} is said to be {decision.truth}\n{where}")


def _check_assertions(layout: Layout, failed: set[str], where: str, tally: Tally) -> None:
    for fact in layout.assertions():
        message = fact.node.message.text
        tally.assertions += fact.truth is not Truth.UNKNOWN
        if (fact.truth is Truth.TRUE and message in failed) or (fact.truth is Truth.FALSE and message not in failed):
            tally.broken.append(f"{message} is said to be {fact.truth.value}\n{where}")


def _places(
    layout: Layout, linked: Linked, inputs: dict[str, str], ambiguous: set[str], target: str, by_lld: bool
) -> dict[str, tuple[Known, int]]:
    """What is said of each place that can be seen in the image, and where it is."""
    places: dict[str, tuple[Known, int]] = {}
    for name, value in linked.symbols.items():
        known = layout.symbol(name)
        if known is not None:
            places[name] = (known, value)
        demanded = layout.symbol(name, with_assertions=True)
        if demanded is not None and demanded is not known:
            places[f"{name}, as asserted,"] = (demanded, value)
    unmistakable = _unmistakable(layout, linked, ambiguous)
    for section in layout.sections:
        node = section.node
        if section.name not in unmistakable or not isinstance(node, OutputSection):
            continue
        found = unmistakable[section.name]
        places[f"start of {section.name}"] = (section.start, found.start)
        places[f"end of {section.name}"] = (section.end, found.end)
        if not (by_lld and found.start == found.end):
            # What takes no room is loaded from nowhere, in lld.
            places[f"load address of {section.name}"] = (section.load, found.load)
        for statement in node.statements:
            if isinstance(statement, InputSectionDescription):
                _add_first_input(statement, layout, linked, inputs, target, places)
    return places


def _unmistakable(layout: Layout, linked: Linked, ambiguous: set[str]) -> dict[str, Place]:
    """The output sections of the image of which it is certain what in the script made them."""
    names = Counter(section.name for section in layout.sections)
    nodes = {section.name: section.node for section in layout.sections}
    return {
        name: place
        for name, place in linked.sections.items()
        if names[name] == 1 and name not in ambiguous and not getattr(nodes[name], "constraint", "")
    }


def _compare_pages(layout: Layout, sections: dict[str, Place], where: str, tally: Tally) -> None:
    """What is said to be apart shares no page."""
    # Zero-initialised thread-local data takes no room.
    taken = {name: place for name, place in sections.items() if place.end > place.start and name != ".tbss"}
    for first, second in combinations(taken, 2):
        [one], [other] = section_extents(layout, first), section_extents(layout, second)
        ranges = [Range(name, taken[name].start, taken[name].end) for name in (first, second)]
        for page in (16, 256, 4096):
            if separations(layout, [one], [other], page)[0].apart:
                tally.apart += 1
                if shared_pages(ranges[:1], ranges[1:], page):
                    tally.broken.append(f"{first} and {second} share {page} bytes, said to be apart\n{where}")


def _add_first_input(
    statement: InputSectionDescription,
    layout: Layout,
    linked: Linked,
    inputs: dict[str, str],
    target: str,
    places: dict[str, tuple[Known, int]],
) -> None:
    names = {pattern.pattern.text for pattern in statement.patterns or ()}
    if target == "riscv64" and any('"ax' in INPUTS.get(name, "") for name in names):
        # In code, the assembler leaves alignment to the linker: labels lie behind what it inserts.
        return
    known = layout.first_input(statement)
    labels = [label for label, name in inputs.items() if name in names and label in linked.symbols]
    if known is not None and labels and names.isdisjoint(_UNSEEN):
        places[f"first input of {sorted(names)}"] = (known, min(linked.symbols[label] for label in labels))


def _compare(places: dict[str, tuple[Known, int]], where: str, tally: Tally) -> None:
    for name, (known, value) in places.items():
        tally.facts += known.modulus != 1 or known.low > 0
        if not known.number.holds(value):
            tally.broken.append(f"{name} is {value:#x}, said to be {known}\n{where}")
    for (first, (one, here)), (second, (other, there)) in combinations(places.items(), 2):
        claim = order(one, other)
        if claim is not None:
            tally.orders += 1
            if not _HOLDS[claim](here, there):
                tally.broken.append(f"{first} {claim.value} {second} is said of {here:#x} and {there:#x}\n{where}")


# Thread-local labels have no address, merged strings move away from theirs.
_UNSEEN = {".rodata.str", ".tdata", ".tbss"}

# Where the location counter is set, by the maps.
_COUNTED = {
    "gnu": re.compile(r"^ +0x(\w+) +\. =", re.MULTILINE),
    "lld": re.compile(r"^ *([0-9a-f]+) +[0-9a-f]+ +[0-9a-f]+ +\d+ +\. \S*=", re.MULTILINE),
}

_HOLDS = {
    Order.LESS: int.__lt__,
    Order.LESS_OR_EQUAL: int.__le__,
    Order.EQUAL: int.__eq__,
    Order.GREATER_OR_EQUAL: int.__ge__,
    Order.GREATER: int.__gt__,
}


def _inputs_of(source: str) -> dict[str, str]:
    """The labels of an object's sections, with the section's name."""
    found: dict[str, str] = {}
    name = ""
    for line in source.splitlines():
        if line.startswith(".section "):
            name = line.split()[1].split(",")[0]
        elif line.startswith(".comm "):
            found[line.split()[1].split(",")[0]] = "COMMON"
        elif line.endswith(":"):
            found[line[:-1]] = name
    return found
