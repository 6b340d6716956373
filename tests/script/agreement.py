"""Compares our verdict on scripts with GNU ld's, keeps count, and names what does not agree.

`python -m tests.script.agreement` runs over everything there is: the linker scripts of Debian's binutils packages,
ld's test suite, the scripts in the sources of kernels, boot loaders and C libraries, and mutants of them all.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ldcheck.script.parser import Parse, parse
from ldcheck.script.printer import print_tree
from ldcheck.script.result import Diagnostic
from ldcheck.script.syntax import same
from ldcheck.source import Source, decode
from tests.script.mutants import mutants
from tests.script.verdict import Verdict, judge
from tests.support.debian import binary_package, source_package

SCRIPTS = Path(__file__).parent / "scripts"

# Debian's packages of cross binutils whose linkers read scripts of their own.
BINUTILS = (
    "binutils-aarch64-linux-gnu", "binutils-alpha-linux-gnu", "binutils-arc-linux-gnu", "binutils-arm-linux-gnueabi",
    "binutils-arm-linux-gnueabihf", "binutils-arm-none-eabi", "binutils-avr", "binutils-djgpp", "binutils-h8300-hms",
    "binutils-hppa-linux-gnu", "binutils-hppa64-linux-gnu", "binutils-i686-gnu", "binutils-i686-kfreebsd-gnu",
    "binutils-i686-linux-gnu", "binutils-ia64-linux-gnu", "binutils-m68hc1x", "binutils-m68k-linux-gnu",
    "binutils-mingw-w64-i686", "binutils-mingw-w64-x86-64", "binutils-mips-linux-gnu",
    "binutils-mips64-linux-gnuabi64", "binutils-mips64-linux-gnuabin32", "binutils-mips64el-linux-gnuabi64",
    "binutils-mips64el-linux-gnuabin32", "binutils-mipsel-linux-gnu", "binutils-mipsisa32r6-linux-gnu",
    "binutils-mipsisa32r6el-linux-gnu", "binutils-mipsisa64r6-linux-gnuabi64",
    "binutils-mipsisa64r6-linux-gnuabin32", "binutils-mipsisa64r6el-linux-gnuabi64",
    "binutils-mipsisa64r6el-linux-gnuabin32", "binutils-or1k-elf", "binutils-powerpc-linux-gnu",
    "binutils-powerpc64-linux-gnu", "binutils-powerpc64le-linux-gnu", "binutils-riscv64-linux-gnu",
    "binutils-riscv64-unknown-elf", "binutils-s390x-linux-gnu", "binutils-sh4-linux-gnu",
    "binutils-sparc64-linux-gnu", "binutils-x86-64-kfreebsd-gnu", "binutils-x86-64-linux-gnu",
    "binutils-x86-64-linux-gnux32", "binutils-xtensa-lx106", "binutils-z80",
)  # fmt: skip

# Source packages, and the files in them that are, or hold, linker scripts; raw ones are judged raw, by ld too.
# Not opensbi: Debian lists its source, and the mirrors do not have the file.
SOURCES = {
    "arm-trusted-firmware": ("*.ld.S", "*.ld", "*.lds"),
    "binutils": (
        "ld/testsuite/*.t",
        "ld/testsuite/*.ld",
        "ld/testsuite/*.lds",
        "ld/testsuite/*.x",
        "ld/testsuite/*.ver",
    ),
    "grub2": ("*.sc", "*.ld", "*.lds"),
    "linux": ("*.lds", "*.lds.S", "*.ld", "*.ldscript"),
    "newlib": ("*.ld", "*.ld.in", "*.scr", "*.t"),
    "qemu": ("*.ld", "*.lds", "*.lds.S", "*.ld.S"),
    "u-boot": ("*.lds", "*.lds.S", "*.ld"),
    "xen": ("*.lds", "*.lds.S", "*.lds.h", "*.ld"),
}

# Why GNU ld's line is another one than ours although both mean the same mistake.
_READ_AHEAD = ("PHDRS syntax error at", "unknown phdr type")


@dataclass
class Tally:
    """What was counted. `asides` are scripts that only a newer ld reads; `reasons` explains lines that differ."""

    name: str
    scripts: int = 0
    accepted: int = 0
    rejected: int = 0
    lines: int = 0
    same_lines: int = 0
    asides: list[str] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    other_lines: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.name:40} {self.scripts:6} scripts, {self.accepted:6} accepted and {self.rejected:6} refused by both"
            f", {len(self.wrong)} disagreements, {len(self.asides)} only for a newer ld;"
            f" first error on ld's line: {self.same_lines} of {self.lines}"
        )

    @property
    def line_agreement(self) -> float:
        """The share of refused scripts whose first error is on ld's line."""
        return self.same_lines / self.lines if self.lines else 1.0

    def details(self) -> Iterator[str]:
        """Everything that does not agree, with the reason where it is known."""
        for title, entries in (
            ("DISAGREES", self.wrong),
            ("newer ld only", self.asides),
            ("line explained", self.explained),
            ("line differs", self.other_lines),
        ):
            for entry in entries:
                yield f"  {title}: {entry}"

    def compare(self, label: str, data: bytes, folder: Path) -> None:
        """Judge one script by ld and by ourselves, and print it back if both accept it."""
        self.scripts += 1
        verdict = judge(data, folder)
        text = decode(verdict.text)
        parsed = parse(Source("s.ld", text))
        error = next((problem for problem in parsed.problems if problem.severity == "error"), None)
        if verdict.accepted != parsed.ok:
            self._disagree(label, verdict, parsed, error)
        elif error is None:
            self.accepted += 1
            fault = round_trip(parsed)
            if fault:
                self.wrong.append(f"{label}: {fault}")
        else:
            self.rejected += 1
            if verdict.line is not None:
                self._line(label, verdict, parsed, error, text)

    def _disagree(self, label: str, verdict: Verdict, parsed: Parse, error: Diagnostic | None) -> None:
        newer = [problem for problem in parsed.problems if problem.since]
        ours = f"we: {error.message}" if error is not None else "we accept"
        entry = f"{label}: ld: {verdict.line} {verdict.message or 'accepts'}; {ours}"
        if newer:
            self.asides.append(f"{entry} (needs binutils {newer[0].since})")
        else:
            self.wrong.append(entry)

    def _line(self, label: str, verdict: Verdict, parsed: Parse, error: Diagnostic, text: str) -> None:
        self.lines += 1
        line = parsed.sources.locate(error.start, error.start).line
        # ld says line 0 for the end of the file.
        if line == verdict.line or (verdict.line == 0 and error.start >= len(text.rstrip())):
            self.same_lines += 1
            return
        entry = f"{label}: ld: {verdict.line} {verdict.message}; we: {line} {error.message}"
        if verdict.message.startswith(_READ_AHEAD):
            self.explained.append(f"{entry} (ld tells the line up to which it had read)")
        elif _quoted_line_end(text[: error.end]):
            self.explained.append(f"{entry} (ld does not count line ends in quotes)")
        else:
            self.other_lines.append(entry)


