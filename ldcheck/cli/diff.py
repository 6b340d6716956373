"""`ldcheck diff`: what a change of a linker script or of a build moves and costs, and a proof where it is nothing."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from ldcheck.cli.output import checkout, emit
from ldcheck.cli.place import printable, refuse

if TYPE_CHECKING:
    from ldcheck.compare.configurations import Comparison

FORMATS = ("text", "json", "markdown", "github", "gitlab", "html")
_SAME, _NO_GROWTH = "same", "no-growth"

_DESCRIPTION = """\
Show what two linker scripts do differently: statements that are gone, new, changed or
elsewhere, the sections that go to other output sections because of it, and what is no
longer guaranteed of addresses. Scripts whose names end in `.S` are compared in every
configuration. With `--expect same` the command succeeds only if it is proved that both
give the same image, whatever is linked.

Of two builds (ELF files, maps, or both) it shows what is placed differently and by
which statement, what grew, and how full each memory region is; `--budget` and
`--expect no-growth` hold the new one to it.

With the inputs of a link, two scripts are played through to addresses as GNU ld does it,
and compared in the same way, without a link; what is not known exactly is refused."""
_EXAMPLES = """\
examples:
  ldcheck diff old.lds new.lds
  ldcheck diff --expect same old.lds new.lds
  ldcheck diff --since HEAD~1 xen/arch/x86/xen.lds.S
  ldcheck diff --since origin/master --format markdown
  ldcheck diff old.elf new.elf --old-map old.map --new-map new.map
  ldcheck diff old.map new.map --budget FLASH=95% --budget RAM=+1K
  ldcheck diff old.lds new.lds --objects build/*.o --budget FLASH=95%
  ldcheck diff old.lds new.lds --map build/firmware.map

Exit status: 0 as expected, or nothing was expected; 1 an expectation is not met; 2 could not compare.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser("diff", description=_DESCRIPTION, epilog=_EXAMPLES)
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="the old and the new script, ELF file or map; with --since, the scripts to compare",
    )
    parser.add_argument("--since", default="", metavar="REV", help="the old scripts are what git has at this revision")
    for side in ("old", "new"):
        parser.add_argument(f"--{side}-elf", default="", metavar="FILE", help=f"the ELF file of the {side} build")
        parser.add_argument(f"--{side}-map", default="", metavar="FILE", help=f"the link map of the {side} build")
    parser.add_argument(
        "--expect",
        action="append",
        default=[],
        choices=(_SAME, _NO_GROWTH),
        help="fail unless it is proved that nothing differs, or that nothing takes more memory",
    )
    parser.add_argument(
        "--budget",
        action="append",
        default=[],
        metavar="NAME=MOST",
        help="fail if more of a memory region (or output section, memory, file) is used: "
        "FLASH=120K, FLASH=95%%, RAM=+1K for growth",
    )
    parser.add_argument(
        "--objects",
        nargs="+",
        action="extend",
        default=[],
        metavar="OBJECT",
        help="play both scripts through with these objects and archives, in the order of the link",
    )
    parser.add_argument(
        "--map", default="", metavar="FILE", help="play both scripts through with the inputs of the link of this map"
    )
    parser.add_argument(
        "--link-options",
        default="",
        metavar="OPTIONS",
        help="options of the linker that change a layout, as in --link-options='-z max-page-size=4096 --build-id'",
    )
    parser.add_argument(
        "--verdicts", action="store_true", help="also judge both sides by policies, and show which rules change"
    )
    parser.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="POLICY",
        help="the policies for --verdicts, which this implies (default: those that apply)",
    )
    parser.add_argument(
        "--renamed",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="a macro has another name now; the proof takes both for one",
    )
    parser.add_argument("--format", choices=FORMATS, help="how to show it (default: text; github on GitHub Actions)")
    parser.add_argument(
        "--output", action="append", default=[], metavar="FORMAT=PATH", type=_output, help="also write this file"
    )
    parser.add_argument(
        "--linker",
        default="",
        metavar="LINKER",
        help="whose language the scripts are in, gnu, lld or both; proved and played through is by GNU ld's rules only",
    )
    parser.add_argument("--arch", default="", metavar="ARCH", help="the architecture, as policies call it")
    parser.add_argument("-I", action="append", default=[], dest="includes", metavar="DIR", help="a folder for #include")
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="HEADER",
        help="a header to include first, as for the compiler",
    )
    parser.add_argument("-D", "--define", action="append", default=[], metavar="NAME[=VALUE]", help="for preprocessing")


def run(args: argparse.Namespace) -> int:
    """Print what differs. Returns 0, 1 for an expectation that is not met, 2 for input that cannot be used."""
    from ldcheck.findings import CheckError
    from ldcheck.report.comparison import FORMATS as RENDERED
    from ldcheck.report.options import Options

    try:
        found = _compared(args)
    except CheckError as error:
        return refuse(error)
    expected = _SAME in args.expect
    here = os.getcwd()
    options = Options(root=checkout(here), here=here)
    status = _status(found, expected=expected)
    for name, path in args.output:
        try:
            with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.write(RENDERED[name](found, options, expected=expected))
        except (OSError, ValueError) as error:
            sys.stderr.write(f"ldcheck: cannot write {printable(path)}: {printable(str(error))}\n")
            status = 2
    chosen = args.format or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text")
    emit(RENDERED[chosen](found, options, expected=expected))
    for comparison in found.values():
        sys.stderr.write("".join(f"note: {printable(note)}\n" for note in comparison.notes))
    return status


def _status(found: dict[str, Comparison], *, expected: bool) -> int:
    if any(comparison.errors for comparison in found.values()):
        return 2
    missed = any(comparison.unmet for comparison in found.values())
    return int(missed or (expected and not all(comparison.proved for comparison in found.values())))


def _compared(args: argparse.Namespace) -> dict[str, Comparison]:
    """A comparison for each pair of scripts or builds, by what people call it. Raises CheckError."""
    from ldcheck.api import diff, diff_since
    from ldcheck.compare.operands import Operands, sorted_out
    from ldcheck.compare.renamed import renaming

    definitions = {}
    for text in args.define:
        name, equals, value = text.partition("=")
        definitions[name] = value if equals else "1"
    formats = {args.format, *(name for name, _ in args.output)}
    given = Operands(tuple(args.files), args.old_elf, args.new_elf, args.old_map, args.new_map, args.since)
    chosen = sorted_out(given, proof=_SAME in args.expect)
    options = {
        "old_elf": chosen.old_elf,
        "new_elf": chosen.new_elf,
        "old_map": chosen.old_map,
        "new_map": chosen.new_map,
        "arch": args.arch,
        "linker": args.linker,
        "includes": args.includes,
        "include_first": args.include,
        "definitions": definitions,
        "budgets": args.budget,
        "no_growth": _NO_GROWTH in args.expect,
        "pictures": "html" in formats,
        "objects": args.objects,
        "map": args.map,
        "link_options": _words(args.link_options),
        "verdicts": args.verdicts,
        "policies": args.policy,
        "renamed": dict(map(renaming, args.renamed)),
    }
    if args.since:
        return diff_since(args.since, chosen.scripts, **options)
    old, new = chosen.scripts or ("", "")
    return {new or chosen.new_elf or chosen.new_map: diff(old, new, **options)}


def _words(text: str) -> list[str]:
    """The words of a command line. Raises CheckError for quotes that do not end."""
    import shlex

    from ldcheck.findings import CheckError, InputError
    from ldcheck.source import Location

    try:
        return shlex.split(text)
    except ValueError as error:
        raise CheckError(InputError(str(error), Location("--link-options"))) from None


def _output(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not equals or not path or name not in FORMATS:
        raise argparse.ArgumentTypeError(f"{text} is not FORMAT=PATH, such as markdown=comment.md")
    return name, path
