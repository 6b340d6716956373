"""What has no place in a script, by what toolchains emit: who emits it, where to put it; and the orphans of a link."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.image.arches import expand, from_script
from ldcheck.judging.architecture import declared
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.inputs import INTERNAL
from ldcheck.record import replace
from ldcheck.script.syntax import InputSectionDescription
from ldcheck.source import Related
from ldcheck.words import listed

if TYPE_CHECKING:
    from ldcheck.image.model import MapInput
    from ldcheck.script.syntax import Assignment, Node
    from ldcheck.sections.kinship import Family
    from ldcheck.sections.siblings import Group, Missing


# What every finding of the kind speaks of: one a script.
ORPHANS = "sections without a statement"


def unplaced_problem(view: ScriptView, excepted: Callable[[str], bool] = lambda _: False) -> Problem | None:
    """What is wrong with a script that has no place for names of the catalogue; None if nothing is.

    Its subject is ORPHANS, whatever the names. `excepted` says of a name that it may be an orphan. Names that are not
    to be expected of the script's links, and those that lie where nobody minds, make a note if they are all there is,
    and are passed over beside others.
    """
    from ldcheck.sections.toolchain import probe

    chosen, likely = _chosen(view, excepted)
    if not chosen:
        return None
    names = [one.pattern for group in chosen for one in group.missing]
    first = chosen[0]
    file = view.locate(first.sibling.node).file
    return view.problem(
        first.sibling.node,
        ORPHANS,
        f"no statement takes {listed([f'`{name}`' for name in names], 4)}",
        label=_label(first),
        related=tuple(Related(view.locate(group.sibling.node), _label(group)) for group in chosen[1:]),
        facts=tuple(_fact(group, file, view) for group in chosen),
        witness=probe(names[0]),
        help="; ".join(_advice(group, file, view) for group in chosen),
        severity=Severity.WARNING if likely else Severity.NOTE,
    )


def expected_orphans(view: ScriptView) -> tuple[Callable[[str], bool], bool]:
    """Whether a name is one of those that `unplaced_problem` tells of, and whether that warns of them."""
    from ldcheck.sections.globs import section_glob

    chosen, likely = _chosen(view, lambda _: False)
    globs = [section_glob(one.pattern) for group in chosen for one in group.missing]
    return lambda name: any(glob.matches(name) for glob in globs), likely


def _chosen(view: ScriptView, excepted: Callable[[str], bool]) -> tuple[list[Group], bool]:
    """What to tell of the groups of names without a place, one a statement, and whether they are likely to hurt."""
    from ldcheck.sections.siblings import unplaced
    from ldcheck.sections.toolchain import probe

    # The name of a family, where nothing tells which of it.
    arches = expand(view.arch) if view.arch else from_script(*declared(view.tree))
    groups = []
    for group in unplaced(view.tree, view.rules, arches):
        left = tuple(one for one in group.missing if not excepted(one.pattern) and not excepted(probe(one.pattern)))
        if left:
            groups.append(replace(group, missing=left))
    # What is common need not be what the tools for a machine do that nobody here knows.
    machine, output = declared(view.tree)
    is_known = bool(arches) or not (machine or output.startswith("elf"))
    likely = [_only_likely(group) for group in groups if group.likely and is_known]
    return _by_sibling(likely or groups), bool(likely)


def _only_likely(group: Group) -> Group:
    return replace(group, missing=tuple(one for one in group.missing if one.likely))


def _by_sibling(groups: Sequence[Group]) -> list[Group]:
    """The groups, those of one statement as one: what belongs beside it is one edit."""
    found: dict[int, Group] = {}
    for group in groups:
        key = id(group.sibling)
        before = found.get(key)
        found[key] = (
            group
            if before is None
            else replace(before, missing=before.missing + group.missing, shown=before.shown or group.shown)
        )
    return list(found.values())


def _label(group: Group) -> str:
    return f"takes {group.sibling.names.text} and not {listed([one.pattern for one in group.missing])}"


def _fact(group: Group, file: str, view: ScriptView) -> str:
    """Who emits the names of a group, and where they would lie, as one sentence to who reads of `file`."""
    ways: dict[str, list[Missing]] = {}
    for one in group.missing:
        ways.setdefault(one.who, []).append(one)
    said = [
        f"{who} emit{'' if ' and ' in who else 's'} {listed([f'`{one.pattern}`' for one in ones], 6)}"
        for who, ones in ways.items()
    ]
    sentence = "; ".join(said)
    if group.shown is not None and any(one.needs and one.likely for one in group.missing):
        sentence += f" ({_line(group.shown.node, file, view)} has `{group.shown.names.text}` for that)"
    if group.bound is not None:
        place = f"`{group.bound.target.text}` of {_line(group.bound, file, view)}"
        return f"{sentence}: behind {place}, as an orphan"
    return f"{sentence}: kept, as an orphan" if group.sibling.discards else sentence


def _line(node: Node, file: str, view: ScriptView) -> str:
    return view.locate(node).told_in(file)


def _advice(group: Group, file: str, view: ScriptView) -> str:
    """Where the names of a group belong: beside the sibling, or in output sections of their own."""
    line = _line(group.sibling.node, file, view)
    beside = " ".join(one.pattern for one in group.missing if one.apart is None)
    verb = "discard" if group.sibling.discards else "take"
    said = [f"beside `{group.sibling.text}` of {line}, {verb} `{beside}`"] if beside else []
    families = dict.fromkeys(one.apart for one in group.missing if one.apart is not None)
    return "; ".join(said + [_apart(family, group, file, view) for family in families])


def _apart(family: Family, group: Group, file: str, view: ScriptView) -> str:
    """What to do with the names of a family that must not share an output section with their sibling."""
    from ldcheck.sections.siblings import own_section

    sections: dict[str, list[str]] = {}
    for one in group.missing:
        if one.apart is family:
            sections.setdefault(own_section(one.pattern), []).append(one.pattern)
    each = [f"`{' '.join(patterns)}`" for patterns in sections.values()]
    named = "of its name" if family.apart_on else "of its own"
    said = (
        f"give {each[0]} an output section {named}"
        if len(each) == 1
        else f"give each of {listed(each, len(each))} an output section {named}"
    )
    if family.ahead:
        said += f", ahead of that of {_line(group.sibling.node, file, view)}"
    # A symbol with more of its output section behind it bounds that as well, and stays.
    if family.apart_on and group.bound is not None and not _has_inputs_behind(group.bound, view):
        said += f", with `{group.bound.target.text}` behind {'it' if len(each) == 1 else 'them'}"
    return f"{said} ({family.apart})"


def _has_inputs_behind(bound: Assignment, view: ScriptView) -> bool:
    section = view.enclosing.get(id(bound))
    inside = view.statements[view.positions[id(bound)] :] if section is not None else ()
    return any(isinstance(node, InputSectionDescription) and view.enclosing.get(id(node)) is section for node in inside)


class Orphan(NamedTuple):
    """An allocated section that no statement took: its name, the file that it came from, its size in bytes.

    `address` is where it lies; None where nothing was linked, or nothing tells. `member` is that of an archive.
    """

    name: str
    file: str
    size: int
    address: int | None = None
    member: str = ""

    @property
    def is_merged(self) -> bool:
        """Whether it is what lld merged of the inputs of several files."""
        return self.file == INTERNAL

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is known by in objects as in maps, which write paths of their own."""
        return os.path.basename(self.file), self.member, self.name