def round_trip(parsed: Parse) -> str:
    """What is wrong with the printed tree of an accepted script; empty if nothing is."""
    printed = print_tree(parsed.tree)
    again = parse(Source("printed", printed))
    if not again.ok:
        return f"printed, it does not parse: {again.problems[0].message}"
    return "" if same(parsed.tree, again.tree) else "printed, it parses to another tree"


def _quoted_line_end(text: str) -> bool:
    """Whether something in quotes went over a line's end."""
    from ldcheck.script import lexer

    at = 0
    while at < len(text):
        matched = lexer.EXPRESSION.match(text, at)
        if matched is None or matched.end() == at:
            return False
        if matched.lastindex == lexer.QUOTED and "\n" in matched[0]:
            return True
        at = matched.end()
    return False


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def ldscripts(package: str) -> list[Path]:
    """The linker scripts that a binutils package brings."""
    return [path for path in files_below(binary_package(package)) if path.parent.name == "ldscripts"]


def source_scripts(package: str) -> list[Path]:
    """The linker scripts in a source package."""
    return files_below(source_package(package, only=SOURCES[package]))


def compare_files(name: str, paths: Iterable[Path], folder: Path, seen: set[bytes] | None = None) -> Tally:
    """Compare verdicts on files; contents that `seen` has are left out."""
    tally = Tally(name)
    for path in paths:
        data = path.read_bytes()
        if seen is None or data not in seen:
            tally.compare(path.name, data, folder)
            if seen is not None:
                seen.add(data)
    return tally


def compare_mutants(name: str, scripts: list[bytes], count: int, seed: int, folder: Path) -> Tally:
    """Compare verdicts on mutants."""
    tally = Tally(name)
    for number, (script, how, data) in enumerate(mutants(scripts, count, seed)):
        tally.compare(f"seed {seed}, mutant {number} ({how} in script {script})", data, folder)
    return tally


def main() -> int:
    total = Tally("all")
    everything: list[bytes] = [path.read_bytes() for path in files_below(SCRIPTS)]
    tallies: list[Tally] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for package, paths in (
            *((package, ldscripts) for package in BINUTILS),
            *((package, source_scripts) for package in SOURCES),
        ):
            try:
                found = paths(package)
            except BaseException as reason:  # noqa: BLE001 - pytest's skip is no Exception
                sys.stdout.write(f"{package}: {reason}\n")
                continue
            everything += [path.read_bytes() for path in found[:: max(len(found) // 60, 1)]]
            tallies.append(compare_files(package, found, folder))
            sys.stdout.write(f"{tallies[-1]}\n")
        small = [data for data in everything if 40 < len(data) < 20_000]
        tallies.append(compare_mutants("mutants", small, 6_000, 1, folder))
    for tally in tallies:
        for key in ("scripts", "accepted", "rejected", "lines", "same_lines"):
            setattr(total, key, getattr(total, key) + getattr(tally, key))
        for key in ("asides", "explained", "wrong", "other_lines"):
            getattr(total, key).extend(f"{tally.name}: {entry}" for entry in getattr(tally, key))
    sys.stdout.write("\n".join([str(total), *total.details()]) + "\n")
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
