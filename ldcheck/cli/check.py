"""`ldcheck check`: the gate. Everything is done by `ldcheck.api.check`; here are its options and where output goes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from ldcheck.cli.arguments import did_you_mean, stop
from ldcheck.cli.output import checkout, colored, emit, width
from ldcheck.cli.progress import Progress
from ldcheck.findings import EvidenceKind, Severity
from ldcheck.record import replace
from ldcheck.report.escape import printable
from ldcheck.report.formats import FORMATS, render
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.source import decode

_EXAMPLES = """\
examples:
  ldcheck check                                      the targets of .ldcheck.yaml
  ldcheck check xen/arch/x86/xen.lds.S               one script, in all its configurations
  ldcheck check --policy xen/x86 --elf xen-syms xen.lds
  ldcheck check --policy xen/x86 --elf xen-syms      the image alone
  ldcheck check --output sarif=ldcheck.sarif --output junit=ldcheck.xml
  cpp xen.lds.S | ldcheck check --stdin-filename xen.lds -

exit status:
  0  nothing at or above --fail-on
  1  violations
  2  could not check: wrong usage, unreadable input, or nothing was checked
"""
_NEVER = "never"
_SEVERITIES = tuple(severity.value for severity in Severity if severity is not Severity.OFF)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser(
        "check",
        description="Check linker scripts and the images linked with them against policies.",
        epilog=_EXAMPLES,
    )
    add_inputs(parser)
    _add_output(parser)


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say what is checked, and how; `checked` takes them."""
    _add_rules(parser)
    _add_evidence(parser)
    _add_preprocessing(parser)


def _add_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", help="linker scripts, - for standard input")
    parser.add_argument(
        "--stdin-filename", default="<stdin>", metavar="FILE", help="what the script from standard input is called"
    )
    group = parser.add_argument_group("rules and targets")
    group.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="POLICY",
        help="a file, or the name of a stock policy such as xen/arm (repeatable; default: generic)",
    )
    group.add_argument(
        "--target", action="append", default=[], metavar="NAME", help="only this target of .ldcheck.yaml (repeatable)"
    )
    group.add_argument(
        "--config", default="", metavar="FILE", help="the configuration (default: .ldcheck.yaml here or above)"
    )
    group.add_argument(
        "--select", action="append", default=[], metavar="RULE", help="only rules of this id or check (repeatable)"
    )
    group.add_argument(
        "--ignore", action="append", default=[], metavar="RULE", help="no rules of this id or check (repeatable)"
    )


def _add_evidence(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what was linked")
    group.add_argument("--elf", default="", metavar="FILE", help="the linked ELF file")
    group.add_argument("--map", default="", metavar="FILE", help="the map that the linker wrote")
    group.add_argument(
        "--objects", action="append", default=[], metavar="FILE", help="an object or archive (repeatable)"
    )
    group.add_argument("--arch", default="", metavar="ARCH", help="the architecture, where nothing else tells it")
    group.add_argument(
        "--linker",
        default="",
        metavar="LINKER",
        help="whose rules apply: gnu, lld or both, lld=19 for a version (default: as the evidence tells, or gnu)",
    )
    group.add_argument(
        "--require",
        action="append",
        default=[],
        choices=[kind.value for kind in EvidenceKind],
        metavar="KIND",
        help="fail if there is no script, image, map or objects (repeatable)",
    )


def _add_preprocessing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("preprocessing, of scripts whose name ends in .S")
    group.add_argument("-I", action="append", default=[], dest="includes", metavar="DIR", help="a folder for #include")
    group.add_argument(
        "-D",
        action="append",
        default=[],
        dest="define",
        metavar="NAME[=VALUE]",
        help="a definition; a symbol that is defined is not varied",
    )
    group.add_argument(
        "-U", action="append", default=[], dest="undefine", metavar="NAME", help="a symbol that is not defined"
    )
    group.add_argument(
        "--include",
        action="append",
        default=[],
        dest="include_first",
        metavar="FILE",
        help="a header to include first, as for the compiler",
    )
    group.add_argument("--kconfig", default="", metavar="FILE", help="the configuration: a .config or an autoconf.h")
    group.add_argument(
        "--command-file", default="", metavar="FILE", help="the command that the build recorded, such as .xen.lds.cmd"
    )
    group.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="NAME[=VALUE,...]",
        help="try a symbol with these values, and not defined (default: CONFIG_ symbols that decide something)",
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "--format",
        choices=tuple(FORMATS),
        metavar="FORMAT",
        help=f"{', '.join(FORMATS)} (default: text, and github on GitHub Actions)",
    )
    group.add_argument(
        "--output",
        action="append",
        default=[],
        type=_output,
        metavar="FORMAT=PATH",
        help="write a further format to a file (repeatable)",
    )
    group.add_argument(
        "--fail-on",
        choices=(*_SEVERITIES, _NEVER),
        default=Severity.ERROR.value,
        metavar="SEVERITY",
        help="the least severity that fails: error (default), warning, note, never",
    )
    group.add_argument(
        "--severity",
        choices=_SEVERITIES,
        default=Severity.WARNING.value,
        metavar="SEVERITY",
        help="the least severity that is shown: error, warning (default), note; lighter findings are counted",
    )
    group.add_argument(
        "--baseline", default="", metavar="FILE", help="findings that are accepted, as `ldcheck baseline` writes them"
    )
    group.add_argument(
        "--diff", default="", metavar="REV", help="only findings that what changed since a revision of git brings"
    )
    group.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="tell how scripts were preprocessed, and what each verdict rests on",
    )