def orphans_of(view: ImageView) -> tuple[list[Orphan], tuple[EvidenceKind, ...]]:
    """The orphans of a link, and who tells of them.

    Without evidence (an ELF alone, without its script) nothing can be said.
    """
    found: list[Orphan] = []
    evidence: list[EvidenceKind] = []
    if view.image.objects is not None and view.script is not None:
        evidence.append(EvidenceKind.OBJECTS)
        found += _in_objects(view)
    placed = view.inputs.orphans()
    if placed is not None:
        evidence.append(EvidenceKind.MAP)
        # The map tells of the very link: what was only played through does not count beside it.
        played, found = found, [_linked(part) for _, part in placed]
        found += _by_objects([_linked(part) for _, part in view.inputs.doubtful()], played)
    elif view.elf is not None and view.script is not None:
        evidence.append(EvidenceKind.IMAGE)
        linked = _in_elf(view)
        known = {orphan.name for orphan in linked}
        found = linked + [orphan for orphan in found if orphan.name not in known]
    return found, tuple(evidence)


def _by_objects(doubtful: Sequence[Orphan], played: Sequence[Orphan]) -> Iterator[Orphan]:
    """Those of which flags or merging leave it open that are orphans where the objects were played through."""
    keys = {orphan.key for orphan in played}
    yield from (one for one in doubtful if one.key in keys)
    merged = {one.name: one.address for one in doubtful if one.is_merged}
    yield from (one._replace(address=merged[one.name]) for one in played if one.name in merged)


