"""Where GNU ld puts input sections that no pattern takes (ldelf.c: ldelf_place_orphan, ldlang.c: lang_insert_orphan).

An orphan joins an output section of its own name if type and loading agree, else it gets a new one, behind the output
section that is most like it.

Left out: SHF_GNU_MBIND, sections that only differ in sh_info, --orphan-handling and --unique.
"""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.image.model import InputSection
from ldcheck.linker import GNU, Linker
from ldcheck.sections.mapping import Mapping
from ldcheck.sections.outputs import (
    ALLOC,
    CODE,
    DATA,
    DEBUGGING,
    HAS_CONTENTS,
    LOAD,
    READONLY,
    SMALL_DATA,
    THREAD_LOCAL,
    Output,
    input_flags,
)
from ldcheck.sections.rules import DISCARD

# The first versions that were seen to place orphans otherwise: notes, and those of the name of a section with a type.
NOTES_MOVED = (2, 44)
_TYPED = (2, 47)

_LOADED = HAS_CONTENTS | ALLOC | LOAD
_EXACT = _LOADED | READONLY | CODE | SMALL_DATA | THREAD_LOCAL


class _Place:
    """Where orphans of one kind go: behind `output`, and once there are some, behind the last of them.

    `section` is the place among the sections of the file: None if unknown, else a list of the section it is behind.
    """

    __slots__ = ("flags", "last", "name", "output", "section")

    def __init__(self, name: str, flags: int) -> None:
        self.name = name
        self.flags = flags
        self.output: Output | None = None
        self.last: Output | None = None
        self.section: list[Output | None] | None = None


