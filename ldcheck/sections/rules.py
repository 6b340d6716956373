"""Every input section pattern of a script as a rule, in the order in which GNU ld tries them.

ld gives an input section to the first rule that takes it (ldlang.c: map_input_to_output_sections). The order is that of
the script, whatever the rules are in: several SECTIONS, an output section named twice, OVERLAY, GROUP, an INCLUDEd
file. INSERT moves output sections only after the input sections have been given away, so it does not change the order.
Of what only lld has, a section class takes its sections where it is defined, to be put into place by an output section
that names it, and the rules of OVERWRITE_SECTIONS come first.

Left out: what is placed without a pattern, such as orphans (see `orphans`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ldcheck.linker import GNU, LLD, Linker
from ldcheck.record import dataclass, replace
from ldcheck.script.syntax import (
    Assignment,
    Include,
    InputSectionDescription,
    Node,
    OutputSection,
    Overlay,
    Script,
    SectionClass,
    SectionGroup,
    SectionPattern,
    Sections,
    Word,
    walk,
)
from ldcheck.script.syntax import statements as statements_of
from ldcheck.sections.file_words import files_of, is_by_member
from ldcheck.sections.files import EVERY_FILE, Files, files
from ldcheck.sections.globs import Glob, older_section_glob, section_glob
from ldcheck.sections.older import is_in_a_tree, is_older, is_simple, joined_sections
from ldcheck.sections.sorting import order_of

DISCARD = "/DISCARD/"
SHF_WRITE = 1

# ELF section flags by the names that INPUT_SECTION_FLAGS takes (bfd/elflink.c: elf_flags_to_names, and the hooks of arm
# and powerpc).
FLAG_NAMES = {
    "SHF_WRITE": SHF_WRITE,
    "SHF_ALLOC": 0x2,
    "SHF_EXECINSTR": 0x4,
    "SHF_MERGE": 0x10,
    "SHF_STRINGS": 0x20,
    "SHF_INFO_LINK": 0x40,
    "SHF_LINK_ORDER": 0x80,
    "SHF_OS_NONCONFORMING": 0x100,
    "SHF_GROUP": 0x200,
    "SHF_TLS": 0x400,
    "SHF_MASKOS": 0x0FF00000,
    "SHF_EXCLUDE": 0x80000000,
    "SHF_ARM_PURECODE": 0x20000000,
    "SHF_PPC_VLE": 0x10000000,
}

_EVERY_NAME = section_glob("*")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InputRule:
    """One pattern of one input section description.

    `index` counts the rules of a script from 0, in the order in which they are tried. `output` is the name of the
    output section, or of the section class if the rule stands in one (`section` is None then). `pattern` is None for a
    statement that names a file only. `names` and `files` are the languages of the two halves; of the section's flags
    all of `required` and none of `forbidden` must be set. `constraint` is the output section's ONLY_IF_RO or
    ONLY_IF_RW.

    `stretch` counts the assignments to symbols that stand in the output section ahead of the rule: two rules of one
    output section and one stretch put their sections between the same boundary symbols.
    """

    index: int
    output: str
    section: OutputSection | None
    statement: InputSectionDescription
    pattern: SectionPattern | None
    discards: bool
    keep: bool
    names: Glob
    files: Files
    required: int = 0
    forbidden: int = 0
    constraint: str = ""
    stretch: int = 0

    def __repr__(self) -> str:
        return f"InputRule({self.index}, {self.output!r}, {self.text!r})"

    @property
    def node(self) -> Node:
        """What a finding about the rule points at: its pattern, or the statement if that has none."""
        return self.statement if self.pattern is None else self.pattern

    @property
    def text(self) -> str:
        """The rule in the language of scripts, as a statement with this one pattern."""
        return describe(self.statement, self.pattern)

    @property
    def is_unconditional(self) -> bool:
        """Whether nothing but name and file decides what the rule takes: no flags, no ONLY_IF_RO or ONLY_IF_RW."""
        return not (self.required or self.forbidden or self.constraint)

    def takes(self, section: str, file: str = "x.o", archive: str | None = None, flags: int | None = None) -> bool:
        """Whether the rule takes a section of that name from that file; `flags` None leaves flags out of account."""
        return (
            self.names.matches(section)
            and self.files.takes(file, archive)
            and (flags is None or (flags & self.required == self.required and not flags & self.forbidden))
        )


def used_classes(tree: Script) -> frozenset[str]:
    """The section classes that an output section names."""
    return frozenset(
        node.section_class.text
        for node in walk(tree)
        if isinstance(node, InputSectionDescription) and node.section_class is not None
    )


def input_rules(tree: Script, linker: Linker = GNU, sort_section: str | None = None) -> tuple[InputRule, ...]:
    """The rules of a script in the order in which they are tried, with the files that the linker that is meant takes.

    `sort_section` is the operand of --sort-section, which counts for old versions of GNU ld only.
    """
    found: list[InputRule] = []
    older = is_older(linker)
    joined = joined_sections(tree) if older else tree
    statements = list(flat(joined.statements))
    statements.sort(key=lambda node: not (isinstance(node, Sections) and node.keyword == "OVERWRITE_SECTIONS"))
    _collect(statements, found)
    if older:
        found = [_of_older(rule, sort_section) for rule in found]
    if joined is not tree:
        # People know the section by its first statement.
        first = {node.start: node for node in statements_of(tree) if isinstance(node, OutputSection)}
        found = [replace(rule, section=first[rule.section.start]) if rule.section else rule for rule in found]
    if older or is_by_member(linker) or linker.kind == LLD.kind:
        return tuple(_with_files(rule, linker) for rule in found)
    return tuple(found)


def _of_older(rule: InputRule, sort_section: str | None) -> InputRule:
    """The rule as older GNU ld has it: names are compared by fnmatch, and in a tree flags do not count."""
    if rule.pattern is not None and not is_simple(rule.statement):
        rule = replace(rule, names=older_section_glob(rule.pattern.pattern.text))
    if (rule.required or rule.forbidden) and is_in_a_tree(rule.statement, order_of(rule.statement, sort_section)):
        rule = replace(rule, required=0, forbidden=0)
    return rule


def _with_files(rule: InputRule, linker: Linker) -> InputRule:
    """The rule with the files that a linker takes, which may be others than those of GNU ld 2.40."""
    file = rule.statement.file
    if rule.files.everything or file is None:
        return rule
    inside = rule.pattern.exclude if rule.pattern is not None else ()
    return replace(rule, files=files_of(linker, file.pattern, file.exclude, inside))


def flat(statements: Iterable[Node]) -> Iterator[Node]:
    """The statements with those of INCLUDEd files in place."""
    pending = [iter(statements)]
    while pending:
        node = next(pending[-1], None)
        if node is None:
            pending.pop()
        elif isinstance(node, Include):
            if node.statements:
                pending.append(iter(node.statements))
        else:
            yield node


def _collect(statements: Iterable[Node], found: list[InputRule]) -> None:
    """Append the rules below `statements`, which stand at top level, in SECTIONS or in a GROUP."""
    pending = [iter(statements)]
    while pending:
        node = next(pending[-1], None)
        if node is None:
            pending.pop()
        elif isinstance(node, OutputSection):
            _section_rules(node, found)
        elif isinstance(node, Sections | SectionGroup):
            pending.append(flat(node.statements))
        elif isinstance(node, Overlay):
            pending.append(iter(node.sections))
        elif isinstance(node, SectionClass):
            for statement in flat(node.statements):
                if isinstance(statement, InputSectionDescription):
                    _statement_rules(statement, node.name.text, None, 0, found)


def _section_rules(section: OutputSection, found: list[InputRule]) -> None:
    stretch = 0
    for statement in flat(section.statements):
        if isinstance(statement, InputSectionDescription):
            _statement_rules(statement, section.name.text, section, stretch, found)
        elif isinstance(statement, Assignment) and statement.target.text != ".":
            stretch += 1


def _statement_rules(
    statement: InputSectionDescription, output: str, section: OutputSection | None, stretch: int, found: list[InputRule]
) -> None:
    if statement.section_class is not None:
        return
    discards = section is not None and output == DISCARD
    constraint = section.constraint if section is not None else ""
    if constraint not in ("ONLY_IF_RO", "ONLY_IF_RW"):
        constraint = ""
    # ld throws a section away before it looks at INPUT_SECTION_FLAGS (ldlang.c: lang_add_section).
    required, forbidden = (0, 0) if discards or not statement.flags else flag_masks(statement.flags)
    file = statement.file
    spec = file.pattern.text if file is not None else None
    excluded = tuple(word.text for word in file.exclude) if file is not None else ()
    for pattern in statement.patterns if statement.patterns is not None else (None,):
        left_out = excluded
        names = _EVERY_NAME
        if pattern is not None:
            names = section_glob(pattern.pattern.text)
            if pattern.exclude:
                left_out = excluded + tuple(word.text for word in pattern.exclude)
        found.append(
            InputRule(
                len(found),
                output,
                section,
                statement,
                pattern,
                discards,
                statement.keep,
                names,
                EVERY_FILE if spec == "*" and not left_out else files(spec, left_out),
                required,
                forbidden,
                constraint,
                stretch,
            )
        )


def flag_masks(flags: Iterable[Word]) -> tuple[int, int]:
    """The flags that INPUT_SECTION_FLAGS wants and the ones it does not want.

    With a name that ld does not know nothing matches (bfd/elflink.c: bfd_elf_lookup_section_flags); that is expressed
    by a flag both wanted and unwanted.
    """
    required = forbidden = 0
    for word in flags:
        name = word.text
        value = FLAG_NAMES.get(name.removeprefix("!"))
        if value is None:
            return SHF_WRITE, SHF_WRITE
        if name.startswith("!"):
            forbidden |= value
        else:
            required |= value
    return required, forbidden


def describe(statement: InputSectionDescription, pattern: SectionPattern | None) -> str:
    """A statement of a script with one of its patterns, on one line."""
    file = statement.file
    text = ""
    if file is not None:
        text = _wrapped(file.pattern.text, file.exclude, file.sorts)
    if pattern is not None:
        text += f"({_wrapped(pattern.pattern.text, pattern.exclude, pattern.sorts)})"
    if statement.flags:
        text = f"INPUT_SECTION_FLAGS({' & '.join(word.text for word in statement.flags)}) {text}"
    return f"KEEP({text})" if statement.keep else text


def _wrapped(name: str, exclude: tuple[Word, ...], sorts: tuple[str, ...]) -> str:
    if exclude:
        name = f"EXCLUDE_FILE({' '.join(word.text for word in exclude)}) {name}"
    for keyword in reversed(sorts):
        name = f"{keyword}({name})"
    return name
