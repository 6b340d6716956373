"""GitHub Actions: annotations on the lines of a change as workflow commands, then the whole report for the log.

GitHub shows ten errors, ten warnings and ten notices of a step and drops the rest without a word. So no more than that
are made, the heaviest and first of the files; the last of each kind says how many more there are, and the log has all.
Syntax: docs.github.com, "Workflow commands for GitHub Actions"; escapes as in actions/toolkit, command.ts.
"""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.findings import InputError, Severity
from ldcheck.record import replace
from ldcheck.report import text
from ldcheck.report.escape import clipped, command_message, command_property, printable
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.report.order import Shown, merged
from ldcheck.source import Location

_LIMIT = 10
# A log line is kept whole by the runner up to 64 KiB or so; a title is shown up to 255 characters.
_MESSAGE_LIMIT = 4000
_TITLE_LIMIT = 200
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(report: Report, options: Options) -> str:
    """Annotations, at most ten of each kind, and the text of the report between commands that switch commands off."""
    kinds: dict[Severity, list[tuple[Location, str, str]]] = {severity: [] for severity in _COMMANDS}
    for error in report.errors:
        kinds[Severity.ERROR].append((error.location, "ldcheck", _error_message(error)))
    for shown in merged(report):
        finding = shown.finding
        if finding.severity in kinds:
            kinds[finding.severity].append((finding.location, f"ldcheck: {finding.rule}", _message(shown)))
    lines = []
    for severity, said in kinds.items():
        lines += _commands(_COMMANDS[severity], said, options)
    return "".join(f"{line}\n" for line in lines) + _log(report, options)


def _commands(command: str, annotations: Sequence[tuple[Location, str, str]], options: Options) -> list[str]:
    lines = []
    for at, (location, title, message) in enumerate(annotations[:_LIMIT], 1):
        message = message[:_MESSAGE_LIMIT]
        more = len(annotations) - _LIMIT
        if at == _LIMIT and more > 0:
            message += f"\n\n{_more(command, annotations[_LIMIT:])}"
        lines.append(f"::{command} {_properties(location, title, options)}::{command_message(message)}")
    return lines


def _more(command: str, annotations: Sequence[tuple[Location, str, str]]) -> str:
    """How many more there are, and where."""
    kind = command if len(annotations) == 1 else f"{command}s"
    files: dict[str, int] = {}
    for location, _, _ in annotations:
        files[location.file] = files.get(location.file, 0) + 1
    named = [f"{clipped(file)} ({count:,})" for file, count in list(files.items())[:3]]
    if len(files) > 3:
        named.append(f"{len(files) - 3:,} more files")
    where = f"in {', '.join(named)}"
    return f"{len(annotations):,} more {kind} of ldcheck are not annotated, {where}; the log of this step has them all"


def _properties(location: Location, title: str, options: Options) -> str:
    properties = {"file": printable(options.path(location.file))} if location.file else {}
    if location.line:
        properties["line"] = str(location.line)
        if location.end_line > location.line:
            properties["endLine"] = str(location.end_line)
        elif location.column:
            # GitHub takes columns only where a range lies on one line.
            properties["col"] = str(location.column)
            properties["endColumn"] = str(max(location.end_column, location.column))
    properties["title"] = clipped(title, _TITLE_LIMIT)
    return ",".join(f"{name}={command_property(value)}" for name, value in properties.items())


def _message(shown: Shown) -> str:
    finding = shown.finding
    lines = [clipped(finding.message)]
    lines += [f"{text.place(other.location)}: {clipped(other.label)}" for other in finding.related]
    lines += text.whose(shown)
    lines += text.details(finding)
    lines += text.advice(finding)
    return "\n".join(lines)


def _error_message(error: InputError) -> str:
    return "\n".join([clipped(error.message), *([f"help: {text.prose(error.help)}"] if error.help else [])])


def _log(report: Report, options: Options) -> str:
    """The text form; nothing in it is a command, whatever a name holds."""
    from hashlib import sha256

    body = text.render(report, replace(options, color=False))
    if not body:
        return ""
    # No text holds its own digest, so nothing in it can end the pause.
    token = "ldcheck-" + sha256(body.encode("utf-8", "backslashreplace")).hexdigest()[:32]
    return f"::stop-commands::{token}\n{body}::{token}::\n"