class Orphans:
    """The placement of all orphans of a link, one after the other; it changes the mapping.

    `linker` is GNU ld of a version: newer ones put notes behind .interp only where there is one, and still newer ones
    put an orphan of any kind into the output section of its name that the script gives a type.
    """

    def __init__(self, mapping: Mapping, linker: Linker = GNU) -> None:
        self.mapping = mapping
        self.notes_apart = linker.may_be_before(*NOTES_MOVED)
        self.types_apart = linker.may_be_before(*_TYPED)
        self.first_note: Output | None = None
        self.ready = False
        self.places = {
            "text": _Place(".text", _LOADED | READONLY | CODE),
            "rodata": _Place(".rodata", _LOADED | READONLY | DATA),
            "tdata": _Place(".tdata", _LOADED | DATA | THREAD_LOCAL),
            "data": _Place(".data", _LOADED | DATA),
            "bss": _Place(".bss", ALLOC),
            "rel": _Place("", _LOADED | READONLY | DATA),
            "interp": _Place(".interp", _LOADED | READONLY | DATA),
            "sdata": _Place(".sdata", _LOADED | DATA | SMALL_DATA),
            "nonalloc": _Place(".comment", HAS_CONTENTS),
        }

    def place(self, sections: Sequence[InputSection]) -> list[InputSection]:
        """Place the orphans, which come in the order of the link (ldlang.c: lang_place_orphans).

        Returns those that are thrown away: common symbols, if the first statement for them is one of /DISCARD/.
        """
        thrown: list[InputSection] = []
        waiting: dict[str, list[InputSection]] = {}
        for section in reversed(sections):
            waiting.setdefault(section.name, []).append(section)
        for section in sections:
            same = waiting[section.name]
            same.pop()
            if section.name != "COMMON":
                self._place(section, same)
            elif self.mapping.common is not None and self.mapping.common.name == DISCARD:
                thrown.append(section)
            else:
                self._place_common(section)
        return thrown

    def _place_common(self, section: InputSection) -> None:
        mapping = self.mapping
        if mapping.common is None:
            output = mapping.find(".bss")
            if output is None:
                output = Output(".bss", None)
                mapping.enter(output)
            mapping.common = output
        mapping.add(mapping.common, section)

    def _place(self, section: InputSection, later: Sequence[InputSection]) -> None:
        mapping = self.mapping
        name, flags = section.name, input_flags(section)
        dynamic = bool(flags & ALLOC) and section.type in ("RELA", "REL")
        if dynamic:
            name = ".rela.dyn" if section.type == "RELA" else ".rel.dyn"
        unused: Output | None = None
        for output in mapping.by_name.get(name, ()):
            if output.constraint < 0:
                continue
            if not output.created:
                unused = output
            elif (
                output.flags == 0
                or (output.kind and not self.types_apart)
                or (not (flags ^ output.flags) & (LOAD | ALLOC) and output.type == section.type)
            ):
                mapping.add(output, section)
                return
        if unused is not None:
            mapping.add(unused, section)
            return
        self._prepare()
        for other in later:
            theirs = input_flags(other)
            if not (theirs ^ flags) & (LOAD | ALLOC) and other.type == section.type:
                flags = ((flags ^ READONLY) | (theirs ^ READONLY)) ^ READONLY
        place = self._kind(section, flags)
        new = Output(name, None)
        if place is None:
            mapping.enter(new)
            mapping.add(new, section)
            return
        if place.output is None:
            place.output = (
                mapping.find(place.name) if place.name else self._relocations(dynamic, section.type == "RELA")
            )
        behind = place.output
        if behind is None:
            behind, exact = self._similar(section.type, flags)
            if exact:
                place.output = behind
        self._insert(new, section, place, behind)

    def _prepare(self) -> None:
        """The usual outputs look like what they usually hold, as long as nothing was put into them."""
        if self.ready:
            return
        self.ready = True
        for place in self.places.values():
            if place.name:
                place.output = self.mapping.find(place.name)
                if place.output is not None and place.output.statement_flags == 0:
                    place.output.statement_flags = place.flags

    def _kind(self, section: InputSection, flags: int) -> _Place | None:
        """Which kind of orphan a section is; None for debugging information, which goes to the end."""
        places = self.places
        if not flags & (ALLOC | DEBUGGING):
            return places["nonalloc"]
        if not flags & ALLOC:
            return None
        if flags & LOAD and section.type == "NOTE":
            if self.notes_apart:
                return places["interp"]
            return places[next((kind for kind in ("interp", "rodata") if self.mapping.find(places[kind].name)), "text")]
        if not flags & (LOAD | HAS_CONTENTS | THREAD_LOCAL):
            return places["bss"]
        if flags & SMALL_DATA:
            return places["sdata"]
        if flags & THREAD_LOCAL:
            return places["tdata"]
        if not flags & READONLY:
            return places["data"]
        if flags & LOAD and section.type in ("RELA", "REL"):
            return places["rel"]
        return places["text" if flags & CODE else "rodata"]

    def _relocations(self, dynamic: bool, addends: bool) -> Output | None:
        """The output that relocation sections go behind (ldelf.c: output_rel_find)."""
        last: Output | None = None
        allocated: Output | None = None
        readonly: Output | None = None
        relocations: Output | None = None
        for output in self.mapping.order:
            if output.constraint >= 0 and output.name.startswith(".rel"):
                theirs = output.name[4:5] == "a"
                if dynamic or output.name[4 + theirs :] == ".plt":
                    break
                if theirs == addends or relocations is None:
                    relocations = output
            last = output
            if output.created and output.flags & ALLOC:
                allocated = output
                if output.flags & READONLY:
                    readonly = output
        return relocations or readonly or allocated or last

    def _similar(self, kind: str, flags: int) -> tuple[Output | None, bool]:
        """The output most like an orphan, and whether it is exactly like it (lang_output_section_find_by_flags).

        None stands for the beginning. Types have to agree if they can.
        """
        found = self._last(_EXACT, flags, kind)
        if found is not None:
            return found, True
        found = self._roughly(flags, kind)
        if found is None and flags & ALLOC:
            exact = self._last(_EXACT, flags, None)
            if exact is not None:
                return exact, False
            found = self._roughly(flags, None)
        return found, False

    def _last(self, compared: int, flags: int, kind: str | None) -> Output | None:
        found: Output | None = None
        for output in self.mapping.order:
            if (kind is None or not output.created or output.type == kind) and not (output.looks ^ flags) & compared:
                found = output
        return found

    def _roughly(self, flags: int, kind: str | None) -> Output | None:
        if not flags & ALLOC:
            found: Output | None = None
            for output in self.mapping.order:
                if not (output.looks ^ flags) & DEBUGGING:
                    found = output
            return found
        if flags & CODE:
            return self._last(_LOADED | CODE | SMALL_DATA | THREAD_LOCAL, flags, kind)
        if flags & READONLY:
            # Everything is compared that the two tests of ld compare, small data apart.
            return self._last(_LOADED | READONLY, flags, kind)
        if flags & THREAD_LOCAL:
            return self._thread_local(flags)
        if flags & HAS_CONTENTS:
            return self._last(_LOADED | SMALL_DATA | THREAD_LOCAL, flags, kind)
        return self._last(ALLOC, flags, kind)

    def _thread_local(self, flags: int) -> Output | None:
        found: Output | None = None
        seen = False
        for output in self.mapping.order:
            differ = output.looks ^ (flags | LOAD | HAS_CONTENTS)
            if not differ & (THREAD_LOCAL | ALLOC):
                if not output.looks & LOAD and flags & LOAD:
                    break
                found = output
                seen = True
            elif seen:
                break
            elif not differ & _LOADED:
                found = output
        return found

    def _insert(self, new: Output, section: InputSection, place: _Place, behind: Output | None) -> None:
        """Add an output for an orphan, behind `behind` or the orphans of its kind (ldlang.c: lang_insert_orphan)."""
        mapping = self.mapping
        if behind is not None and input_flags(section) & (ALLOC | LOAD):
            new.beside = behind
        mapping.enter(new)
        mapping.add(new, section)
        mapping.order.remove(new)
        mapping.listing.remove(new)
        made = mapping.made
        if place.section is None:
            anchor = mapping.last_made(behind)
            place.section = [anchor if anchor is not new else None]
        # The new section still stands at the end of the file's sections, where ld sees it as what follows the last one.
        following = made.after[place.section[0]]
        moved = False
        if following is not None:
            note = section.type == "NOTE" and bool(input_flags(section) & LOAD)
            target: Output | None = None
            ahead = False
            if note or _is_note(following):
                moved, ahead, target = self._among_notes(new, section, note, following)
            if target is not None and moved:
                behind = mapping.order.before[target] if ahead else target
                following = target if ahead else made.after[target]
            if following is not new and (following is None or made.before[following] is not new):
                made.remove(new)
                made.insert(new, made.before[following])
        place.section = [new]
        if moved or place.last is None:
            mapping.insert(new, behind)
        else:
            mapping.order.insert(new, place.last)
            mapping.listing.insert(new, place.last)
        place.last = new

    def _among_notes(
        self, new: Output, section: InputSection, note: bool, following: Output
    ) -> tuple[bool, bool, Output]:
        """Keep notes together, sorted by alignment: whether to move, whether ahead of an output, and that output."""
        made = self.mapping.made
        target: Output | None = None
        if note:
            self.first_note = None
            for output in made:
                if output is not new and _is_note(output):
                    self.first_note = self.first_note or output
                    if max(output.alignment, 1) >= section.align:
                        target = output
                elif self.first_note is not None:
                    break
            if self.first_note is None:
                return False, False, following
            return (True, False, target) if target is not None else (True, True, self.first_note)
        if self.first_note is None:
            return False, False, following
        target = following
        at = made.after[following]
        while at is not None:
            if _is_note(at):
                target = at
            at = made.after[at]
        return True, False, target


def _is_note(output: Output) -> bool:
    return output.type == "NOTE" and bool(output.flags & LOAD)
