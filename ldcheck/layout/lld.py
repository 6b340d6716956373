"""The location counter by lld's rules (LinkerScript.cpp: assignAddresses, assignOffsets, adjustOutputSections).

Where they are other than GNU ld's: every value is an address, in output sections too; one pass counts for addresses and
symbols alike; what takes no memory leaves the location counter alone; an explicit address is not aligned; a memory
region only ever grows, and gives its address to every section in it; a section without AT() or AT> is loaded where it
runs, or as far from there as the one before. Orphans stand where GNU ld puts them: ahead of the first assignment to the
location counter behind some section. ASSERT is such an assignment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ldcheck.layout.constants import DEFAULT, Region
from ldcheck.layout.facts import UNKNOWN, Known, Reason, known, not_behind
from ldcheck.layout.flow import Flow
from ldcheck.layout.frames import ABSOLUTE, Frame, absolute_value, settled
from ldcheck.layout.names import Section
from ldcheck.layout.traits import Traits, statements
from ldcheck.layout.traits import traits as traits_of
from ldcheck.layout.walk import Walk, joined, merged_end, same
from ldcheck.linker import Linker
from ldcheck.record import replace
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Call,
    Data,
    InputSectionDescription,
    Node,
    OutputSection,
    Overlay,
    ProgramHeaders,
    Script,
    walk,
)
from ldcheck.script.uses import leaves

# Until then an ASSERT fails in the first pass already, which knows nothing of later statements.
_ASKS_LATE = (21,)
# From then on the sections of an overlay take the address of the first, and later that stands like other sections where
# the overlay has no address, or no AT().
_ONE_ADDRESS = (19,)
_LIKE_OTHERS = (21,)
# What of the data statements lld reads.
_SIZES = frozenset(("BYTE", "SHORT", "LONG", "QUAD"))


class LldWalk(Walk):
    """One interpretation by the rules of lld, of one version or of any."""

    def __init__(
        self,
        tree: Script,
        params: dict[str, int],
        records: Mapping[InputSectionDescription, int],
        orphans: bool,
        filled: bool,
        linker: Linker,
        content: Collection[OutputSection] = (),
        resets: bool = True,
    ) -> None:
        super().__init__(tree, params, records, orphans, filled, linker, content, resets)
        self._judge.asks_early = linker.may_be_before(*_ASKS_LATE)
        self._regions = [region for name, region in self._constants.regions.items() if name != DEFAULT]
        self._segments = any(isinstance(node, ProgramHeaders) for node in tree.statements)
        # A section without memory so far, the flags of which an empty one behind it takes over.
        self._may_be_bare = False
        # Whether some section so far went to a region by its flags, or to none.
        self._is_free = False
        # Zeros of threads, which stand behind each other and not where the location counter is.
        self._threaded = False
        self._loads: set[tuple[Region, Region]] = set()
        overlays = (node for node, _ in self._flow.items if isinstance(node, Overlay))
        self._overlaid_data = {one for node in overlays for one in walk(node) if isinstance(one, Data)}

    def _gaps(self) -> Collection[int]:
        return lld_gaps(self._flow)

    def _set(self, dot: Known) -> None:
        self._dot = self._final_dot = dot

    def _orphan(self, index: int, node: Node) -> None:
        """Where lld may place orphan sections: at the location counter, or in the region of the section before.

        One that stands ahead of all sections, or behind one that was given none, goes to a region by its flags.
        """
        del index
        if not self._orphans:
            return
        why = Reason(node, "an orphan section may be placed in front of it")
        self._threaded = True
        if not self._regions:
            self._set(self._dot.grow("orphan sections", why))
            return
        reached = [self._dot]
        for region in self._regions:
            if region.current is region.origin and not (region.attributes and self._is_free):
                continue
            region.current = region.current.grow("orphan sections", why)
            reached.append(region.current)
        self._set(joined(reached))

    # Output sections --------------------------------------------------------------------------------------------------

    def _output_section(self, node: OutputSection, traits: Traits) -> None:
        name = node.name.text
        if name == "/DISCARD/":
            return
        if self._filled:
            traits = traits_of(node, usual=True)
        before, regions, base = self._dot, *self._home(node)
        bare = traits.unallocated or (self._may_be_bare and not self._filled and node not in self._content)
        start = self._start_of(node, base, traits, bare)
        frame = Frame(name, start)
        self._before[node] = before
        self._names.open = name
        end = self._body(node.statements, frame, node, node.address is None)
        self._names.open = ""
        if traits.present and not bare:
            self._points.append(start)
            for statement in statements(node.statements):
                self._points += (self._before[statement], self._after[statement])
        if self._orphans and self._collected.may_grow(node):
            why = Reason(node, "inputs of its own name that no pattern takes join its end")
            end = end.grow(f"end of {name}", why)
        if node.region is not None and node.address is None and not (bare or traits.thread_local):
            end = regions[0].bounded(end)
        self._names.sections.setdefault(name, Section(node, frame, end, UNKNOWN, not traits.present))
        load = self._load_of(node, start, traits, regions)
        self._remember(node, frame, end, load, not traits.present)
        self._pass(node, traits, bare, (before, base, start, end))
        self._fill_regions(node, traits, bare, regions, (base, start, end))
        self._may_be_bare = self._may_be_bare or (traits.unallocated and not self._filled)
        self._threaded = self._threaded or traits.thread_local

    def _home(self, node: OutputSection) -> tuple[list[Region], Known]:
        """The regions that a section may go to, and where the next section of these would start without alignment."""
        if node.region is not None:
            region = self._constants.region_of(node)
            return [region], region.current
        self._is_free = True
        regions = self._constants.attributed()
        if not regions:
            return [], self._dot
        return regions, joined([region.current for region in regions])

    def _start_of(self, node: OutputSection, base: Known, traits: Traits, bare: bool) -> Known:
        name = node.name.text
        power = self._power(node)
        if node.address is not None:
            self._set(base)
            start = self._address(node.address, node)
        elif self._is_aligned_for(node, base):
            start = base
        else:
            because = () if node.align is None else (Reason(node.align, "aligns the start of the section"),)
            why = Reason(node, "starts where the alignment of its inputs lets it")
            start = base.align_unknown(power or 1, name, because, why)
        return self._out_of_turn(node, start, traits, bare)

    def _out_of_turn(self, node: OutputSection, start: Known, traits: Traits, bare: bool) -> Known:
        """Where a section starts that would start at some place, if it takes none of the location counter's."""
        if traits.thread_local and self._threaded and not self._filled:
            return UNKNOWN.with_obstacle(Reason(node, "may stand behind other zeros of threads"))
        if bare:
            why = Reason(node, "may not be allocated")
            return start.join(known(0)).with_obstacle(why)
        return start

    def _pass(self, node: OutputSection, traits: Traits, bare: bool, places: tuple[Known, Known, Known, Known]) -> None:
        """The location counter behind an output section."""
        before, base, start, end = places
        fluid = not (bare or traits.thread_local or traits.conditional or node.name.text in self._flow.mentioned)
        open_ended = fluid and not traits.present and end.anchor is not start.anchor
        if fluid and self._has_content(node, traits):
            self._set(end)
        elif fluid and node.address is None and same(base, before):
            self._set(merged_end(before, end))
        elif bare and not traits.thread_local and node.address is None and same(base, before):
            # What has no memory leaves the location counter where it was.
            self._set(before.grow(f"end of {node.name.text}", Reason(node, "may not be allocated")))
        else:
            dot = before.join(end)
            self._set(dot.past(end) if open_ended else dot)

    def _has_content(self, node: OutputSection, traits: Traits) -> bool:
        """Whether a section that takes memory is in the image."""
        return traits.present or self._filled or node in self._content

    def _fill_regions(
        self,
        node: OutputSection,
        traits: Traits,
        bare: bool,
        regions: list[Region],
        places: tuple[Known, Known, Known],
    ) -> None:
        """What a section takes of the regions that it may be in, and of the one that it is loaded from."""
        base, start, end = places
        fluid = not (bare or traits.thread_local or traits.conditional or node.name.text in self._flow.mentioned)
        ahead = node.address is None or not_behind(base, start)
        why = Reason(node, "takes room in its region")
        for region in regions:
            if not ahead or traits.thread_local or (bare and node.address is None):
                region.current = region.current.grow(f"end of {node.name.text}", why)
            elif node.region is None or not fluid:
                region.current = region.current.join(end)
            elif self._has_content(node, traits):
                region.current = end
            elif node.address is None:
                region.current = merged_end(region.current, end)
            else:
                region.current = region.current.join(end)
        loaded = self._constants.region(node.load_region.text) if node.load_region is not None else None
        if loaded is not None and loaded not in regions:
            loaded.current = loaded.current.grow("load addresses", Reason(node, "may be loaded from there"))

    def _load_of(self, node: OutputSection, start: Known, traits: Traits, regions: list[Region]) -> Known:
        apart = node.load_address is not None or node.load_region is not None
        if self._segments or traits.thread_local or traits.unallocated:
            # Segments of the script's own have one distance between the two for all that is in them.
            known_here = not (self._loads_apart or apart or self._flow.loads_by_segment)
            self._loads_apart = self._loads_apart or apart
            return start if known_here else UNKNOWN
        if node.load_address is not None:
            self._loads_apart = True
            value, late = self._names.evaluate(node.load_address, ABSOLUTE, absolute_value(start))
            return UNKNOWN if late else settled(value, ABSOLUTE).absolute()
        if node.load_region is None:
            return UNKNOWN if self._loads_apart else start
        self._loads_apart = True
        loaded, power = self._constants.region(node.load_region.text), self._power(node)
        if loaded is None or len(regions) != 1 or (pair := (regions[0], loaded)) in self._loads:
            return UNKNOWN
        self._loads.add(pair)
        if loaded is regions[0]:
            return start if node.address is None else UNKNOWN
        place = loaded.current
        if node.address is None:
            place = place.grow("padding", Reason(node, "what aligns its address takes room there as well"))
        return place.align_unknown(power or 1, "load address")

    def _overlay(self, node: Overlay) -> None:
        """Sections at one address, each loaded behind the one before; the location counter goes on behind the longest.

        None of them is aligned, but for the first one where there is no address. They hold inputs only, and orphans may
        stand behind each of them. The first one is there in any case, and its address is that of the others; until 19
        it may be dropped, and the address is computed anew for each section, and once more behind them.
        """
        older, newer = self._linker.may_be_before(*_ONE_ADDRESS), not self._linker.is_before(*_ONE_ADDRESS)
        self._is_free = self._is_free or node.region is None
        first = load = UNKNOWN
        for at, section in enumerate(node.sections):
            before = self._dot
            usual = traits_of(section, usual=True) if self._filled else self._flow.traits[section]
            traits = replace(usual, present=self._filled or (at == 0 and not older))
            starts = [first] if newer and at else []
            if older or at == 0:
                self._set(self._base_of_overlay(node))
                starts.append(self._address_of_overlay(node))
            if at == 0 and node.address is None and not self._linker.is_before(*_LIKE_OTHERS):
                why = Reason(section, "starts where the alignment of its inputs lets it")
                starts.append(self._dot.align_unknown(1, section.name.text, (), why))
            bare = traits.unallocated or (self._may_be_bare and not self._filled)
            start = self._out_of_turn(section, joined(starts), traits, bare)
            if at == 0:
                first, load = start, self._load_of_overlay(node, start)
                self._loads_apart = True
            apart = bare or traits.thread_local
            end = self._overlaid(section, node, start, UNKNOWN if apart else load, traits)
            self._set(end if traits.present and not apart else before.join(end))
            load = load.grow(f"load address behind {section.name.text}")
            if apart:
                load = UNKNOWN
            elif not traits.present:
                # What is dropped is loaded from 0, and takes no room.
                load = load.join(known(0))
            self._may_be_bare = self._may_be_bare or (traits.unallocated and not self._filled)
            self._threaded = self._threaded or traits.thread_local
            self._orphan(0, section)
        starts = [first] if newer else []
        if older:
            starts.append(self._address_of_overlay(node))
        self._set(joined(starts).grow("end of the overlay", Reason(node, "ends with its longest section")))

    def _base_of_overlay(self, node: Overlay) -> Known:
        """The location counter ahead of the next section of an overlay, if that is there."""
        if node.region is not None and self._regions:
            return self._constants.region_of(node).current
        return joined([region.current for region in self._constants.attributed()] or [self._dot])

    def _address_of_overlay(self, node: Overlay) -> Known:
        return self._dot if node.address is None else self._address(node.address, node)

    def _load_of_overlay(self, node: Overlay, start: Known) -> Known:
        """Where the first section of an overlay is loaded from."""
        if node.load_region is not None or self._segments:
            return UNKNOWN
        if node.load_address is None:
            return UNKNOWN if self._loads_apart and not self._linker.is_before(*_LIKE_OTHERS) else start
        value, late = self._names.evaluate(node.load_address, ABSOLUTE, absolute_value(start))
        return UNKNOWN if late else settled(value, ABSOLUTE).absolute()

    def _overlaid(self, section: OutputSection, overlay: Overlay, start: Known, load: Known, traits: Traits) -> Known:
        """One section of an overlay; its end."""
        name = section.name.text
        frame = Frame(name, start)
        self._before[section] = start
        self._names.open = name
        end = self._body(section.statements, frame, section, False, overlay.subalign)
        self._names.open = ""
        if traits.present and not traits.unallocated:
            self._points += (start, end)
        if self._orphans and self._collected.may_grow(section):
            why = Reason(section, "inputs of its own name that no pattern takes join its end")
            end = end.grow(f"end of {name}", why)
        self._remember(section, frame, end, load, not traits.present)
        self._after[section] = end
        why = Reason(section, "takes room in its region")
        regions = [self._constants.region_of(overlay)] if overlay.region is not None else self._constants.attributed()
        for region in regions:
            region.current = region.current.grow(f"end of {name}", why)
        return end

    def _power(self, node: OutputSection) -> int | None:
        return self._constants.power(node.align)

    def _size_of(self, node: Data) -> int | None:
        # In an overlay, `BYTE(1)` means sections `1` of a file BYTE.
        return super()._size_of(node) if node.keyword in _SIZES and node not in self._overlaid_data else 0


