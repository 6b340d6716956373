"""What a rule can be judged on: one configuration of a script, and what was linked.

A `ScriptView` offers a check the syntax tree together with the two engines' results (which rule takes which section,
what is guaranteed of each address), computed once and only when a check asks. An `ImageView` offers the facts of the
link. Checks get views and a rule and return a judgement; they open no files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from ldcheck.findings import EvidenceKind, Fix, Judgement, Problem, Severity
from ldcheck.image.named import meaning
from ldcheck.judging.linked_sections import LinkedSection, Named, linked_sections, several
from ldcheck.judging.memory import by_all_names, fixed_regions, region_aliases
from ldcheck.linker import GNU, Linker
from ldcheck.script.syntax import (
    Assignment,
    Command,
    Include,
    MemoryRegion,
    Node,
    OutputSection,
    Script,
    SectionPattern,
    statements,
)
from ldcheck.script.uses import statements_of
from ldcheck.source import Location, Related, SourceMap

if TYPE_CHECKING:
    from ldcheck.image.model import Elf, Image, LinkMap
    from ldcheck.judging.inputs import LinkedInputs
    from ldcheck.judging.referring import Referring
    from ldcheck.layout.decided import Decided
    from ldcheck.layout.result import Layout
    from ldcheck.policy.rule import Rule
    from ldcheck.preprocess.run import Preprocessed
    from ldcheck.script.routes import Routes
    from ldcheck.sections.rules import InputRule


class ScriptView:
    """One configuration of a linker script.

    `arch` is the target's architecture or empty; `params` are named values that the policy gives to symbols which the
    script leaves undefined. Without `orphans`, what is proved of addresses takes for granted that no section is left
    without a statement (because a rule or an option of the link refuses that). `linkers` are those that are meant; none
    is GNU ld of any version. `preprocessed` is how the text came about, where it was preprocessed here.
    """

    def __init__(
        self,
        tree: Script,
        sources: SourceMap,
        arch: str = "",
        params: Mapping[str, int] | None = None,
        orphans: bool = True,
        linkers: tuple[Linker, ...] = (),
        preprocessed: Preprocessed | None = None,
    ) -> None:
        self.tree = tree
        self.sources = sources
        self.arch = arch
        self.params = dict(params or {})
        self.orphans = orphans
        self.linkers = linkers
        self.preprocessed = preprocessed
        # How many more places are looked for to draft fixes of this script.
        self.drafts = 200
        # Whether anybody has asked for addresses since this was last set back.
        self.asked_layout = False
        self._layouts: dict[tuple[Linker, bool], Layout] = {}
        # What the checks said of it, by rule: a trial of a fix asks for all of that once more.
        self.judgements: dict[Rule, Judgement] = {}

    @property
    def linker(self) -> Linker:
        """The linker by whose rules sections are placed: the first one that is meant, GNU ld if none is."""
        return self.linkers[0] if self.linkers else GNU

    @cached_property
    def rules(self) -> tuple[InputRule, ...]:
        """Every input section pattern in the order in which they are tried, as `linker` reads them."""
        from ldcheck.sections.rules import input_rules

        return input_rules(self.tree, self.linker)

    @property
    def layout(self) -> Layout:
        """What the script guarantees of each address, as `linker` counts them."""
        self.asked_layout = True
        return self.layout_by(self.linker)

    def layout_by(self, linker: Linker, *, usual: bool = False) -> Layout:
        """What a linker guarantees of each address; in `usual` links (no orphans, nothing empty), what holds."""
        found = self._layouts.get((linker, usual))
        if found is None:
            from ldcheck.layout.interpret import interpret as by

            found = by(self.tree, params=self.params, orphans=self.orphans and not usual, filled=usual, linker=linker)
            self._layouts[linker, usual] = found
        return found

    @property
    def usual_layout(self) -> Layout:
        """What holds in usual links: see `layout_by`."""
        return self.layout_by(self.linker, usual=True)

    @cached_property
    def decided(self) -> Decided:
        """What the script decides about expressions of policies."""
        from ldcheck.layout.decided import Decided

        return Decided(self.layout, self.params)

    @cached_property
    def _routes(self) -> Routes:
        from ldcheck.script.routes import Routes

        return Routes(self.tree)

    @cached_property
    def statements(self) -> tuple[Node, ...]:
        """Every statement of the script, at any level, in its order."""
        return statements_of(self.tree)

    @cached_property
    def positions(self) -> Mapping[int, int]:
        """The number of each statement in the order of the script, by `id`."""
        return {id(node): at for at, node in enumerate(self.statements)}

    @cached_property
    def output_sections(self) -> Mapping[str, tuple[OutputSection, ...]]:
        """The output section descriptions by name, in the order of the script; /DISCARD/ is one of them."""
        found: dict[str, list[OutputSection]] = {}
        for node in self.statements:
            if isinstance(node, OutputSection):
                found.setdefault(node.name.text, []).append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    @cached_property
    def enclosing(self) -> Mapping[int, OutputSection]:
        """The output section description that each statement stands in, by the `id` of the statement."""
        sections = [node for node in self.statements if isinstance(node, OutputSection)]
        return {id(node): section for section in sections for node in statements(section)}

    @cached_property
    def assignments(self) -> Mapping[str, tuple[Assignment, ...]]:
        """The assignments by symbol, in the order of the script; `.` is one of them."""
        found: dict[str, list[Assignment]] = {}
        for node in self.statements:
            if isinstance(node, Assignment):
                found.setdefault(node.target.text, []).append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    @cached_property
    def memory(self) -> Mapping[str, MemoryRegion]:
        """The memory regions by name."""
        return {node.name.text: node for node in self.statements if isinstance(node, MemoryRegion)}

    @cached_property
    def mentioned(self) -> frozenset[str]:
        """The names that the script uses without saying what they are, and those of its regions and segments."""
        from ldcheck.script.uses import mentioned

        return mentioned(self.tree)

    @cached_property
    def regions(self) -> Mapping[str, tuple[int, int]]:
        """Origin and length in bytes of the memory regions that are the same in every link."""
        return fixed_regions(self.tree, self.memory, lambda: self.layout)

    @cached_property
    def aliases(self) -> Mapping[str, Command]:
        """What gives a memory region another name, by that name; its second argument is the region."""
        return region_aliases(self.statements)

    @cached_property
    def named_regions(self) -> Mapping[str, tuple[int, int]]:
        """The memory regions that are the same in every link, by their aliases too."""
        return by_all_names(self.regions, self.aliases)

    def declared(self, name: str) -> Node | None:
        """The output section description, or else the assignment or the memory region (or its alias), of that name."""
        for table in (self.output_sections, self.assignments):
            if name in table:
                return table[name][0]
        return self.memory.get(name) or self.aliases.get(name)

    @cached_property
    def unread(self) -> str:
        """The name of an included file that was not found, and may say what the rest does not; or empty."""
        missing = (node for node in self.statements if isinstance(node, Include) and node.statements is None)
        header = self.preprocessed.unread if self.preprocessed is not None else ""
        return next((node.path.text for node in missing), header)

    @cached_property
    def known_names(self) -> frozenset[str]:
        """The output sections, symbols and section patterns of this script."""
        known = {*self.output_sections, *self.assignments} - {".", "/DISCARD/"}
        return frozenset(known.union(rule.pattern.pattern.text for rule in self.rules if rule.pattern is not None))

    def similar(self, name: str) -> str:
        """A name of this script that is like `name`, or empty."""
        from difflib import get_close_matches

        return next(iter(get_close_matches(name, sorted(self.known_names - {name}), 1)), "")

    def route(self, node: Node) -> str:
        """The symbolic place of a node (`SECTIONS/.text/3`), stable under edits elsewhere."""
        return self._routes.of(node)

    def locate(self, node: Node) -> Location:
        """The place that a person would edit for this node."""
        if isinstance(node, OutputSection):
            node = node.name
        elif isinstance(node, SectionPattern):
            node = node.pattern
        return self.sources.locate(node.start, node.end)

    def related(self, node: Node) -> tuple[Related, ...]:
        """The macro uses and `#include` lines that brought the node here."""
        return self.sources.related(node.start, node.end)

    def problem(
        self,
        node: Node,
        subject: str,
        message: str,
        *,
        at: Node | None = None,
        label: str = "",
        related: Iterable[Related] = (),
        facts: tuple[str, ...] = (),
        witness: str = "",
        help: str = "",  # noqa: A002 - as it is called everywhere
        severity: Severity | None = None,
        fix: Fix | None = None,
        causes: Iterable[tuple[Node, Node]] = (),
    ) -> Problem:
        """What a check has against `node`; `at` is the part of it to point at, the node itself if not given."""
        place = at or node
        return Problem(
            subject=subject,
            message=message,
            location=self.locate(place),
            label=label,
            related=(*related, *self.related(place)),
            facts=facts,
            witness=witness,
            help=help,
            route=self.route(node),
            severity=severity,
            fix=fix,
            causes=tuple((self.locate(broken), self.locate(breaking)) for broken, breaking in causes),
        )


class ImageView:
    """What was linked, by one of `linkers` if that is known, and the script that made it for the places of findings."""

    def __init__(
        self,
        image: Image,
        arch: str = "",
        script: ScriptView | None = None,
        params: Mapping[str, int] | None = None,
        linkers: tuple[Linker, ...] = (),
    ) -> None:
        self.image = image
        self.linkers = linkers
        self.arch = arch
        self.script = script
        self.params = dict(params or {})

    @property
    def elf(self) -> Elf | None:
        """The linked file, if it was given."""
        return self.image.elf

    @property
    def map(self) -> LinkMap | None:
        """The link map, if it was given."""
        return self.image.map

    @property
    def available(self) -> tuple[EvidenceKind, ...]:
        """The kinds of evidence of the link that are there."""
        parts = (
            (EvidenceKind.IMAGE, self.image.elf),
            (EvidenceKind.MAP, self.image.map),
            (EvidenceKind.OBJECTS, self.image.objects),
        )
        return tuple(kind for kind, part in parts if part is not None)

    @cached_property
    def sections(self) -> Named:
        """The output sections by name, which several may have; the ELF counts before the map."""
        return linked_sections(self.elf, self.map)

    @cached_property
    def loaded_sections(self) -> tuple[LinkedSection, ...]:
        """Those of the output sections that have content and take memory in the image."""
        return tuple(one for found in self.sections.values() for one in found if one.is_loaded and one.size)

    def address(self, name: str) -> int | None:
        """The address of the one output section of a name that has content, or of a symbol; None if it has several."""
        found = [one.address for one in self.sections.get(name, ()) if one.is_loaded and one.size]
        return self.symbol(name) if not found else found[0] if len(found) == 1 else None

    def symbol(self, name: str) -> int | None:
        """The address of a symbol that was linked; that of Thumb code without the bit which says so."""
        return found.address if (found := meaning(name, self.elf, self.map)) is not None else None

    def doubt(self, name: str) -> str:
        """Why the address of a section or symbol that was linked is not known, as a clause; empty where it is."""
        found = meaning(name, self.elf, self.map)
        return several(name, self.sections) or (found.doubt if found is not None else "")

    @cached_property
    def symbols(self) -> frozenset[str]:
        """The symbols that the ELF or the map shows as defined."""
        known = self.elf.defined() if self.elf is not None else frozenset()
        return known.union(self.map.symbols) if self.map is not None else known

    @cached_property
    def section_names(self) -> frozenset[str]:
        """The names of sections that the ELF, the map or the objects show, and the patterns that a map prints."""
        found = set(self.sections)
        if self.map is not None:
            found.update(part.name for section in self.map.sections for part in section.inputs)
            found.update(part.name for part in self.map.discarded)
            for statement in self.map.statements:
                if statement.kind == "pattern":
                    found.update(statement.text.partition("(")[2].replace("(", " ").replace(")", " ").split())
        found.update(section.name for section in self.image.objects or ())
        return frozenset(found)

    @cached_property
    def referring(self) -> Referring:
        """What refers to what, by objects or by the image."""
        from ldcheck.judging.referring import Referring

        return Referring(self.image)

    @property
    def stripped(self) -> bool:
        """Whether a symbol may have been linked although nothing here tells of it."""
        return self.map is None and self.elf is not None and self.elf.stripped

    @cached_property
    def inputs(self) -> LinkedInputs:
        """The input sections of the map, by name, and which statements of the script took them."""
        from ldcheck.judging.inputs import LinkedInputs

        return LinkedInputs(self.map, self.elf, self.script.rules if self.script else None, self.image.objects)

    def declared_at(self, name: str) -> Location | None:
        """Where the script declares an output section or symbol; None without a script or if it does not."""
        node = self.script.declared(name) if self.script is not None else None
        return self.script.locate(node) if self.script is not None and node is not None else None

    def declared_route(self, name: str) -> str:
        """The symbolic place of that declaration, or empty."""
        node = self.script.declared(name) if self.script is not None else None
        return self.script.route(node) if self.script is not None and node is not None else ""

    def problem(
        self,
        name: str,
        subject: str,
        message: str,
        *,
        label: str = "",
        related: tuple[Related, ...] = (),
        facts: tuple[str, ...] = (),
        witness: str = "",
        help: str = "",  # noqa: A002 - as it is called everywhere
        severity: Severity | None = None,
    ) -> Problem:
        """What a check has against the image; shown where the script declares `name`, if it does."""
        return Problem(
            subject=subject,
            message=message,
            location=self.declared_at(name),
            label=label,
            related=related,
            facts=facts,
            witness=witness,
            help=help,
            route=self.declared_route(name),
            severity=severity,
        )
