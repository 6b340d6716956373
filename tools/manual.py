"""Writes man/ldcheck.1 from the argument parsers: `python -m tools.manual`. A test holds the committed page to them."""

from __future__ import annotations

import argparse
from pathlib import Path

from ldcheck.cli.main import COMMANDS, command_parser

PAGE = Path(__file__).resolve().parents[1] / "man" / "ldcheck.1"

_HEAD = """\
.\\" Written by tools/manual.py.
.TH LDCHECK 1 "" "ldcheck" "User Commands"
.SH NAME
ldcheck \\- check linker scripts, and the images linked with them, against policies
.SH SYNOPSIS
.B ldcheck
.I COMMAND
.RI [ ARGUMENT ...]
.br
.B ldcheck \\-\\-help
|
.B \\-\\-version
.SH DESCRIPTION
A gate for linker scripts and the images they produce.
A policy written in YAML says what must hold; it is proved or refuted on the linker script itself, in every
configuration of the script, and on the image that was really linked, and each violation is shown on the line that a
person would edit.
.SH COMMANDS
"""
_TAIL = """\
.SH EXIT STATUS
.TP
.B 0
nothing at or above the severity that fails
.TP
.B 1
violations
.TP
.B 2
could not check: wrong usage, a bad policy, unreadable input, or nothing was checked
.SH ENVIRONMENT
.TP
.BR NO_COLOR ", " FORCE_COLOR
switch colours off and on, where set and not empty
.TP
.B COLUMNS
the width to which excerpts are cut
.TP
.B GITHUB_ACTIONS
where it is
.BR true ,
.B check
writes workflow commands by default
.SH FILES
.TP
.I .ldcheck.yaml
the targets of a project: scripts, policies, and what was linked
.TP
.I .ldcheck\\-baseline.yaml
findings that are accepted for now
"""


def page() -> str:
    """The manual page in the man macros of roff."""
    return _HEAD + "".join(_command(name) for name in COMMANDS) + _TAIL


def _command(name: str) -> str:
    parser = command_parser(name)
    text = f".SS ldcheck {_roff(name)}\n{_roff(parser.description or COMMANDS[name])}\n"
    for action in parser._actions:
        if action.help is None or action.help == argparse.SUPPRESS or "--help" in action.option_strings:
            continue
        text += f".TP\n{_spelling(action)}\n{_roff(action.help.replace('%%', '%'))}\n"
    if parser.epilog:
        text += f".PP\n.nf\n{_roff(parser.epilog.strip())}\n.fi\n"
    return text


def _spelling(action: argparse.Action) -> str:
    operand = "" if action.nargs == 0 else f" \\fI{_roff(str(action.metavar or action.dest))}\\fR"
    if not action.option_strings:
        return operand.strip()
    return ", ".join(f"\\fB{_roff(name)}\\fR" for name in action.option_strings) + operand


def _roff(text: str) -> str:
    """Text that roff takes for nothing but text."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in text.split("\n"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