def lld_gaps(found: Flow) -> set[int]:
    """The places for orphan sections (Writer.cpp: findOrphanPos): ahead of the item of each number."""
    places = [at for at, (node, _) in enumerate(found.items) if isinstance(node, OutputSection | Overlay)]
    gaps = {len(found.items)}
    ends = {*places, len(found.items)}
    for kinds in (Assignment, (Assignment, Assertion)):
        for gap, behind in enumerate([-1, *places]):
            stop = places[gap] if gap < len(places) else len(found.items)
            between = (at for at in range(behind + 1, stop) if isinstance(found.items[at][0], kinds))
            moves = [at for at in between if _moves(found.items[at][0])]
            if behind == -1:
                # The first assignment sets where everything begins.
                del moves[:1]
            gaps.add(moves[0] if moves else stop)
        every = [at for at, (node, _) in enumerate(found.items) if isinstance(node, kinds) and _moves(node)]
        if every and not any(traits is not None and traits.present for _, traits in found.items[: every[0]]):
            # That may be all that there is in front of it.
            gaps.add(min(at for at in {*every[1:], *ends} if at > every[0]))
    return gaps | {at for at, (node, _) in enumerate(found.items) if _ends_relro(node)}


def _moves(node: Node) -> bool:
    return not isinstance(node, Assignment) or node.target.text == "."


def _ends_relro(node: Node) -> bool:
    """Whether lld puts its own padding ahead of a statement."""
    return isinstance(node, Assignment) and any(
        isinstance(part, Call) and part.function == "DATA_SEGMENT_RELRO_END" for part in leaves(node.value)
    )
