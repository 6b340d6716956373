"""What ld makes of sections once it has laid them out a first time: unwinding information, and orders by others.

Entries of functions that are not in the image go, common parts are merged (bfd/elf-eh-frame.c, bfd/elflink.c:
bfd_elf_discard_info), the index tables of arm lose what is there twice and end (bfd/elf32-arm.c:
elf32_arm_fix_exidx_coverage), and sections with SHF_LINK_ORDER come in the order of those that they are linked to
(ld/ldelfgen.c: fixup_link_order).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from ldcheck.image.definitions import Definitions
from ldcheck.image.frames import Frame, Key, Target
from ldcheck.image.model import InputSection
from ldcheck.layout.knowledge import Knowledge, NotPredicted, Part, Place
from ldcheck.sections.rules import InputRule

_EH_FRAME, _HEADER = ".eh_frame", ".eh_frame_hdr"
_HEADER_SIZE, _HEADER_ENTRY = 12, 8
_SHF_EXECINSTR, _SHF_LINK_ORDER = 0x4, 0x80
_INDEX = "ARM_EXIDX"
# The second word of an index entry: no unwinding, and the bit of instructions in the word itself.
_CANNOT, _INLINED = 1, 0x80000000
_ENTRY = 8


def is_rewritten(section: InputSection) -> bool:
    """Whether the size of an input is worked out here."""
    return section.name == _EH_FRAME or section.type == _INDEX


class Rewriting:
    """The rewriting of one link; `places` are its output sections in their order, `takers` the rules by id of input."""

    def __init__(
        self,
        known: Knowledge,
        places: Sequence[Place],
        objects: Definitions,
        takers: Mapping[int, InputRule | None],
        order: Mapping[Key, int],
    ) -> None:
        self._known = known
        self._places = places
        self._objects = objects
        self._takers = takers
        self._order = order

    def resize(self, arch: str) -> bool:
        """Give what is rewritten its size; whether ld lays out anew because of it."""
        tables = [place for place in self._places if place.name == _EH_FRAME and place.exists]
        if len(tables) > 1:
            raise NotPredicted("there are several output sections .eh_frame, of which ld looks at one", tables[1].node)
        if arch == "arm32":
            self._resize_indices()
        return bool(tables) and self._resize_frames(tables[0])

    # Tables of entries (.eh_frame) ------------------------------------------------------------------------------------

    def _resize_frames(self, place: Place) -> bool:
        parts = [part for part in place.parts if part.input is not None]
        before = [part.size for part in parts]
        seen: set[object] = set()
        count = 0
        for part in parts:
            if not part.size:
                continue
            frames = self._frames(part)
            kept = self._kept(frames, _key(part), seen, is_last=part is parts[-1])
            count += sum(1 for frame in kept if not frame.is_common and not frame.is_terminator)
            part.size = _size(kept)
        filled = [at for at, part in enumerate(parts) if part.size > 4]
        for at, part in enumerate(parts):
            if not filled or at > filled[-1]:
                part.excluded = part.excluded or not part.size
            elif at < filled[-1]:
                # No zeros may stand between two tables: they would end the first.
                part.size = -(-part.size // place.align) * place.align
        changed = before != [part.size for part in parts]
        return self._resize_header(count) or changed

    def _resize_header(self, count: int) -> bool:
        """The table of --eh-frame-hdr has an entry for each function."""
        assert self._known.mapped is not None
        found = [part for _, part in self._known.mapped.values() if part.input and part.input.name == _HEADER]
        made = [part for part in found if part.input is not None and part.input.index < 0]
        for part in made:
            part.size = _HEADER_SIZE + _HEADER_ENTRY * count
        return bool(made)

    def _frames(self, part: Part) -> tuple[Frame, ...]:
        frames = self._objects.needs.frames.get(_key(part))
        if frames is None:
            assert part.input is not None
            raise NotPredicted(f"{part.input.name} of {part.input.file} is not as ld takes it apart")
        return frames

    def _kept(self, frames: Sequence[Frame], key: Key, seen: set[object], *, is_last: bool) -> list[Frame]:
        """The entries that stay; `seen` are the common parts that the link has so far."""
        common = {frame.offset: frame for frame in frames if frame.is_common}
        decided: dict[int, bool] = {}
        kept: set[int] = set()
        for frame in frames:
            if frame.is_terminator:
                kept.update([frame.offset] if is_last else ())
            elif not frame.is_common and frame.cie is not None and self._is_alive(frame.function, key):
                kept.add(frame.offset)
                if frame.cie not in decided:
                    identity = common[frame.cie].identity
                    decided[frame.cie] = identity is None or identity not in seen
                    seen.add(identity)
        return [frame for frame in frames if frame.offset in kept or decided.get(frame.offset)]

    def _is_alive(self, function: Target | None, key: Key) -> bool:
        """Whether the function of an entry is in the image, from the entry's own object."""
        assert self._known.mapped is not None
        if function is None:
            return False
        if not isinstance(function, str):
            return function in self._known.mapped
        definition = self._objects.defined.get(function)
        if definition is None:
            found = self._known.symbols.get(function)
            return found is None or found.value is None
        home = definition.input
        return home is not None and home[:2] == key[:2] and home in self._known.mapped

    # Index tables of arm ----------------------------------------------------------------------------------------------

    def _resize_indices(self) -> None:
        assert self._known.mapped is not None
        mapped = self._known.mapped
        indices: dict[Key, Part] = {}
        for key in sorted(mapped, key=lambda key: self._order.get(key, -1)):
            part = mapped[key][1]
            if part.input is not None and part.input.type == _INDEX and part.input.link:
                indices[part.input.file, part.input.member, part.input.link] = part
        if not indices:
            return
        # The last entry: 0 for none to unwind by, 1 for an inlined one, 2 for one in a table; and its word.
        kind, word = -1, 0
        last: Part | None = None
        for code in self._code(mapped):
            index = indices.get(_key(code))
            if index is None:
                if kind and last is not None and code.size:
                    last.size += _ENTRY
                    kind = 0
                continue
            words = self._objects.indices.get(_key(index))
            if words is None:
                raise NotPredicted(f"the index table of {_key(code)[0]} cannot be read")
            if kind > 0 and last is not None and words[:1] != (0,):
                last.size += _ENTRY
                kind = 0
            for second in words[1::2]:
                if second == _CANNOT:
                    index.size -= _ENTRY * (kind == 0)
                    kind = 0
                elif second & _INLINED:
                    index.size -= _ENTRY * (kind == 1 and word == second)
                    kind, word = 1, second
                else:
                    kind = 2
            last = index
        if last is not None and kind:
            last.size += _ENTRY

    def _code(self, mapped: Mapping[Key, tuple[Place, Part]]) -> list[Part]:
        """The input sections of code by their addresses, those at one address in the order of the link."""
        found = [
            part
            for _, part in mapped.values()
            if part.input is not None
            and part.input.index >= 0
            and part.input.type == "PROGBITS"
            and part.input.flags & _SHF_EXECINSTR
        ]
        return sorted(found, key=lambda part: (part.address, self._order.get(_key(part), -1)))

    # Orders by other sections -----------------------------------------------------------------------------------------

    def reorder(self) -> bool:
        """Put sections into the order of those that they are linked to; whether any changed its place."""
        moved = [self._reorder(place) for place in self._places if place.exists and not place.excluded]
        return any(moved)

    def _reorder(self, place: Place) -> bool:
        slots = [at for at, part in enumerate(place.parts) if part.input is not None]
        parts = [place.parts[at] for at in slots]
        if not any(self._linked(part) for part in parts):
            return False
        ordered: list[Part] = []
        for _, run in groupby(parts, key=self._pattern):
            ordered += sorted(run, key=self._rank)
        for at, part in zip(slots, ordered, strict=True):
            place.parts[at] = part
        return ordered != parts

    def _linked(self, part: Part) -> Key | None:
        section = part.input
        if section is None or section.index < 0 or not section.flags & _SHF_LINK_ORDER or not section.link:
            return None
        return section.file, section.member, section.link

    def _pattern(self, part: Part) -> int:
        """What is the same for sections that one pattern has taken."""
        rule = self._takers.get(id(part.input))
        return -1 if rule is None or rule.pattern is None else rule.index

    def _rank(self, part: Part) -> tuple[int, int, int, int]:
        assert self._known.mapped is not None
        linked = self._linked(part)
        if linked is None:
            return -1, 0, 0, 0
        if linked not in self._known.mapped:
            assert part.input is not None
            raise NotPredicted(f"{part.input.name} of {part.input.file} is linked to what is not in the image")
        place, other = self._known.mapped[linked]
        return 0, other.address - place.address + place.load, other.size, other.address


def _key(part: Part) -> Key:
    assert part.input is not None
    return part.input.file, part.input.member, part.input.index


def _size(frames: Iterable[Frame]) -> int:
    """The bytes that entries take one behind the other."""
    size = 0
    for frame in frames:
        size = -(-size // frame.align) * frame.align + frame.size
    return -(-size // 4) * 4
