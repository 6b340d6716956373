"""`ldcheck place`: where each input section of objects and archives goes, and in which order, as linkers decide it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ldcheck.cli.output import colored, emit, width
from ldcheck.linker import GNU

if TYPE_CHECKING:
    from ldcheck.findings import CheckError
    from ldcheck.linker import Linker
    from ldcheck.script.result import Parse
    from ldcheck.sections.assign import Placement
    from ldcheck.sections.rules import InputRule

_DESCRIPTION = """\
Show where each input section of objects and archives goes by a linker script: the output
section, the pattern that takes it, and its place in the order; what is discarded, and
where GNU ld or lld puts orphans. Archives count as linked whole. Files come in the order of
ld's command line, behind `-T SCRIPT`. Sections that only the link decides on are not
told apart: --gc-sections, and members of archives that nothing refers to."""
_EXAMPLES = """\
examples:
  ldcheck place --script xen.lds prelink.o
  ldcheck place --script fw.ld build/*.o libc.a --json
  ldcheck place --script fw.ld --linker lld=19 build/*.o
  ldcheck place --script fw.ld --sort-section=alignment build/*.o
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser("place", description=_DESCRIPTION, epilog=_EXAMPLES)
    parser.add_argument("--script", required=True, metavar="SCRIPT", help="the linker script, preprocessed")
    parser.add_argument("objects", nargs="+", metavar="OBJECT", help="objects and archives, in the order of the link")
    parser.add_argument(
        "-L", "--library-path", action="append", default=[], metavar="FOLDER", help="where INCLUDE finds files"
    )
    parser.add_argument("--sort-section", choices=("name", "alignment"), help="as for ld: sort every wildcard")
    parser.add_argument(
        "--linker", default="gnu", metavar="LINKER", help="whose rules apply: gnu or lld, lld=19 for a version"
    )
    parser.add_argument("--json", action="store_true", help="print a list of placements as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the placements. Returns 0, or 2 for input that cannot be used."""
    from ldcheck.findings import CheckError

    try:
        shown, notes = _shown(args)
    except CheckError as error:
        return refuse(error)
    emit(shown)
    sys.stderr.write("".join(f"note: {printable(note)}\n" for note in notes))
    return 0


def refuse(error: CheckError) -> int:
    """Say on standard error why nothing could be told; the exit status for that."""
    from ldcheck.report.model import Report
    from ldcheck.report.options import Options
    from ldcheck.report.text import render

    report = Report(2, errors=error.errors)
    sys.stderr.write(render(report, Options(color=colored(sys.stderr), width=width(sys.stderr))))
    return report.status


def printable(text: str) -> str:
    """Text for a terminal: what would move the cursor is escaped."""
    from ldcheck.report.escape import printable as escaped

    return escaped(text)


def parsed(path: str, folders: Sequence[str], linker: Linker = GNU) -> Parse:
    """A script as it stands, in the language of a linker. Raises CheckError if it is none."""
    from ldcheck.findings import CheckError
    from ldcheck.judging.scripts import parse_script, script_errors
    from ldcheck.script.dialect import dialect_of

    parse = parse_script(path, folders=folders, dialect=dialect_of([linker]))
    errors = script_errors(parse)
    if errors:
        raise CheckError(*errors)
    return parse


def rule_json(rule: InputRule, parse: Parse) -> dict[str, object]:
    """A rule for JSON: the place that a person would edit, and the rule in the language of scripts."""
    place = parse.sources.locate(rule.node.start, rule.node.end)
    return {"file": place.file, "line": place.line, "column": place.column, "pattern": rule.text}


def rule_text(rule: InputRule, parse: Parse) -> str:
    """A rule for people, with the place that a person would edit."""
    place = parse.sources.locate(rule.node.start, rule.node.end)
    return f"{rule.text} at {place.file}:{place.line}:{place.column}"


def _shown(args: argparse.Namespace) -> tuple[str, list[str]]:
    """What to print, and notes. Raises CheckError for input that cannot be used."""
    from ldcheck.image.objects import arch_of, read_objects
    from ldcheck.judging.scripts import read_script
    from ldcheck.script.foreign import is_unpreprocessed
    from ldcheck.script.syntax import Insert
    from ldcheck.sections.older import is_older, sharing
    from ldcheck.sections.placing import place

    linker = one_linker(args.linker)
    if args.script.endswith(".S") or is_unpreprocessed(read_script(args.script).text):
        from ldcheck.findings import CheckError, InputError
        from ldcheck.source import Location

        # GNU ld reads it without a word, because `#` starts a comment; but the build links with another script.
        message = "this script has to go through the preprocessor first"
        raise CheckError(InputError(message, Location(args.script), help="give the one that the build links with"))
    parse = parsed(args.script, args.library_path, linker)
    notes: list[str] = []
    if linker.kind == "gnu" and any(isinstance(node, Insert) for node in parse.tree.statements):
        notes.append(f"{args.script} has an INSERT: GNU ld would go on with its own script, which is not known here")
    if is_older(linker) and (shared := sharing(parse.tree)) is not None:
        line = parse.sources.locate(shared.start, shared.end).line
        notes.append(f"{linker} makes one section of those of a name: where orphans go is not followed (line {line})")
    inputs = read_objects(args.objects, notes)
    placements = place(parse.tree, inputs, args.sort_section, arch_of(args.objects), linker)
    return (_json if args.json else _text)(placements, parse), notes


def one_linker(text: str) -> Linker:
    """The one linker of the option. Raises CheckError for anything else."""
    from ldcheck.findings import CheckError, InputError
    from ldcheck.judging.meant import named_linkers
    from ldcheck.source import Location

    linkers = named_linkers(text)
    if len(linkers) > 1:
        raise CheckError(InputError("sections are placed by one linker", Location("--linker"), help="ask twice"))
    return linkers[0]


def _json(placements: Sequence[Placement], parse: Parse) -> str:
    import json

    listed = [
        {
            "file": placement.input.file,
            "member": placement.input.member,
            "section": placement.input.name,
            "index": placement.input.index,
            "size": placement.input.size,
            "align": placement.input.align,
            "output": placement.output,
            "rule": rule_json(placement.rule, parse) if placement.rule is not None else None,
            "order": placement.order,
        }
        for placement in placements
    ]
    return json.dumps(listed, indent=1) + "\n"


def _text(placements: Sequence[Placement], parse: Parse) -> str:
    """Output sections one behind the other, a line for each rule and below it one for each input section."""
    lines: list[str] = []
    position = -1
    rule: object = None
    for placement in placements:
        if placement.position != position:
            position, rule = placement.position, ""
            lines.append(printable(placement.output))
        because = placement.rule or placement.reason
        if because != rule:
            rule = because
            lines.append("  " + printable(rule_text(placement.rule, parse) if placement.rule else placement.reason))
        section = placement.input
        file = f"{section.file}({section.member})" if section.member else section.file
        lines.append(printable(f"    {section.size:#10x} {section.align:6,}  {section.name}  {file}"))
    return "".join(f"{line}\n" for line in lines)
