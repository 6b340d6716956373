"""Tables, vectors, constructors and entry code that --gc-sections would drop.

## What it does
Reports, where KEEP() is missing: constructors (`.init_array`, or `.ctors` where the script has nothing newer) between
their symbols; tables that objects register with (drivers, initcalls, commands, embedded images), as far as names and
place tell them from memory that is copied or cleared; vector tables that begin their memory or have an address; and the
first code of an image, where ENTRY() or a vector names a symbol that the script sets, which keeps nothing.

## Why is this bad
What is reached only through symbols of the script has no reference that the linker sees. With --gc-sections it is
dropped without a word: the loop from symbol to symbol finds nothing, and the image begins with something else.

## Example
    .text : { KEEP(*(.vectors)) *(.text) }
    .init_array : { __init_array_start = .; *(.init_array) __init_array_end = .; }

## Use instead
    .text : { KEEP(*(.vectors)) *(.text) }
    .init_array : { __init_array_start = .; KEEP(*(.init_array)) __init_array_end = .; }

## Limits
A script without any KEEP() is mostly for links that do not collect sections: what it would lose there, vectors
included, is one note, and a warning where objects register with its tables and it takes the sections of single
functions, which one makes in order to collect them.
What ENTRY() or EXTERN() names is kept: a section that is called after such a symbol, or that may hold the entry, is
not reported. Nor are destructors (firmware does not run them), nor code, data and memory between symbols, which code
names. lld keeps constructors by itself. Whether a link collects, and what it dropped, only a map tells.

## References
GNU ld manual, "Input Section and Garbage Collection".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.image.arches import expand
from ldcheck.judging.edits import keep
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.subjects import kept_by, marks_a_place
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.marks import is_start_to_end
from ldcheck.script.syntax import Assertion, Assignment, Data, Name, Node, OutputSection, Sections, walk
from ldcheck.sections.families import Family, project_family_of
from ldcheck.sections.globs import contains
from ldcheck.sections.roots import alike, default_entry, entry, meant, roots
from ldcheck.sections.rules import InputRule, flat
from ldcheck.sections.tables import Bracket, brackets, is_registered, is_vectors
from ldcheck.source import Related
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Tables, vectors, constructors and entry code that --gc-sections would drop."),
    evidence=(EvidenceKind.SCRIPT,),
)

# Compilers for these emit .init_array; what a script says of .ctors is for others.
_WITHOUT_CTORS = frozenset(("arm32", "arm64", "x86_64", "riscv32", "riscv64"))

# What the linker makes itself.
_MADE = (
    ".rel",
    ".rofixup",
    ".got",
    ".MIPS.",
    ".gnu.",
    ".interp",
    ".dyn",
    ".hash",
    ".eh_frame",
    ".ARM.",
    ".stab",
    ".note",
)

# A section as -ffunction-sections makes it.
_FUNCTION = ".text.q7"

_MOST_NAMES = 6


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for what wants a KEEP()."""
    found = _Unkept(view)
    constructors, tables, vectors = found.constructors(), found.tables(), found.vectors()
    problems = list(found.entry_code())
    if found.collects:
        problems += (
            [_dropped(vectors, "--gc-sections drops vectors that only the processor reads", view)] if vectors else []
        )
        lost = "with --gc-sections, GNU ld drops the constructors of C++ and C"
        problems += [_dropped(constructors, lost, view)] if constructors else []
        problems += [_table(bracket, loose, view) for bracket, loose in tables]
    elif constructors or tables or vectors:
        collected = found.splits and any(is_registered([one.text for one in loose]) for _, loose in tables)
        severity = Severity.WARNING if collected else Severity.NOTE
        loose = [*vectors, *constructors, *(loose[0] for _, loose in tables)]
        problems.append(_nothing_kept(list({id(rule): rule for rule in loose}.values()), severity, view))
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, tuple(problems))


