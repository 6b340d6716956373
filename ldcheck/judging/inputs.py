"""The input sections of a map, found by name, and what the script has to do with each.

A map has hundreds of thousands of inputs, and most rules ask for a few by name: the names are sorted once, and a
pattern looks through those that begin as it does. Which statement took an input, a map of GNU ld says and one of lld
does not; the script says it for both, as far as names and files decide it. What a map of lld leaves out, `unlisted`
looks for in the objects.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from ldcheck.judging.unlisted import Unlisted
from ldcheck.sections.families import Family, project_family_of
from ldcheck.sections.globs import Glob, section_glob
from ldcheck.sections.matching import Matcher
from ldcheck.sections.reach import reaching
from ldcheck.sections.rules import InputRule, input_rules

if TYPE_CHECKING:
    from ldcheck.image.model import Elf, InputSection, LinkMap, MapInput, MapSection

Placed = tuple["MapSection", "MapInput"]

# What lld merges or makes itself is booked on this file.
INTERNAL = "<internal>"
# What lld makes itself, and what has a form of its own and is never merged, although it is read-only.
_UNMERGED = (
    ".ARM", ".MIPS", ".branch_lt", ".bss", ".dyn", ".eh_frame", ".gcc_except_table", ".gnu.hash", ".gnu.version",
    ".got", ".hash", ".interp", ".iplt", ".note", ".plt", ".rel", ".shstrtab", ".strtab", ".symtab",
)  # fmt: skip


class LinkedInputs:
    """The inputs of one map. `rules` are those of the script that made it, none if that is not known."""

    def __init__(
        self,
        link_map: LinkMap | None,
        elf: Elf | None,
        rules: Sequence[InputRule] | None,
        objects: Sequence[InputSection] | None = None,
    ) -> None:
        self._map = link_map
        self._objects = objects
        self._merged: list[Placed] = []
        told = elf is not None and bool(elf.sections)
        self._allocated = {one.name for one in elf.sections if one.allocated} if elf is not None and told else None
        self._matcher = Matcher(rules) if rules is not None else None
        self._filled = {rule.output for rule in rules or ()}
        self._everywhere: dict[str, tuple[InputRule, ...]] = {}
        self._takers: dict[tuple[str, str, str], tuple[InputRule, ...]] = {}
        self._linked: dict[str, list[Placed]] = {}
        self._loaded: list[Placed] = []
        for section in link_map.sections if link_map is not None else ():
            placed = [(section, part) for part in section.inputs if part.size]
            for one in placed:
                self._linked.setdefault(one[1].name, []).append(one)
            if placed and self.is_loaded(section):
                self._loaded += placed
                self._merged += [one for one in placed if _is_merged(*one)]
        self._dropped: dict[str, list[MapInput]] = {}
        for part in link_map.discarded if link_map is not None else ():
            if part.size:
                self._dropped.setdefault(part.name, []).append(part)
        self._names = sorted(self._linked)
        self._dropped_names = sorted(self._dropped)

    def named(self, *globs: Glob) -> list[Placed]:
        """The inputs of some content that one of the patterns matches, in the order of the map."""
        names = dict.fromkeys(name for glob in globs for name in _matching(glob, self._names))
        found = [placed for name in names for placed in self._linked[name]]
        return found if len(names) < 2 else sorted(found, key=lambda placed: placed[1].line)

    def dropped(self, *globs: Glob) -> list[MapInput]:
        """The inputs of some content that one of the patterns matches and that the map lists as discarded."""
        names = dict.fromkeys(name for glob in globs for name in _matching(glob, self._dropped_names))
        return [part for name in names for part in self._dropped[name]]

    def merged(self, *names: str) -> list[Placed]:
        """What lld merged and inputs of these names (or patterns) may be part of, without a name of their own there.

        A name that the map shows by itself is none of them, nor is one of what is never merged or has its place
        elsewhere by the script, nor one that objects have and do not let merge.
        """
        return [
            (section, part) for section, part in self._merged if any(self._may_hold(section, name) for name in names)
        ]

    def _may_hold(self, section: MapSection, name: str) -> bool:
        glob = section_glob(name)
        if glob.matches(section.name) or glob.literal in self._linked or not _may_merge(glob):
            return False
        mergeable = (one.mergeable and glob.matches(one.name) for one in self._objects or ())
        if self.unlisted.complete and not any(mergeable):
            return False
        if self._matcher is None:
            return True
        found = reaching(self._matcher.rules, name)
        takers = [*found.undecided, *(taker for taker, _ in found.takers)]
        return any(taker.output == section.name for taker in takers)

    @cached_property
    def unlisted(self) -> Unlisted:
        """What the objects have and the map of lld does not."""
        return Unlisted(self._map, self._objects)

    def is_loaded(self, section: MapSection) -> bool:
        """Whether an output section takes memory in the image; without the ELF, as its name tells."""
        return is_called_loaded(section) if self._allocated is None else section.name in self._allocated

    def loaded(self) -> Sequence[Placed]:
        """Every input of some content that takes memory in the image, in the order of the map."""
        return self._loaded

    def untold(self) -> list[Placed]:
        """The inputs of which a map of lld does not tell where they lie.

        It counts the pieces of .eh_frame from the start of an output section that has something else as well.
        """
        found = self._linked.get(".eh_frame", ()) if self._map is not None and self._map.linker == "lld" else ()
        return [(section, part) for section, part in found if section.name != ".eh_frame"]

    def rules(self, part: MapInput) -> tuple[InputRule, ...]:
        """The rules of the script that name and file of an input satisfy, in the order in which they are tried."""
        known = self._everywhere.get(part.name)
        if known is None:
            key = (part.name, part.file, part.member)
            known = self._takers.get(key)
            if known is None:
                known = self._takers[key] = self._find(part)
        return known

    def _find(self, part: MapInput) -> tuple[InputRule, ...]:
        named = self._matcher.named(part.name) if self._matcher is not None else ()
        if all(rule.files.everything for rule in named):
            # Mostly the name alone tells.
            self._everywhere[part.name] = named
            return named
        file, archive = (part.member, part.file) if part.member else (part.file, None)
        return tuple(rule for rule in named if rule.files.takes(file, archive))

    def taker(self, section: MapSection, part: MapInput) -> InputRule | None:
        """The rule of the script that took an input, going by where it lies; None where that is not certain."""
        first = next((rule for rule in self.rules(part) if rule.output == section.name), None)
        return first if first is not None and first.is_unconditional else None

    def is_orphan(self, section: MapSection, part: MapInput) -> bool | None:
        """Whether no statement took an input; None where neither map nor script tells."""
        assert self._map is not None
        told = self._map.linker != "lld"
        if told and not part.pattern:
            return True
        if self._matcher is None:
            # What joined an output section of its name is printed below the last pattern there.
            return (part.name == section.name and not _is_in(part)) if told else None
        if part.file == INTERNAL and part.name == section.name:
            # Pieces of several names became one of the output section's name: an orphan among them has just that.
            return True if section.name not in self._filled else self._may_hide_orphan(section, part)
        rules = self.rules(part)
        if not rules or any(rule.is_unconditional for rule in rules) or self._is_choice(rules):
            return not rules
        # Below a pattern that did not take it, a map of GNU ld prints only what joins the output section of its name.
        return False if told and part.name not in (section.name, "COMMON") else None

    def _may_hide_orphan(self, section: MapSection, part: MapInput) -> bool | None:
        """None where an input of the output section's name may have been merged without a statement; else False."""
        assert self._matcher is not None
        rules = self._matcher.named(part.name) if _is_merged(section, part) else ()
        taken = any(rule.is_unconditional and rule.files.everything for rule in rules)
        return None if rules and not taken else False

    def _is_choice(self, rules: Sequence[InputRule]) -> bool:
        """Whether there are a section with ONLY_IF_RO and one with ONLY_IF_RW that take the same: a link has one."""
        assert self._matcher is not None
        asking = {id(rule.section): rule.constraint for rule in rules if not (rule.required or rule.forbidden)}
        taken: dict[int, list[str]] = {}
        for rule in self._matcher.rules:
            taken.setdefault(id(rule.section), []).append(rule.text)
        either = [{*taken[key]} for key, constraint in asking.items() if constraint == "ONLY_IF_RO"]
        other = [{*taken[key]} for key, constraint in asking.items() if constraint == "ONLY_IF_RW"]
        return any(texts in other for texts in either)

    def doubtful(self) -> list[Placed]:
        """The inputs that take memory and of which flags decide whether a statement took them or not, by address."""
        found = self.loaded() if self._matcher is not None else ()
        return sorted((one for one in found if self.is_orphan(*one) is None), key=lambda placed: placed[1].address)

    def orphans(self) -> list[Placed] | None:
        """The inputs that take memory and that no statement took, by address; None where nothing tells."""
        if self._map is None or (self._map.linker == "lld" and self._matcher is None):
            return None
        found = [placed for placed in self.loaded() if self.is_orphan(*placed)]
        return sorted(found, key=lambda placed: placed[1].address)


