"""From where output sections are loaded, and in which memory regions they run: what scripts say, what images show.

An image that starts from ROM has writable data that runs in one region and is loaded from another; start-up code
copies it. `Regions` is the script's side, `loaded` the image's.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache

from ldcheck.image.model import ImageSection
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.overlays import overlay_of
from ldcheck.record import dataclass
from ldcheck.script.marks import marks_a_place
from ldcheck.script.syntax import (
    Assignment,
    Call,
    Data,
    Expression,
    InputSectionDescription,
    Node,
    OutputSection,
    Word,
    walk,
)
from ldcheck.sections.families import Family, project_family_of
from ldcheck.sections.rules import flat
from ldcheck.sections.tables import are_words, may_end_anywhere

# What code copies at a time, if nothing tells of smaller ones: 4 bytes.
WORD = 4

# Parts of the names of regions that are programmed, whatever their attributes say.
_NON_VOLATILE = (
    "rom",
    "flash",
    "fuse",
    "lock",
    "sig",
    "info",
    "uicr",
    "otp",
    "opt",
    "cfg",
    "conf",
    "nv",
    "boot",
    "xip",
)


_VOLATILE = ("ram", "tcm", "ccm", "ocm", "dtc", "bkp", "backup", "lmem")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A section of the image that has content in the file, and from where it is loaded.

    `is_copied`: it runs elsewhere than where it would if nothing but the whole image were moved, so that something has
    to copy it.
    """

    section: ImageSection
    load: int
    is_copied: bool = False

    @property
    def name(self) -> str:
        """The output section."""
        return self.section.name

    @property
    def load_end(self) -> int:
        """The load address behind the last byte."""
        return self.load + self.section.size

    @property
    def distance(self) -> int:
        """From its load address to its address."""
        return self.section.address - self.load


def loaded(view: ImageView) -> list[Loaded]:
    """The sections of the ELF that are loaded from the file, by load address."""
    if view.elf is None:
        return []
    found = [
        Loaded(section, view.elf.load_address(section))
        for section in view.elf.sections
        if section.allocated and section.size and section.occupies_file
    ]
    found.sort(key=lambda one: (one.load, one.section.index))
    # What runs first has not been copied by anything.
    entry = view.elf.entry & ~1
    first = next((one for one in found if one.section.address <= entry < one.section.end), found[0] if found else None)
    return [
        Loaded(one.section, one.load, is_copied=first is not None and one.distance != first.distance) for one in found
    ]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Use:
    """Where one output section goes: its region, and the region or the expression that it is loaded by."""

    section: OutputSection
    region: str
    load_region: str
    load_address: Expression | None

    @property
    def has_own_load_address(self) -> bool:
        """Whether the script says from where it is loaded."""
        return bool(self.load_region) or self.load_address is not None

    @property
    def is_unloaded(self) -> bool:
        """Whether its type says that nothing is loaded."""
        return self.section.type is not None and self.section.type.keyword in ("NOLOAD", "DSECT", "COPY", "INFO")


def has_bytes(node: OutputSection) -> bool:
    """Whether an output section takes something that is in the file, by the names of its inputs."""
    return any(
        project_family_of(name) is not Family.ZERO for part in flat(node.statements) for name in input_names(part)
    )


def loaded_ahead(node: OutputSection, view: ScriptView) -> OutputSection | None:
    """The last section ahead of `node` that has bytes and takes room in the region that `node` is loaded from."""
    return next(_all_loaded_ahead(node, view), None)


def _all_loaded_ahead(node: OutputSection, view: ScriptView) -> Iterator[OutputSection]:
    named = regions_of(view).named
    room = named(node.load_region)
    for one in reversed(view.statements[: view.positions[id(node)]]):
        if isinstance(one, OutputSection) and has_bytes(one) and room in (named(one.region), named(one.load_region)):
            yield one


def ends_off(node: OutputSection, step: int, view: ScriptView) -> OutputSection | None:
    """The section ahead because of which the region that `node` is loaded from may go on off a multiple of `step`.

    None where the script rules that out. What is there only as soon as an object has something for it, as the tables of
    words that are ahead mostly are, leaves it to what is ahead of that.
    """
    named = regions_of(view).named
    for one in _all_loaded_ahead(node, view):
        inputs = [name for part in flat(one.statements) for name in input_names(part)]
        found = view.usual_layout.section(one.name.text)
        if step <= WORD and are_words(inputs):
            continue
        if found is None or not found.end.aligned_to(step):
            return one
        if named(one.region) == named(node.load_region):
            return None
        # Of what runs elsewhere, both addresses tell how large it is.
        if not found.start.aligned_to(step):
            return one
        if found.load.aligned_to(step):
            return None
    return None