class _Unkept:
    """What of a script stands between symbols, or at the entry, without KEEP()."""

    def __init__(self, view: ScriptView) -> None:
        self.view = view
        self.kept = [rule.names for rule in view.rules if rule.keep and not rule.discards]
        self.collects = bool(self.kept)
        # One splits code by function in order to collect it.
        self.splits = any(rule.names.matches(_FUNCTION) for rule in view.rules if not rule.discards)
        self.roots = roots(view.tree, view.assignments, view.linker)
        self.rules: dict[int, list[InputRule]] = {}
        for rule in view.rules:
            self.rules.setdefault(id(rule.statement), []).append(rule)

    def loose(self, statements: Sequence[Node]) -> list[InputRule]:
        """The rules of these statements that nothing keeps."""
        return [
            rule
            for statement in statements
            for rule in self.rules.get(id(statement), ())
            if not rule.keep
            and not rule.discards
            # GNU ld looks for KEEP() in every statement that matches, not in the one that takes the section.
            and not any(contains(names, rule.names) for names in self.kept)
        ]

    def brackets(self) -> Iterator[Bracket]:
        """What stands between two symbols that may be a start and an end."""
        for node in flat(self.view.tree.statements):
            if isinstance(node, Sections):
                for bracket in brackets(list(flat(node.statements))):
                    if is_start_to_end(bracket.start, bracket.end):
                        yield bracket

    def constructors(self) -> list[InputRule]:
        """The statements for constructors between symbols; not those that go where exit code goes."""
        newer = any(_is_family(rule, ".init_array") for rule in self.view.rules if not rule.discards)
        family = ".init_array" if newer else ".ctors"
        arches = expand(self.view.arch)
        if not newer and arches and _WITHOUT_CTORS.issuperset(arches):
            return []
        return [
            rule
            for bracket in self.brackets()
            for rule in self.loose(bracket.statements)
            if _is_family(rule, family) and not rule.output.startswith(".exit")
        ]

    def tables(self) -> list[tuple[Bracket, list[InputRule]]]:
        """The brackets around tables, each with its statements that nothing keeps."""
        found = []
        for bracket in self.brackets():
            loose = self.loose(bracket.statements)
            if loose and self._is_table(bracket, loose):
                found.append((bracket, loose))
        return found

    def _is_table(self, bracket: Bracket, loose: Sequence[InputRule]) -> bool:
        # Where some of it is kept, the rest is left to be collected.
        if any(rule.keep for statement in bracket.statements for rule in self.rules.get(id(statement), ())):
            return False
        names = [rule.pattern.pattern.text if rule.pattern is not None else "" for rule in loose]
        if bracket.section.type is not None or not all(names) or any(name.startswith(_MADE) for name in names):
            return False
        if any(alike(symbol, name) for symbol in self.roots for name in names):
            return False
        registered = is_registered(names)
        families = {project_family_of(name) for name in names}
        if families <= {Family.OTHER}:
            # A name that is one of C is as likely that of a place for named variables.
            guessed = not bracket.whole and all(name.startswith((".", "_")) for name in names)
            return guessed or bracket.is_array if registered is None else registered
        return families <= {Family.OTHER, Family.CONSTANT} and registered is True

    def vectors(self) -> list[InputRule]:
        """Vector tables at the start of their memory region or at an address, unless a root may keep them.

        What lies wherever the others end has to be told to the processor by code, which then refers to it.
        """
        found = []
        begun: set[str] = set()
        for node in self.view.statements:
            if not isinstance(node, OutputSection) or node.type is not None:
                continue
            region = node.region.text if node.region is not None else ""
            if region in begun and node.address is None:
                continue
            begun.add(region)
            first = next((part for part in flat(node.statements) if not isinstance(part, Assignment | Assertion)), None)
            for rule in self.loose([first]) if first is not None else ():
                name = rule.pattern.pattern.text if rule.pattern is not None else ""
                if is_vectors(name) and not kept_by(rule, name, self.view):
                    found.append(rule)
        return found

    def entry_code(self) -> Iterator[Problem]:
        """The code behind a symbol that ENTRY() names, or a vector that the script writes, and that the script sets."""
        view = self.view
        start = entry(view.tree) or default_entry(view.linker)
        for symbol in dict.fromkeys((start, *self._vectors())):
            node = view.assignments[symbol][-1] if symbol in view.assignments else None
            if node is None or not marks_a_place(node):
                continue
            provided = node.keyword.startswith("PROVIDE")
            if meant(symbol, view.assignments) and not provided:
                continue
            behind = self._behind(node)
            if behind is not None and _is_own(behind):
                yield self._entry(symbol, node, behind, by_entry=symbol == start, provided=provided)

    def _vectors(self) -> Iterator[str]:
        """The symbols whose addresses the script writes at the start of the output section in which they are."""
        for node in self.view.statements:
            if not isinstance(node, OutputSection):
                continue
            body = list(flat(node.statements))
            own = {part.target.text for part in body if isinstance(part, Assignment)}
            for part in takewhile(lambda one: isinstance(one, Data | Assignment), body):
                if isinstance(part, Data):
                    yield from (one.name for one in walk(part.value) if isinstance(one, Name) and one.name in own)

    def _behind(self, node: Assignment) -> InputRule | None:
        """The rule for one file or section that follows an assignment; None if it is kept, or for everything."""
        view = self.view
        for later in view.statements[view.positions[id(node)] + 1 :]:
            rules = self.rules.get(id(later), ())
            if rules:
                loose = self.loose([later])
                return loose[0] if loose and loose[0] is rules[0] else None
            if isinstance(later, Data):
                return None
        return None

    def _entry(self, symbol: str, node: Assignment, rule: InputRule, *, by_entry: bool, provided: bool) -> Problem:
        naming = f"{symbol}, whose address the script writes,"
        if by_entry:
            named = entry(self.view.tree)
            naming = f"ENTRY({symbol})" if named else f"{symbol}, the entry where no ENTRY() names one,"
        unless = f" (unless an object defines {symbol})" if provided else ""
        return self.view.problem(
            rule.node,
            rule.text,
            f"{naming} is a symbol of the script, which keeps nothing{unless}: --gc-sections drops `{rule.text}`",
            label="no KEEP()",
            related=(Related(self.view.locate(node), f"{symbol} is set here"),),
            help=f"look at whether `{rule.text}` is to be under KEEP(), or {symbol} defined by the object",
            fix=keep([rule], self.view, f", or let the object define {symbol}"),
            # Who names a file relies on its being there, in scripts that keep nothing else as well.
            severity=Severity.NOTE if not self.collects and rule.files.everything else Severity.WARNING,
        )