def is_called_loaded(section: MapSection) -> bool:
    """Whether an output section takes memory in the image, going by its name.

    One for relocations does not if it has no address: they were processed, and --emit-relocs left them.
    """
    from ldcheck.layout.traits import is_unallocated

    is_left = section.name.startswith(".rel") and section.address == 0
    return section.present and not is_left and not is_unallocated(section.name)


def _is_merged(section: MapSection, part: MapInput) -> bool:
    """Whether an input is what lld merged of several: it has the name of its output section then."""
    return part.file == INTERNAL and part.name == section.name and not part.name.startswith(_UNMERGED)


def _may_merge(glob: Glob) -> bool:
    """Whether inputs of such names may be mergeable: lld refuses that for what is writable."""
    if glob.prefix.startswith(_UNMERGED):
        return False
    family = project_family_of(glob.literal or f"{glob.prefix}*")
    return family in (Family.CONSTANT, Family.OTHER)


def _is_in(part: MapInput) -> bool:
    """Whether the statement that a map of GNU ld prints above an input takes its name, from its file."""
    file, archive = (part.member, part.file) if part.member else (part.file, None)
    rules = _printed(part.pattern)
    return not rules or any(rule.takes(part.name, file, archive) for rule in rules)


@lru_cache(maxsize=4096)
def _printed(pattern: str) -> tuple[InputRule, ...]:
    """The rules of a statement that a map prints; it has no INPUT_SECTION_FLAGS."""
    from ldcheck.script.parser import parse
    from ldcheck.source import Source

    return input_rules(parse(Source("<map>", f"SECTIONS {{ .x : {{ {pattern} }} }}")).tree)


def _matching(glob: Glob, names: Sequence[str]) -> Iterator[str]:
    """Those of sorted names that the pattern matches."""
    at = bisect_left(names, glob.prefix)
    while at < len(names) and names[at].startswith(glob.prefix):
        if glob.matches(names[at]):
            yield names[at]
        elif glob.literal is not None:
            return
        at += 1