def marked_in_front(node: OutputSection, view: ScriptView) -> tuple[Assignment, ...]:
    """The symbols that are given the location counter ahead of a section, behind all other content; nearest first."""
    found = []
    for one in reversed(view.statements[: view.positions[id(node)]]):
        if isinstance(one, Assignment):
            if one.target.text != "." and marks_a_place(one):
                found.append(one)
        elif not isinstance(one, OutputSection):
            break
    return tuple(found)


def region_at(node: Assignment, view: ScriptView) -> str:
    """The region of the output section around a statement, or else in front of it; empty for none."""
    own = view.enclosing.get(id(node))
    if own is None:
        ahead = view.statements[: view.positions[id(node)]]
        own = next((one for one in reversed(ahead) if isinstance(one, OutputSection)), None)
    return regions_of(view).named(own.region) if own is not None else ""


def ends_anywhere(node: OutputSection) -> bool:
    """Whether the last bytes of an output section may be an odd number."""
    for part in reversed(list(flat(node.statements))):
        if isinstance(part, Assignment) and part.target.text == ".":
            return False
        if isinstance(part, InputSectionDescription):
            return may_end_anywhere(input_names(part))
        if isinstance(part, Data):
            return part.keyword in ("BYTE", "SHORT", "ASCIZ")
    return False


def input_names(node: Node) -> list[str]:
    """The patterns of names of a statement that takes input sections."""
    return [one.pattern.text for one in node.patterns or ()] if isinstance(node, InputSectionDescription) else []


@lru_cache(maxsize=8)
def regions_of(view: ScriptView) -> Regions:
    """The memory regions of a script, worked out once."""
    return Regions(view)


class Regions:
    """The memory regions of one script by their own names, and the output sections that go to them."""

    def __init__(self, view: ScriptView) -> None:
        self._view = view
        self._aliases = {name: node.arguments[1].text for name, node in view.aliases.items()}

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """What becomes of each output section, in the order of the script; /DISCARD/ left out."""
        return tuple(
            self._use(node)
            for node in self._view.statements
            if isinstance(node, OutputSection) and node.name.text != "/DISCARD/"
        )

    @cached_property
    def by_section(self) -> dict[str, Use]:
        """The same by the name of the output section; the first of several."""
        return {use.section.name.text: use for use in reversed(self.uses)}

    def _use(self, node: OutputSection) -> Use:
        outer = overlay_of(node, self._view)
        return Use(
            node,
            self.named(node.region or (outer.region if outer is not None else None)),
            self.named(node.load_region or (outer.load_region if outer is not None else None)),
            node.load_address or (outer.load_address if outer is not None else None),
        )

    @cached_property
    def sources(self) -> frozenset[str]:
        """The output sections whose load address the script tells, with LOADADDR() in a symbol or in data."""
        return frozenset(
            argument.text
            for statement in self._view.statements
            if isinstance(statement, Assignment | Data)
            for node in walk(statement)
            if isinstance(node, Call) and node.function == "LOADADDR"
            for argument in node.arguments
            if isinstance(argument, Word)
        )

    def named(self, word: Word | None) -> str:
        """The region that a name means; empty for none."""
        name = word.text if word is not None else ""
        return self._aliases.get(name, name)

    def holding(self, address: int) -> str:
        """The smallest region of known bounds that holds an address; empty if none does."""
        found = [
            (length, name)
            for name, (origin, length) in self._view.regions.items()
            if origin <= address < origin + length
        ]
        return min(found)[1] if found else ""

    def is_memory(self, name: str) -> bool:
        """Whether a region is one to write to: by its attributes, unless by its name it keeps what is written.

        Without attributes the name alone has to tell.
        """
        lower = name.lower()
        if self.attributes(name):
            return self.is_writable(name) and not any(word in lower for word in _NON_VOLATILE)
        return any(word in lower for word in _VOLATILE)

    def is_volatile(self, name: str) -> bool:
        """Whether a region is one to write to, and by its name loses what is written."""
        return self.is_memory(name) and any(word in name.lower() for word in _VOLATILE)

    def is_writable(self, name: str) -> bool:
        """Whether a region's attributes let writable sections in."""
        return "w" in self.attributes(name).partition("!")[0]

    def attributes(self, name: str) -> str:
        """What is in brackets behind a region's name, in lower case: `rx`, `!w`."""
        node = self._view.memory.get(name)
        return node.attributes.text.strip("()").lower() if node is not None and node.attributes is not None else ""
