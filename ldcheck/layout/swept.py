"""What --gc-sections takes out of a link: the sections that nothing kept refers to.

ld starts from what KEEP() names, from the sections of some symbols, from notes and from what objects ask to retain, and
goes along relocations (bfd/elflink.c: bfd_elf_gc_sections). It then looks at what belongs to others: sections that are
linked to one that is kept, and debugging information. Raises NotPredicted where the way is not known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ldcheck.image.definitions import Definitions
from ldcheck.image.frames import Key, Target
from ldcheck.image.model import InputSection
from ldcheck.image.needs import BOUNDS, FRAGMENT, bounded
from ldcheck.layout.knowledge import NotPredicted, Options
from ldcheck.linker import GNU
from ldcheck.script.syntax import Assignment, Name, Script, statements
from ldcheck.script.uses import leaves
from ldcheck.sections.matching import Matcher, in_files
from ldcheck.sections.outputs import is_debugging
from ldcheck.sections.roots import default_entry, entry, externs

REASON = "nothing that is kept refers to it"
# The functions of the dynamic linker (ldmain.c).
_FUNCTIONS = ("_init", "_fini")
_SHF_ALLOC, _SHF_CODE, _SHF_LINK_ORDER = 0x2, 0x4, 0x80
_UNWINDING = "ARM_EXIDX"
_SECURE_ENTRY = "__acle_se_"
_ONCE = ".gnu.linkonce"
_PATCHABLE = "__patchable_function_entries"


def swept(
    tree: Script,
    sections: Sequence[InputSection],
    symbols: Definitions,
    options: Options,
    matcher: Matcher,
    excluded: Collection[int],
) -> dict[int, str]:
    """The sections that go, by id, with the reason; `excluded` (ids) are those that go in any case.

    `sections` are those of the objects, in the order of the link; `matcher` has the rules of the script.
    """
    return _Sweep(tree, sections, symbols, options, matcher, excluded).run()


class _Sweep:
    def __init__(
        self,
        tree: Script,
        sections: Sequence[InputSection],
        symbols: Definitions,
        options: Options,
        matcher: Matcher,
        excluded: Collection[int],
    ) -> None:
        self._tree = tree
        self._sections = sections
        self._symbols = symbols
        self._options = options
        self._matcher = matcher
        self._excluded = excluded
        self._by_key = {_key(section): section for section in sections}
        self._kept: set[Key] = set()
        self._mates = symbols.needs.mates
        self._named: dict[str, list[Key]] = {}
        self._linked: dict[Key, Key] = {}
        for section in sections:
            self._named.setdefault(section.name, []).append(_key(section))
            if section.flags & _SHF_LINK_ORDER and section.link:
                self._linked[_key(section)] = section.file, section.member, section.link
        self._needs = symbols.needs.targets
        self._frames = self._frames_by_function()
        self._aliases = self._script_symbols()
        # Symbols of bounds that a relocation was seen of.
        self._bounds: set[str] = set()
        self._roots = self._rooted()

    def run(self) -> dict[int, str]:
        for section in self._sections:
            if _key(section) not in self._kept and self._is_root(section):
                self._keep(_key(section))
        self._keep_belonging()
        if self._options.arch == "arm32":
            self._keep_unwinding()
        return {
            id(section): REASON
            for section in self._sections
            if _key(section) not in self._kept and id(section) not in self._excluded and section.index >= 0
        }

    # Where ld starts --------------------------------------------------------------------------------------------------

    def _is_root(self, section: InputSection) -> bool:
        key = _key(section)
        # What was linked from another file already counts here nevertheless.
        if id(section) in self._excluded and not section.group and not section.name.startswith(_ONCE):
            return False
        if key in self._roots or key in self._symbols.needs.retained:
            return True
        if section.type == "NOTE" and key not in self._mates and key not in self._linked:
            return True
        # Any statement counts, also one that comes too late to take the section.
        return any(rule.keep and in_files(rule, section) for rule in self._matcher.named(section.name))

    def _rooted(self) -> set[Key]:
        """The sections of the symbols that are asked for."""
        found: set[Key] = set()
        names = [self._options.entry or entry(self._tree) or default_entry(GNU), *_FUNCTIONS]
        for name in [*names, *self._options.undefined, *externs(self._tree)]:
            target = self._target(name)
            if target is None:
                continue
            section = self._by_key.get(target)
            if section is not None and not section.size:
                raise NotPredicted(f"{name} is in a section without bytes, which --gc-sections may keep for it")
            found.add(target)
        return found

    def _script_symbols(self) -> dict[str, Assignment]:
        """The assignments of the script that decide what a symbol is, the last of each."""
        found: dict[str, Assignment] = {}
        for node in statements(self._tree):
            if not isinstance(node, Assignment) or node.target.text == ".":
                continue
            name = node.target.text
            if node.keyword.startswith("PROVIDE"):
                if name in self._symbols.defined:
                    continue
                if bounded(name) in self._named:
                    raise NotPredicted(f"{name} is the script's or the linker's, as --gc-sections goes on", node)
            elif node.operator != "=" and name in self._symbols.defined:
                raise NotPredicted(f"what {name} keeps in a link with --gc-sections is not known", node)
            found[name] = node
        return found

    # From one section to others ---------------------------------------------------------------------------------------

    def _keep(self, first: Key) -> None:
        """Keep a section, and all that it needs (_bfd_elf_gc_mark)."""
        pending = [first]
        while pending:
            key = pending.pop()
            if key in self._kept:
                continue
            self._kept.add(key)
            if key in self._symbols.needs.unread:
                raise NotPredicted(
                    f"what is kept in {key[0]} refers to debugging information, and --gc-sections goes on"
                )
            pending += self._mates.get(key, ())
            # What unwinding information refers to counts with the function that it is of.
            if self._symbols.needs.frames.get(key) is None:
                pending += self._targets(self._needs.get(key, ()))
            pending += self._targets(self._frames.get(key, ()))

    def _targets(self, targets: Iterable[Target]) -> Iterator[Key]:
        for target in targets:
            if not isinstance(target, str):
                yield target
            elif self._is_bound(target):
                yield from self._bounded(target)
            elif (found := self._target(target)) is not None:
                yield found

    def _is_bound(self, name: str) -> bool:
        return name.startswith(BOUNDS) and name not in self._symbols.defined and name not in self._aliases

    def _bounded(self, name: str) -> Iterator[Key]:
        """All sections whose bounds a symbol is one of."""
        if name not in self._bounds and (section := bounded(name)) is not None:
            self._bounds.add(name)
            yield from self._named.get(section, ())

    def _target(self, name: str) -> Key | None:
        """The section of an object that a global symbol is in; None for one that the script gives a place."""
        seen: set[str] = set()
        while (node := self._aliases.get(name)) is not None:
            if name in seen:
                return None
            seen.add(name)
            if not isinstance(node.value, Name):
                others = [part.name for part in leaves(node.value) if isinstance(part, Name) and part.name != "."]
                if any(other in self._symbols.defined or other in self._aliases for other in others):
                    raise NotPredicted(f"what {name} keeps in a link with --gc-sections is not known", node)
                return None
            if node.value.name == ".":
                return None
            name = node.value.name
        definition = self._symbols.defined.get(name)
        if definition is None or definition.input is None:
            return None
        # What another file has linked already defines nothing.
        section = self._by_key.get(definition.input)
        return None if section is None or id(section) in self._excluded else definition.input

    def _frames_by_function(self) -> dict[Key, set[Target]]:
        """What the unwinding information of each section refers to, with the common part of it."""
        found: dict[Key, set[Target]] = {}
        files: dict[tuple[str, str], int] = {}
        for key, frames in self._symbols.needs.frames.items():
            if key not in self._by_key:
                continue
            files[key[:2]] = files.get(key[:2], 0) + 1
            if files[key[:2]] > 1:
                raise NotPredicted(f"{key[0]} has several .eh_frame sections, of which --gc-sections looks at one")
            common = {frame.offset: frame.needs for frame in frames or () if frame.is_common}
            for frame in frames or ():
                if frame.is_common or frame.function is None:
                    continue
                home = frame.function if not isinstance(frame.function, str) else self._target(frame.function)
                if home is not None:
                    found.setdefault(home, set()).update(frame.needs, common.get(frame.cie or 0, ()))
        return found

    # What belongs to what is kept -------------------------------------------------------------------------------------

    def _keep_belonging(self) -> None:
        """Sections that are linked to kept ones, and debugging information (_bfd_elf_gc_mark_extra_sections)."""
        named = (one.input for one in self._symbols.defined.values() if one.input is not None)
        if self._symbols.needs.unread and any(map(self._has_debugging, named)):
            raise NotPredicted("files refer to each other's debugging information, and --gc-sections goes on")
        for sections in self._by_file().values():
            some = False
            for section in sections:
                key = _key(section)
                if key in self._kept and section.flags & _SHF_ALLOC and section.type != "NOTE":
                    some = True
                elif self._is_linked_to_kept(key):
                    self._keep(key)
                if section.name == _PATCHABLE and key not in self._linked:
                    raise NotPredicted(f"{_PATCHABLE} of {section.file} is not linked to code, which ld refuses")
            if some:
                self._keep_special(sections)

    def _by_file(self) -> Mapping[tuple[str, str], list[InputSection]]:
        found: dict[tuple[str, str], list[InputSection]] = {}
        for section in self._sections:
            if section.index >= 0:
                found.setdefault((section.file, section.member), []).append(section)
        return found

    def _is_linked_to_kept(self, key: Key) -> bool:
        seen: set[Key] = set()
        at = self._linked.get(key)
        while at is not None and at not in seen:
            if at in self._kept:
                return True
            seen.add(at)
            at = self._linked.get(at)
        return False

    def _keep_special(self, sections: Sequence[InputSection]) -> None:
        """Debugging information and the like of a file of which something is kept."""
        for section in sections:
            mates = self._mates.get(_key(section))
            if mates is not None:
                # Its relocations are no sections of their own.
                members = [self._by_key[key] for key in mates if key in self._by_key]
                if all(map(_is_debugging, members)) or all(map(self._is_plain, members)):
                    self._kept.update(mates)
            elif (_is_debugging(section) or self._is_plain(section)) and _key(section) not in self._linked:
                self._kept.add(_key(section))
        debugging = [section for section in sections if _is_debugging(section)]
        if any(section.name.startswith(FRAGMENT) for section in debugging):
            gone = [one.name for one in sections if one.flags & _SHF_CODE and _key(one) not in self._kept]
            for section in debugging:
                if any(section.name.endswith(name) and len(section.name) > len(name) for name in gone):
                    self._kept.discard(_key(section))
        for section in debugging:
            if _key(section) in self._kept:
                self._keep_debugging(_key(section))

    def _keep_debugging(self, first: Key) -> None:
        """What debugging information refers to of its own kind."""
        self._kept.discard(first)
        pending = [first]
        while pending:
            key = pending.pop()
            if key in self._kept:
                continue
            self._kept.add(key)
            pending += self._mates.get(key, ())
            for target in self._needs.get(key, ()):
                if isinstance(target, str) and self._is_bound(target):
                    # The bounds of sections count from wherever they are asked for.
                    pending += self._bounded(target)
                else:
                    pending += filter(self._has_debugging, self._targets((target,)))

    def _has_debugging(self, key: Key) -> bool:
        section = self._by_key.get(key)
        return section is not None and _is_debugging(section)

    def _is_plain(self, section: InputSection) -> bool:
        return not section.flags & _SHF_ALLOC and _key(section) not in self._needs

    def _keep_unwinding(self) -> None:
        """Tables of arm go with their code, and may keep more code (elf32_arm_gc_mark_extra_sections)."""
        if any(name.startswith(_SECURE_ENTRY) for name in self._symbols.defined):
            raise NotPredicted("the link has secure entry functions, which --gc-sections keeps")
        tables = [one for one in self._sections if one.type == _UNWINDING and one.link]
        again = True
        while again:
            again = False
            for section in tables:
                key = _key(section)
                if key not in self._kept and (section.file, section.member, section.link) in self._kept:
                    again = True
                    self._keep(key)


def _key(section: InputSection) -> Key:
    return section.file, section.member, section.index


def _is_debugging(section: InputSection) -> bool:
    return not section.flags & _SHF_ALLOC and is_debugging(section.name)
