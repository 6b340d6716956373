"""The frame of the command line: finds the command, hands it its arguments, and turns every end into an exit status.

0: nothing at or above `--fail-on`; 1: violations; 2: could not check (usage, unreadable input, a fault of ldcheck
itself). Start-up is part of a hook's speed: of the commands only the one that is asked for is imported.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import NoReturn

    from ldcheck.cli.arguments import Parser

# Each command is a module of this package with `register(subparsers)` and `run(args) -> int`.
COMMANDS = {
    "check": "check linker scripts and images against policies: the gate",
    "init": "write a first .ldcheck.yaml for the tree that it stands in",
    "parse": "say whether files are linker scripts, as GNU ld would judge it",
    "place": "show where each input section of objects and archives goes",
    "where": "show which pattern takes a section",
    "diff": "show what a change of a script moves, and prove that it moves nothing",
    "padding": "show what alignment costs in a link, and what other orders would cost",
    "test": "run the tests written in policies",
    "rules": "list the checks, or explain one",
    "schema": "print the JSON schema of policy and configuration files",
    "baseline": "accept the findings of today, so that only new ones fail",
    "completion": "print a completion script for a shell",
}
_DESCRIPTION = "A gate for linker scripts and the images they produce."
_EXAMPLES = """\
examples:
  ldcheck check xen/arch/x86/xen.lds.S
  ldcheck check --policy xen/x86 --elf xen-syms xen.lds
  ldcheck rules no-wildcard-may-shadow

`ldcheck COMMAND --help` tells more. Exit status: 0 all is well, 1 violations, 2 could not check.
"""
INTERRUPTED = 130
# Why a write to a stream that is open fails, and nothing else.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def run() -> NoReturn:
    """The program: `main`, and then the end of the process.

    It ends without taking down all that the run made, which is a tenth of a hook's time, unless somebody is watching.
    """
    # A stream that was closed by whoever started the program is None.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - to the end
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - to the end
    status = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = status or 2
    if sys.gettrace() is not None or sys.getprofile() is not None:
        sys.exit(status)
    os._exit(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 2
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        from ldcheck.cli.output import silence

        silence()
        return 2
    except MemoryError:
        sys.stderr.write("ldcheck: error: there is not enough memory, nothing was checked\n")
        return 2
    except Exception as fault:
        if isinstance(fault, OSError) and fault.filename is None and fault.errno in _NO_ROOM:
            return _unwritable(fault)
        # The last resort: a gate never ends in a traceback, and what checked nothing is neither 0 nor 1.
        if debug:
            raise
        return _apologize(fault)
    return status


def _run(arguments: list[str]) -> int:
    # A run makes many objects and few cycles: looking for those at every turn takes a tenth of its time.
    gc.set_threshold(400_000)
    # What cannot be shown in the terminal's encoding is escaped rather than a crash in mid-report.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    command = next((word for word in arguments if not word.startswith("-")), "")
    if not command or arguments[0] in ("-h", "--help", "--version"):
        return _without_command(arguments)
    if command not in COMMANDS:
        from ldcheck.cli.arguments import did_you_mean, stop

        stop(f"unknown command {command}{did_you_mean(command, COMMANDS)}\nsee `ldcheck --help`")
    parser = command_parser(command)
    before = arguments.index(command)
    args = parser.parse_args(arguments[:before] + arguments[before + 1 :])
    status: int = _module(command).run(args)
    return status


def command_parser(command: str) -> Parser:
    """The parser of a command's arguments."""
    from ldcheck.cli.arguments import Parser

    subparsers = Parser(prog="ldcheck").add_subparsers()
    _module(command).register(subparsers)
    parser: Parser = subparsers.choices[command]
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")
    return parser


def _module(command: str) -> ModuleType:
    from importlib import import_module

    return import_module(f"ldcheck.cli.{command}")


def _without_command(arguments: list[str]) -> int:
    from ldcheck.cli.arguments import Parser

    listed = "\n".join(f"  {name:10} {line}" for name, line in COMMANDS.items())
    description = f"{_DESCRIPTION}\n\ncommands:\n{listed}"
    parser = Parser(prog="ldcheck", usage="ldcheck COMMAND ...", description=description, epilog=_EXAMPLES)
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")
    if parser.parse_args(arguments).version:
        sys.stdout.write(f"ldcheck {version()}\n")
        return 0
    parser.print_help(sys.stderr)
    return 2


def version() -> str:
    """The version that is installed; `unknown` for a bare source tree."""
    from importlib import metadata

    try:
        return metadata.version("ldcheck")
    except metadata.PackageNotFoundError:
        return "unknown"


def _unwritable(error: OSError) -> int:
    from ldcheck.cli.output import silence

    silence()
    sys.stderr.write(f"ldcheck: error: cannot write to standard output: {error.strerror or error}\n")
    return 2


def _apologize(fault: Exception) -> int:
    from ldcheck.report.escape import log_text, printable

    what = printable(f"{type(fault).__name__}: {fault}")[:500]
    advice = "Sorry; run it again with --debug and report what it shows."
    sys.stderr.write(log_text(f"ldcheck: internal error, nothing was checked ({what}). {advice}\n"))
    return 2
