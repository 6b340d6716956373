"""A link played through to addresses, without a linker: what GNU ld 2.40 makes of a script and the inputs of a link.

The order is that of ld (ldlang.c: lang_process): symbols as they are read, inputs mapped to output sections, empty ones
dropped, sizes, sizes again once program headers are known, and the final values of symbols. What hangs on more than
section headers and symbol tables is refused: `play` raises NotPredicted, and never guesses. Taken for granted is a
final, static link (`-T`, no `-r`, no `-pie`, no `-q`) in which no option changes what the script says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from ldcheck.image.definitions import NOTHING, Definitions
from ldcheck.image.frames import Key
from ldcheck.image.link_inputs import AsLinked
from ldcheck.image.merging import SHF_STRINGS, merged_sizes
from ldcheck.image.model import STUBS
from ldcheck.layout.flow import flow
from ldcheck.layout.headers import Headers
from ldcheck.layout.knowledge import PAGES, UNDEFINED, Knowledge, NotPredicted, Options, Part, Phase, Place, Symbol
from ldcheck.layout.load_addresses import settle_load_addresses
from ldcheck.layout.passes import Passes
from ldcheck.layout.played import Played, PlayedJump, played_section
from ldcheck.layout.refusals import is_unsized, refuse_arch, refuse_inputs, refuse_link, refuse_script
from ldcheck.layout.relro import Relro
from ldcheck.layout.rewriting import Rewriting, is_rewritten
from ldcheck.layout.shapes import declared_regions, named_regions, places
from ldcheck.layout.swept import REASON, swept
from ldcheck.layout.unsized import refuse_unsized
from ldcheck.record import replace
from ldcheck.script.environment import Value
from ldcheck.script.expressions import absolute
from ldcheck.script.syntax import Assignment, Command, InputSectionDescription, MemoryRegion, Node, Script, statements
from ldcheck.sections.assign import link_order, mapped
from ldcheck.sections.matching import Matcher
from ldcheck.sections.outputs import CODE, KEPT, READONLY, THREAD_LOCAL, Output, power_of_two
from ldcheck.sections.rules import flat

if TYPE_CHECKING:
    from ldcheck.image.model import InputSection

# Architectures whose linker looks for code to make shorter, and how often it does.
_RELAXING = {"riscv32": 3, "riscv64": 3, "arm32": 1}
_NARROW = ("arm32", "riscv32", "x86_32")
_RELA = 24
BUILD_ID, BUILD_ID_INDEX = ".note.gnu.build-id", -50
_SHF_ALLOC = 2
# The sizes of name and content, the type, and the name "GNU".
_NOTE_HEADER = 16
# How often ld lays out anew because the number of program headers is another one.
_MOST_TRIES = 10


def play(
    tree: Script,
    inputs: Sequence[InputSection],
    symbols: Definitions = NOTHING,
    options: Options = Options(),  # noqa: B008 - a frozen record
    linked: AsLinked | None = None,
) -> Played:
    """Play a link through. Raises NotPredicted for what cannot be told.

    `inputs` come in the order of ld's command line. `linked` is what a link made of them, where that is known.
    """
    return _Player(tree, inputs, symbols, options, linked).run()


def with_common(inputs: Iterable[InputSection], symbols: Definitions) -> Iterator[InputSection]:
    """The inputs with the common symbols that the link keeps of each file."""
    for section in inputs:
        if section.index or symbols.common is None:
            yield section
        elif (common := symbols.common.get((section.file, section.member, 0))) is not None:
            if common.size is None:
                raise NotPredicted(f"{section.file}: the order in which ld lays out its common symbols is not known")
            yield replace(section, size=common.size, align=common.align)


def with_build_id(inputs: list[InputSection], options: Options) -> list[InputSection]:
    """The inputs with the note that `--build-id` puts into the first file (ldelf.c: ldelf_setup_build_id)."""
    if not inputs:
        return inputs
    first = inputs[0]
    at = sum(1 for _ in takewhile(lambda one: (one.file, one.member) == (first.file, first.member), inputs))
    if options.arch == "arm32":
        first, at = replace(first, file=STUBS, member="", archive=""), 0
    size = options.build_id + _NOTE_HEADER
    made = replace(first, name=BUILD_ID, index=BUILD_ID_INDEX, size=size, align=4, type="NOTE")
    made = replace(made, flags=_SHF_ALLOC, group="", entry_size=0, link=0)
    return [*inputs[:at], made, *inputs[at:]]


class _Player:
    def __init__(
        self,
        tree: Script,
        inputs: Sequence[InputSection],
        symbols: Definitions,
        options: Options,
        linked: AsLinked | None,
    ) -> None:
        refuse_script(tree, inputs)
        refuse_arch(options)
        inputs = link_order(tree, [*with_common(inputs, symbols)])
        if options.build_id and not any(one.name == BUILD_ID for one in inputs):
            inputs = with_build_id(inputs, options)
        self._order = {(one.file, one.member, one.index): at for at, one in enumerate(inputs)}
        self._tree = tree
        self._objects = symbols
        self._options = options
        self._sizes: Mapping[Key, int | None] = linked.sizes if linked is not None else {}
        self._made: Mapping[tuple[str, str, str], int] = linked.made if linked is not None else {}
        self._merged: dict[Key, int | None] = {}
        self._flow = flow(tree)
        pages = PAGES.get(options.arch, (0, 0))
        named = {"MAXPAGESIZE": options.max_page or pages[0], "COMMONPAGESIZE": options.common_page or pages[1]}
        self._known = Knowledge({name: size for name, size in named.items() if size}, options.relro, self._flow.sane)
        self._mapped = mapped(tree, inputs, options.sort_section, options.arch, symbols.asking, sweep=self._sweep)
        refuse_link(symbols, linked, {_key(one) for one, _, reason in self._mapped.thrown if reason == REASON})
        refuse_inputs((one for output in self._mapped.mapping.order for one in output.inputs), linked)
        self._regions = declared_regions(self._flow)
        self._known.regions = named_regions(self._flow, self._regions)
        self._places = places(self._mapped.mapping, tree, self._known.regions, self._regions[0])
        self._known.places = {place.key: place for place in self._places.values()}
        self._passes = Passes(self._known, [self._item(one) for one in self._mapped.mapping.listing], self._regions)
        self._headers = Headers(
            tree, self._known, self._in_file, self._ordered, {section.name for section in inputs}, options
        )

    def run(self) -> Played:
        """Go through it as ld does."""
        known, passes = self._known, self._passes
        listing = [one for one in passes.listing if not isinstance(one, Place) or one.node is not None or one.closes]
        first = Passes(known, [one for one in listing if not _is_orphan(one)], self._regions)
        self._read(first)
        self._load_symbols()
        for place in self._places.values():
            place.exists = False
        first.assign(Phase.MARK)
        self._map()
        known.phase = Phase.MARK
        passes.size(check=False)
        passes.reset()
        self._drop()
        refuse_unsized(passes.listing, self._regions[0])
        relro = Relro(self._tree, self._mapped, passes, self._in_file)
        known.relro = known.relro and relro.has_content()
        relro.size_sections(check=True)
        relaxed = _RELAXING.get(self._options.arch, 0)
        rewriting = Rewriting(known, self._ordered(), self._objects, self._mapped.takers, self._order)
        again = rewriting.resize(self._options.arch)
        for _ in range(_MOST_TRIES):
            if again or relaxed:
                self._size_again(relro, relaxed)
            moved = rewriting.reorder()
            again = self._headers.changed() or moved
            if not again:
                break
        else:
            raise NotPredicted("GNU ld finds no number of program headers that fits")
        passes.assign(Phase.FINAL)
        settle_load_addresses(self._headers.segments())
        self._check_width()
        self._check_reach()
        return self._result()

    def _size_again(self, relro: Relro, relaxed: int) -> None:
        """Lay out once more, and before that as often as ld looks for code to make shorter."""
        for _ in range(relaxed + 1):
            self._passes.assign(Phase.ASSIGNING)
            self._passes.reset()
            relro.size_sections(check=True)

    def _check_width(self) -> None:
        if self._options.arch not in _NARROW:
            return
        for place in self._passes.places():
            if max(place.address, place.load) + place.size > 1 << 32:
                raise NotPredicted(f"{place.name} does not lie in the 32 bits of an address", place.node)

    def _check_reach(self) -> None:
        """Refuse where a branch may not reach as far as it has to: ld puts a stub between."""
        reach = self._objects.reach
        if not reach:
            return
        code = [one for one in self._in_file() if one.flags & CODE and one.size]
        ends = [end for one in code for end in (one.address, one.address + one.size)]
        for name in self._objects.called:
            if (value := self._known.symbols.get(name)) is not None and value.assigned:
                address = self._known.address_of(self._known.symbol(name) or Value(None))
                ends += [address] if address is not None else []
        if ends and max(ends) - min(ends) > reach:
            raise NotPredicted("branches may have to reach further than they can, and ld puts stubs between")

    # Before anything has an address -----------------------------------------------------------------------------------

    def _sweep(
        self, sections: Sequence[InputSection], matcher: Matcher, excluded: Collection[int]
    ) -> Mapping[int, str]:
        """What --gc-sections takes out."""
        if not self._options.collects:
            return {}
        return swept(self._tree, sections, self._objects, self._options, matcher, excluded)

    def _item(self, one: Output | Node) -> Place | Node:
        return self._places[one] if isinstance(one, Output) else one

    def _read(self, first: Passes) -> None:
        """Symbols as far as they are known while the script is read, and what regions are made of."""
        for node in statements(self._tree):
            if isinstance(node, Command) and node.keyword == "EXTERN":
                self._known.symbols.update((word.text, Symbol(None)) for word in node.arguments)
        self._known.symbols.update((name, Symbol(None)) for name in self._options.undefined)
        self._fill_bodies(mapped=False)
        nodes: list[Node] = []
        for item in first.listing:
            if isinstance(item, Place):
                nodes += [part.node for part in item.parts if part.node is not None]
            else:
                nodes.append(item)
        first.first(nodes)
        known = self._known
        for node in self._flow.regions:
            if isinstance(node, MemoryRegion):
                region = known.regions[node.name.text]
                origin, length = (known.fold(value, None, 0).number for value in (node.origin, node.length))
                if origin is None or length is None:
                    raise NotPredicted(f"GNU ld does not know where memory region {region.name} is", node)
                region.origin = region.current = origin
                region.length = length

    def _load_symbols(self) -> None:
        symbols = self._known.symbols
        for name in self._objects.wanted:
            symbols.setdefault(name, Symbol(None))
        for name, definition in self._objects.defined.items():
            symbols[name] = Symbol(definition.value, input=definition.input)
        for name in self._objects.unknown:
            symbols[name] = Symbol(0, unknown=True)

    def _fill_bodies(self, *, mapped: bool) -> None:
        """The parts of each output section; before inputs are `mapped`, the statements of the script alone."""
        for output, place in self._places.items():
            place.parts = []
            if not mapped or output.constraint < 0:
                body = flat(output.node.statements) if output.node is not None else ()
                place.parts = [Part(node, None) for node in body if not _places_inputs(node)]
                continue
            at = 0
            for count, node in [*output.statements, (len(output.inputs), None)]:
                place.parts += [self._part(section) for section in output.inputs[at:count]]
                at = count
                if node is not None:
                    place.parts.append(Part(node, None))

    def _part(self, section: InputSection) -> Part:
        if is_unsized(section):
            return Part(None, section, 0, excluded=True)
        key = section.file, section.member, section.index
        size = self._merged.get(key, section.size if is_rewritten(section) else self._sizes.get(key, section.size))
        if section.index < 0:
            size = self._made.get((section.file, section.member, section.name), section.size)
        part = Part(None, section, size or 0, size is None or (section.index < 0 and not size))
        if section.name == ".iplt" and size and self._options.arch == "x86_64":
            # Aligned to the size of its entries once there are any, each with a relocation.
            count = self._made.get((section.file, section.member, ".rela.iplt"), 0) // _RELA
            part.align = power_of_two(size // count) if count else part.align
        return part

    def _map(self) -> None:
        """From here on, output sections exist and have their inputs."""
        known = self._known
        known.phase = Phase.FIRST
        for output, place in self._places.items():
            place.exists = output.created and output.constraint >= 0
            place.kept = bool(output.flags & KEPT)
            if place.exists and output.node is not None and output.node.align is not None:
                value = known.fold(output.node.align, None, 0).number
                if value is None:
                    raise NotPredicted(f"GNU ld does not know the alignment of {place.name} early", output.node.align)
                place.own_align = power_of_two(value)
                place.align = max(place.align, place.own_align)
            if place.name == ".text" and place.key == ".text" and place.exists:
                text_read_only = self._options.text_read_only
                place.flags = place.flags | READONLY if text_read_only else place.flags & ~READONLY
        self._align_thread_local()
        self._merge()
        self._fill_bodies(mapped=True)
        known.mapped = {
            (part.input.file, part.input.member, part.input.index): (place, part)
            for place in self._places.values()
            for part in place.parts
            if part.input is not None
        }

    def _merge(self) -> None:
        """Merge strings and constants, which takes place ahead of all sizes."""
        groups: dict[tuple[Place, int, int, bool], list[InputSection]] = {}
        for output, place in self._places.items():
            for section in output.inputs:
                key = section.file, section.member, section.index
                if key in self._objects.mergeable:
                    group = place, section.entry_size, section.align, bool(section.flags & SHF_STRINGS)
                    groups.setdefault(group, []).append(section)
        for (_, entry_size, align, strings), sections in groups.items():
            keys = sorted(((one.file, one.member, one.index) for one in sections), key=self._order.__getitem__)
            contents = [self._objects.mergeable[key] for key in keys]
            sizes = merged_sizes(contents, entry_size, align, strings=strings)
            self._merged.update(zip(keys, sizes, strict=True))

    def _align_thread_local(self) -> None:
        """The first thread-local output section is aligned for all that follow it (_bfd_elf_tls_setup)."""
        first: Place | None = None
        for output in self._mapped.mapping.made:
            place = self._places[output]
            if place.flags & THREAD_LOCAL:
                first = first or place
                first.align = max(first.align, place.align)
            elif first is not None:
                break

    def _drop(self) -> None:
        """Drop empty output sections (strip_excluded_output_sections)."""
        for place in self._places.values():
            if place.exists and place.output.constraint >= 0 and not place.last_size and not place.kept:
                place.excluded = True
                place.ignored = not place.symbols

    def _in_file(self) -> list[Place]:
        """The output sections of the file, in its order."""
        places = (self._places[output] for output in self._mapped.mapping.made)
        return [place for place in places if place.exists and not place.excluded]

    def _ordered(self) -> list[Place]:
        """The output sections in the order of their statements."""
        return [self._places[output] for output in self._mapped.mapping.order]

    # What came out ----------------------------------------------------------------------------------------------------

    def _result(self) -> Played:
        known = self._known
        symbols: dict[str, int] = {}
        for node in self._all_assignments():
            name = node.target.text
            found = known.symbols.get(name)
            if found is None or found.value is None or not found.assigned or found.section == UNDEFINED:
                continue
            value = known.symbol(name)
            address = absolute(value, known).number if value is not None else None
            if address is not None:
                symbols[name] = address
        listed = [
            one
            for one in self._passes.listing
            if isinstance(one, Place) and one.exists and not any(map(is_unsized, one.output.inputs))
        ]
        regions = tuple((region.name, region.origin, region.length) for region in self._regions[1:])
        thrown = tuple(section for section, _, _ in self._mapped.thrown if section.index >= 0)
        return Played(
            tuple(map(played_section, listed)),
            symbols,
            regions,
            tuple(self._passes.complaints),
            thrown,
            self._mapped,
            tuple(self._jumps(set(listed))),
        )

    def _jumps(self, listed: Collection[Place]) -> Iterator[PlayedJump]:
        behind = 0
        for item in self._passes.listing:
            if isinstance(item, Place):
                behind += item in listed
            elif isinstance(item, Assignment) and item in self._passes.jumps:
                yield PlayedJump(self._passes.expression(item), behind, self._passes.jumps[item])

    def _all_assignments(self) -> Iterable[Assignment]:
        for item in self._passes.listing:
            if isinstance(item, Assignment):
                yield item
            elif isinstance(item, Place):
                yield from (part.node for part in item.parts if isinstance(part.node, Assignment))


def _key(section: InputSection) -> Key:
    return section.file, section.member, section.index


def _is_orphan(one: Place | Node) -> bool:
    return isinstance(one, Place) and one.node is None


def _places_inputs(node: Node) -> bool:
    return isinstance(node, InputSectionDescription | Command)