def run(args: argparse.Namespace) -> int:
    """Check, show the report, and return the exit status."""
    fail_on = None if args.fail_on == _NEVER else Severity(args.fail_on)
    pictures = "html" in (args.format, *(name for name, _ in args.output))
    report = checked(args, fail_on, args.baseline, args.diff, pictures=pictures)
    # What fails the run is shown in any case.
    least = max(Severity(args.severity), fail_on or Severity.ERROR, key=lambda severity: severity.rank)
    report = report.showing(least)
    return show(report, args.format, args.output, verbose=args.verbose)


def checked(
    args: argparse.Namespace, fail_on: Severity | None, baseline: str = "", since: str = "", *, pictures: bool = False
) -> Report:
    """The report on what the options of `add_inputs` name."""
    from ldcheck import api

    scripts, text = args.scripts, None
    if "-" in scripts:
        if len(scripts) > 1:
            stop("standard input (-) goes with no other script", "ldcheck check")
        scripts, text = [args.stdin_filename], decode(sys.stdin.buffer.read())
    with Progress() as tell:
        return api.check(
            scripts,
            policies=args.policy,
            elf=args.elf,
            map=args.map,
            objects=args.objects,
            arch=args.arch,
            linker=args.linker,
            includes=args.includes,
            definitions=_definitions(args.define, args.undefine),
            include_first=args.include_first,
            kconfig=args.kconfig,
            command_file=args.command_file,
            vary=dict(map(_varied, args.vary)),
            fail_on=fail_on,
            require=[EvidenceKind(kind) for kind in args.require],
            select=args.select,
            ignore=args.ignore,
            targets=args.target,
            config=args.config,
            baseline=baseline,
            since=since,
            text=text,
            pictures=pictures,
            progress=tell,
        )


def show(
    report: Report, format_name: str | None, outputs: Sequence[tuple[str, str]] = (), *, verbose: bool = False
) -> int:
    """Write a report to standard output and to files; returns its status, or 2 if a file cannot be written."""
    status = report.status
    here = os.getcwd()
    options = Options(root=checkout(here), here=here, verbose=verbose)
    for name, path in outputs:
        try:
            with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.write(render(name, report, options))
        except (OSError, ValueError) as error:
            sys.stderr.write(f"ldcheck: cannot write {printable(path)}: {printable(str(error))}\n")
            status = 2
    name = format_name or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text")
    options = replace(options, color=colored(sys.stdout), width=width(sys.stdout))
    emit(render(name, report, options))
    return status


def _definitions(defined: Sequence[str], undefined: Sequence[str]) -> dict[str, str | None]:
    """-D and -U as a compiler takes them: -DX is -DX=1."""
    definitions: dict[str, str | None] = {}
    for text in defined:
        name, equals, value = text.partition("=")
        definitions[name] = value if equals else "1"
    definitions.update(dict.fromkeys(undefined))
    return definitions


def _varied(text: str) -> tuple[str, tuple[str | None, ...]]:
    """A symbol of --vary with its values: NAME is not defined and 1, NAME=a,b is not defined, a and b."""
    name, equals, values = text.partition("=")
    return name, (None, *(values.split(",") if equals else ["1"]))


def _output(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not equals or not path:
        raise argparse.ArgumentTypeError(f"{text} is not FORMAT=PATH, such as sarif=ldcheck.sarif")
    if name not in FORMATS:
        raise argparse.ArgumentTypeError(f"unknown format {name}{did_you_mean(name, FORMATS)}")
    return name, path