def _is_own(rule: InputRule) -> bool:
    """Whether a rule is for the code of one file, or for a section of code with a name of its own."""
    if rule.pattern is None:
        return not rule.files.everything
    name = rule.pattern.pattern.text
    family = project_family_of(name)
    if not rule.files.everything:
        return family is Family.CODE
    if rule.names.literal is None or name == ".text" or family not in (Family.CODE, Family.OTHER):
        return False
    return family is Family.CODE or is_registered([name]) is not False


def _is_family(rule: InputRule, family: str) -> bool:
    name = rule.pattern.pattern.text if rule.pattern is not None else ""
    return name == family or name.startswith((f"{family}.", f"{family}*"))


def _dropped(loose: Sequence[InputRule], lost: str, view: ScriptView) -> Problem:
    texts = listed([f"`{text}`" for text in dict.fromkeys(rule.text for rule in loose)][:_MOST_NAMES])
    verb = "is" if len(loose) == 1 else "are"
    return view.problem(
        loose[0].node,
        loose[0].text,
        f"{texts} {verb} not under KEEP(): {lost}",
        label="no KEEP()",
        related=(Related(view.locate(rule.node), "nor here") for rule in loose[1:]),
        help="look at whether these are linked with --gc-sections: they are to be under KEEP() then",
        fix=keep(loose, view),
        severity=Severity.WARNING,
    )


def _table(bracket: Bracket, loose: Sequence[InputRule], view: ScriptView) -> Problem:
    texts = [f"`{rule.text}`" for rule in loose]
    start, end = bracket.start.target.text, bracket.end.target.text
    return view.problem(
        loose[0].node,
        loose[0].text,
        f"{listed(texts[:_MOST_NAMES])} {'is' if len(loose) == 1 else 'are'} not under KEEP(): --gc-sections drops "
        f"what is reached through {start} and {end} only",
        label="no KEEP()",
        related=(Related(view.locate(rule.node), "nor here") for rule in loose[1:]),
        help="look at whether code names what is in there; else it is to be under KEEP()",
        fix=keep(loose, view, ", unless code names what is in there"),
        severity=Severity.WARNING,
    )


def _nothing_kept(loose: Sequence[InputRule], severity: Severity, view: ScriptView) -> Problem:
    loose = sorted(loose, key=lambda rule: rule.index)
    shown = [f"`{rule.text}`" for rule in loose[:_MOST_NAMES]]
    if len(loose) > _MOST_NAMES:
        shown.append(counted(len(loose) - _MOST_NAMES, "other"))
    return view.problem(
        loose[0].node,
        loose[0].text,
        f"the script has no KEEP(): if it is ever linked with --gc-sections, {listed(shown)} "
        f"{'is' if len(loose) == 1 else 'are'} dropped",
        label="nothing that the linker sees refers to it",
        related=(Related(view.locate(rule.node), "and this") for rule in loose[1:]),
        help="look at whether it is ever linked with --gc-sections: these are to be under KEEP() then",
        severity=severity,
    )
