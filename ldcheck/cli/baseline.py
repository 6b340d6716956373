"""`ldcheck baseline`: accepts what is found today, so that `check --baseline` fails for new findings only."""

from __future__ import annotations

import argparse
import os
import sys

from ldcheck.cli.arguments import stop
from ldcheck.cli.check import add_inputs, checked, show
from ldcheck.report.escape import printable

_DEFAULT = ".ldcheck-baseline.yaml"
_EXAMPLES = """\
examples:
  ldcheck baseline --reason "from before ldcheck, see the tracker" xen.lds
  ldcheck check --baseline .ldcheck-baseline.yaml xen.lds
  ldcheck baseline --prune .ldcheck-baseline.yaml xen.lds

Take the arguments of your `ldcheck check`. Entries that are there keep their reason.
Exit status: 0 the file is written, 2 could not check; then it is left as it is.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser(
        "baseline", description="Write a baseline of accepted findings, or prune one.", epilog=_EXAMPLES
    )
    add_inputs(parser)
    group = parser.add_argument_group("baseline")
    group.add_argument("--write", default=_DEFAULT, metavar="FILE", help=f"the file to write (default: {_DEFAULT})")
    group.add_argument("--reason", default="", metavar="TEXT", help="why new entries are accepted")
    group.add_argument("--prune", default="", metavar="FILE", help="only take out what was mended, and add nothing")


def run(args: argparse.Namespace) -> int:
    """Check, and write the baseline; 2 where something could not be checked."""
    from ldcheck.accepted import baseline
    from ldcheck.findings import CheckError
    from ldcheck.report.model import Report

    path = args.prune or args.write
    report = checked(args, fail_on=None)
    if report.status != 0:
        return show(report, None)
    try:
        old = baseline.read(path) if os.path.exists(path) or args.prune else ()
    except CheckError as error:
        return show(Report(2, errors=error.errors), None)
    entries = baseline.updated(report.findings, old, path, args.reason, prune=bool(args.prune))
    if any(not entry.reason for entry in entries):
        stop("say why these findings are accepted: --reason TEXT", "ldcheck baseline")
    try:
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(baseline.text_of(entries))
    except OSError as error:
        stop(f"cannot write {path}: {error.strerror}", "ldcheck baseline")
    before = {entry.key for entry in old}
    now = {entry.key for entry in entries}
    sys.stderr.write(
        f"{printable(path)}: {len(now):,} accepted, {len(now - before):,} new, {len(before - now):,} mended\n"
    )
    return 0
