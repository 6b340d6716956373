"""GNU ld's own verdict on a script, without any object to link.

A second script that cannot be parsed stands behind the first: if ld complains of that one, it read the whole first.
Three things stop ld in mid-parse that are no fault of the script's language: an architecture that this ld was not built
for, an alias of a memory region that another file declares, and an INCLUDE of a file that is not there. Their text is
blanked, byte for byte, and ld is asked again.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.tools import tool

# One of another release is called by the loader's name.
_PROGRAM = r"^\S*(?:ld|ld-linux\S*):"
_OTHER = re.compile(rf"{_PROGRAM} (.*)$")
_PLACED = re.compile(rf"{_PROGRAM}s\.ld:(\d+):? ?(.*)$")
_BLANKED = {
    "cannot represent machine": re.compile(rb"OUTPUT_ARCH[^(]{0,80}\([^)]*\)"),
    "does not exist": re.compile(rb"REGION_ALIAS[^(]{0,80}\([^)]*\)"),
    "cannot open linker script file": re.compile(rb'INCLUDE\s+(?:"[^"]*"|[^\s";{}()]+)'),
}


@dataclass(frozen=True)
class Verdict:
    """Whether ld read the script; if not, on which line it stopped (0: the end, None: it did not say) and why.

    `text` is what ld was asked about in the end, and `blanked` what was blanked in it.
    """

    accepted: bool
    line: int | None
    message: str
    text: bytes
    blanked: tuple[str, ...] = ()


def judge(text: bytes, folder: Path, program: str = "") -> Verdict:
    """Ask GNU ld, that of the machine if no `program` is named.

    `folder` is a folder of the caller's that nobody else uses meanwhile.
    """
    (folder / "sentinel").write_bytes(b"SECTIONS { ;")
    blanked: list[str] = []
    for _ in range(4):
        (folder / "s.ld").write_bytes(text)
        found = _ask(folder, program or tool("ld"))
        again = _blank(text, found.message) if not found.accepted else None
        if again is None:
            return Verdict(found.accepted, found.line, found.message, text, tuple(blanked))
        text, what = again
        blanked.append(what)
    return Verdict(found.accepted, found.line, found.message, text, tuple(blanked))


def _ask(folder: Path, program: str) -> Verdict:
    run = subprocess.run(
        [program, "-T", "s.ld", "-T", "sentinel"],
        cwd=folder,
        capture_output=True,
        timeout=60,
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    if run.returncode < 0:
        return Verdict(False, None, f"killed by signal {-run.returncode}", b"")
    accepted = False
    for line in run.stderr.decode("utf-8", "replace").split("\n"):
        if "sentinel:" in line:
            accepted = True
            break
        if "ignoring invalid character" in line or "warning:" in line or line.endswith(" ignored"):
            continue
        placed = _PLACED.match(line)
        if placed:
            return Verdict(False, int(placed[1]), placed[2], b"")
        other = _OTHER.match(line)
        if other:
            return Verdict(False, None, other[1], b"")
    return Verdict(accepted, None, "" if accepted else "ld says nothing", b"")


def _blank(text: bytes, message: str) -> tuple[bytes, str] | None:
    for reason, pattern in _BLANKED.items():
        if reason in message and pattern.search(text):
            return pattern.sub(lambda matched: re.sub(rb"[^\n]", b" ", matched[0]), text), reason
    return None
