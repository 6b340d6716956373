"""`ldcheck parse`: is it a linker script, exactly as GNU ld would judge it, and if not, what is wrong and where."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from ldcheck.script.includes import searched
from ldcheck.script.parser import parse
from ldcheck.script.result import Diagnostic, Parse
from ldcheck.source import Location, Source, decode

if TYPE_CHECKING:
    pass

_LONGEST = 64 << 20
_EXAMPLES = """\
examples:
  ldcheck parse xen.lds
  ldcheck parse --json *.ld
  ldcheck parse --tree -L scripts board.ld

Text that went through a preprocessor is taken as it is; its line markers lead back to the files they name.
Exit status: 0 all files are linker scripts, 2 one is not, or cannot be read.
"""


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "parse",
        help="say whether files are linker scripts, as GNU ld would judge it",
        description="Say whether files are linker scripts, exactly as GNU ld would judge it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a linker script; - is the standard input")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="one JSON object a line: file, ok and the first error")
    output.add_argument("--tree", action="store_true", help="print the syntax tree as JSON")
    parser.add_argument(
        "-L",
        "--library-path",
        action="append",
        default=[],
        metavar="FOLDER",
        help="where INCLUDE finds files, as for ld",
    )
    parser.add_argument("--dialect", choices=("gnu", "lld"), default="gnu", help="whose language it is (default: gnu)")
    parser.add_argument("--quiet", "-q", action="store_true", help="no warnings")


def run(args: argparse.Namespace) -> int:
    """Judge every file; 0 if all are linker scripts, else 2."""
    from ldcheck.cli.output import emit

    status = 0
    for path in args.files:
        name = "<stdin>" if path == "-" else path
        try:
            source = Source(name, _read(path))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            status = 2
            if args.json:
                emit(_json_line(name, False, Location(name), f"cannot be read: {reason}"))
            elif args.tree:
                _complain(f"{name}: error: cannot be read: {reason}")
            else:
                emit(_printable(f"{name}: error: cannot be read: {reason}") + "\n")
            continue
        parsed = _parse(source, args)
        if not parsed.ok:
            status = 2
        if args.json:
            emit(_first_error(name, parsed))
        elif args.tree:
            _print_tree(name, parsed)
        else:
            emit(_text(parsed, args.quiet))
    return status


def _read(path: str) -> str:
    """The text of a file; a pipe may be read, a device without an end only so far."""
    if path == "-":
        data = sys.stdin.buffer.read(_LONGEST + 1)
    else:
        with open(path, "rb") as stream:
            data = stream.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise ValueError(f"it is larger than {_LONGEST >> 20} MiB")
    return decode(data)


def _parse(source: Source, args: argparse.Namespace) -> Parse:
    from ldcheck.preprocess.linemarkers import origin_of
    from ldcheck.script.dialect import GNU, LLD

    folder = os.path.dirname(source.name)
    return parse(
        source,
        origin=origin_of(source, (folder,)),
        include=searched(args.library_path),
        dialect=LLD if args.dialect == "lld" else GNU,
    )


def _text(parsed: Parse, quiet: bool) -> str:
    """All problems for people: place, message, the line with a caret, what to do."""
    shown = [problem for problem in parsed.problems if problem.severity == "error" or not quiet]
    return "".join(_problem(parsed, problem) for problem in shown)


def _problem(parsed: Parse, problem: Diagnostic) -> str:
    from ldcheck.report.excerpt import Mark, marked_lines

    place = parsed.sources.locate(problem.start, problem.end)
    lines = [f"{place.file}:{place.line}:{place.column}: {problem.severity}: {problem.message}"]
    marks = [Mark(place, "", "^")]
    others = []
    for start, end, label in problem.related:
        other = parsed.sources.locate(start, end)
        if other.file == place.file:
            marks.append(Mark(other, label, "-"))
        else:
            others.append(f"    {label}: {other.file}:{other.line}:{other.column}")
    lines += [f"{line.number or '':>6} | {line.text}" for line in marked_lines(marks, 200)]
    lines += others
    lines += [
        f"    {related.label}: {related.location.file}:{related.location.line}"
        for related in parsed.sources.related(problem.start, problem.end)
    ]
    if problem.since:
        lines.append(f"    needs: binutils {problem.since}")
    if problem.hint:
        lines.append(f"    help: {problem.hint}")
    return "".join(_printable(line) + "\n" for line in lines)


def _first_error(name: str, parsed: Parse) -> str:
    for problem in parsed.problems:
        if problem.severity == "error":
            message = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
            return _json_line(name, False, parsed.sources.locate(problem.start, problem.end), message)
    return _json_line(name, True, None, "")


def _json_line(name: str, ok: bool, place: Location | None, message: str) -> str:
    line = place.line if place is not None else None
    column = place.column if place is not None else None
    shown = {"file": name, "ok": ok, "line": line, "column": column, "message": message or None}
    return _dump(shown) + "\n"


def _dump(value: object) -> str:
    import json

    from ldcheck.source import exact

    return json.dumps(_exact(value, exact), ensure_ascii=False)


def _exact(value: object, exact: Any) -> object:
    if isinstance(value, str):
        return exact(value)
    if isinstance(value, dict):
        return {key: _exact(item, exact) for key, item in value.items()}
    return value


def _print_tree(name: str, parsed: Parse) -> None:
    from ldcheck.cli.output import emit
    from ldcheck.script.trees import as_json

    for problem in parsed.problems:
        if problem.severity == "error":
            place = parsed.sources.locate(problem.start, problem.end)
            _complain(f"{place.file}:{place.line}:{place.column}: error: {problem.message}")
    emit(as_json(name, parsed.tree, parsed.sources))


def _complain(message: str) -> None:
    sys.stderr.write(_printable(message) + "\n")


def _printable(text: str) -> str:
    from ldcheck.report.escape import log_text, printable

    return log_text(printable(text))