def _linked(part: MapInput) -> Orphan:
    return Orphan(part.name, part.file, part.size, part.address, part.member)


def _in_objects(view: ImageView) -> list[Orphan]:
    from ldcheck.sections.placing import place

    assert view.script is not None
    assert view.image.objects is not None
    return [
        Orphan(placed.input.name, placed.input.file, placed.input.size, None, placed.input.member)
        for placed in place(view.script.tree, view.image.objects, linker=view.script.linker)
        if placed.rule is None and placed.input.allocated and placed.input.size and placed.output != "/DISCARD/"
    ]


def _in_elf(view: ImageView) -> list[Orphan]:
    assert view.elf is not None
    assert view.script is not None
    return [
        Orphan(section.name, view.elf.path, section.size, section.address)
        for section in view.elf.sections
        if section.allocated and section.size and section.name not in view.script.output_sections
    ]


def hidden(view: ImageView, excepted: Callable[[str], bool] = lambda _: False) -> Judgement | None:
    """The judgement where sections may have been orphans without a trace; None where they have one.

    An orphan goes into the output section of its name, and what is COMMON into .bss, where an ELF tells nothing apart.
    A map does, unless the flags of an input decide whether a statement there took it.
    """
    if view.map is not None:
        known = {Orphan(one.name, one.file, 0, None, one.member).key for one in view.image.objects or ()}
        doubtful = [one for _, part in view.inputs.doubtful() if not excepted((one := _linked(part)).name)]
        if view.inputs.unlisted.complete:
            doubtful = [one for one in doubtful if not one.is_merged]
        left = [one for one in doubtful if one.key not in known]
        if not left:
            return None
        shown = listed(list(dict.fromkeys(one.name for one in left)))
        why = f"the flags of {shown} decide whether a statement took it"
        if left[0].is_merged:
            why = f"lld merged what is in {shown}, some of which a statement may not have taken"
        return Judgement(Standing.UNKNOWN, reason=f"{why}, and only the objects tell, give all with --objects")
    if view.elf is None or view.script is None or view.image.objects is not None:
        return None
    there = {section.name for section in view.elf.sections if section.allocated and section.size}
    names = [*(name for name in view.script.output_sections if name in there), *(["COMMON"] if ".bss" in there else ())]
    everywhere = [rule for rule in view.script.rules if rule.files.everything and rule.is_unconditional]
    unseen = [one for one in names if not excepted(one) and not any(rule.names.matches(one) for rule in everywhere)]
    if not unseen:
        return None
    reason = f"an ELF alone does not tell whether {listed(unseen, joint='or')} joined an output section as an orphan"
    return Judgement(Standing.UNKNOWN, reason=f"{reason}, give the map or the objects")
