"""What the commands' argument parsers share: errors that help, and exit status 2 for a wrong usage."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import NoReturn

from ldcheck.cli.output import width
from ldcheck.report.escape import log_text, printable

USAGE = 2
# The words of argparse stay English, like all others; to look for translations takes longer than to read the options.
setattr(argparse, "_", str)  # noqa: B010 - argparse does not name it


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Keeps line ends in descriptions. argparse makes one for every option, and would import shutil for the width."""
    return argparse.RawDescriptionHelpFormatter(prog, width=min(width(sys.stdout) or 80, 120))


class Parser(argparse.ArgumentParser):
    """An argument parser that takes whole option names only, and says which one was meant."""

    def __init__(self, **settings: object) -> None:
        settings.setdefault("allow_abbrev", False)
        settings.setdefault("formatter_class", _formatter)
        super().__init__(**settings)  # type: ignore[arg-type]  # argparse's own many keywords, handed through

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, and what is next to it."""
        unknown = message.removeprefix("unrecognized arguments: ")
        if unknown != message:
            options = [word for word in unknown.split() if word.startswith("-")]
            message = f"unknown {'option' if options else 'argument'} {unknown}"
            if options:
                message += did_you_mean(options[0].partition("=")[0], self._option_string_actions)
        stop(f"{message}\nsee `{self.prog} --help`", self.prog)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: `; did you mean ...?`, or nothing."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""


def stop(message: str, program: str = "ldcheck") -> NoReturn:
    """End with the exit status for a wrong usage."""
    lines = [printable(line) for line in message.split("\n")]
    sys.stderr.write(log_text(f"{program}: error: " + "\n  ".join(lines)) + "\n")
    raise SystemExit(USAGE)
