"""`ldcheck diff`: what a change of a linker script moves, and a proof where it moves nothing."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ldcheck.cli.output import emit
from ldcheck.cli.place import printable, refuse

if TYPE_CHECKING:
    from ldcheck.compare.configurations import Comparison

_DESCRIPTION = """\
Show what two linker scripts do differently: statements that are gone, new, changed or
elsewhere, the sections that go to other output sections because of it, and what is no
longer guaranteed of addresses. Scripts whose names end in `.S` are compared in every
configuration. With `--expect same` the command succeeds only if it is proved that both
give the same image, whatever is linked."""
_EXAMPLES = """\
examples:
  ldcheck diff old.lds new.lds
  ldcheck diff --expect same old.lds new.lds
  ldcheck diff --since HEAD~1 xen/arch/x86/xen.lds.S
  ldcheck diff --since origin/master --format markdown

Exit status: 0 the same, or nothing was expected; 1 an expectation is not met; 2 could not compare.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser("diff", description=_DESCRIPTION, epilog=_EXAMPLES)
    parser.add_argument(
        "scripts", nargs="*", metavar="SCRIPT", help="the old and the new script; with --since, those to compare"
    )
    parser.add_argument("--since", default="", metavar="REV", help="the old side is what git has at this revision")
    parser.add_argument("--expect", choices=("same",), help="fail unless it is proved that nothing differs")
    parser.add_argument(
        "--format",
        choices=("text", "json", "markdown", "github"),
        default="text",
        help="how to show it (default: text)",
    )
    parser.add_argument("--arch", default="", metavar="ARCH", help="the architecture, as policies call it")
    parser.add_argument("-I", "--include", action="append", default=[], metavar="FOLDER", help="where headers are")
    parser.add_argument("-D", "--define", action="append", default=[], metavar="NAME[=VALUE]", help="for preprocessing")


def run(args: argparse.Namespace) -> int:
    """Print what differs. Returns 0, 1 for an expectation that is not met, 2 for input that cannot be used."""
    from ldcheck.findings import CheckError

    try:
        found = _compared(args)
    except CheckError as error:
        return refuse(error)
    from ldcheck.report.comparison import FORMATS

    emit(FORMATS[args.format](found, expected=args.expect == "same"))
    for comparison in found.values():
        sys.stderr.write("".join(f"note: {printable(note)}\n" for note in comparison.notes))
    return int(args.expect == "same" and not all(comparison.proved for comparison in found.values()))


def _compared(args: argparse.Namespace) -> dict[str, Comparison]:
    """A comparison for each pair of scripts, by what people call it. Raises CheckError."""
    from ldcheck.api import diff, diff_since

    definitions = {}
    for text in args.define:
        name, equals, value = text.partition("=")
        definitions[name] = value if equals else "1"
    if args.since:
        return diff_since(args.since, args.scripts, arch=args.arch, includes=args.include, definitions=definitions)
    if len(args.scripts) != 2:
        from ldcheck.findings import CheckError, InputError
        from ldcheck.source import Location

        side = "one side is missing" if len(args.scripts) == 1 else "two scripts are compared at a time"
        where = Location(args.scripts[0] if args.scripts else ".")
        raise CheckError(InputError(f"{side}: give the old and the new script, or --since REV", where))
    old, new = args.scripts
    return {new: diff(old, new, arch=args.arch, includes=args.include, definitions=definitions)}
