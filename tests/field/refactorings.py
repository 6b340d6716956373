"""Commits that touch a linker script and claim to change nothing, and what a person who read them thought of each.

`refactorings.jsonl` has one a line: the repository, the commit, the scripts in it, the kind of what was changed, the
reading (`same`: no link can tell the two apart, in any configuration; `changes`: some can) with the reason, and what
ldcheck comes to. What the scripts say themselves is not here. A commit that changes one script and leaves the image of
another one alone has two lines.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ldcheck.compare.configurations import Comparison
from ldcheck.compare.run import Asked, Read, compare, read, read_before, sources_of, with_renamed
from ldcheck.project.revisions import texts_at
from ldcheck.project.target import Target

FILE = Path(__file__).parent / "refactorings.jsonl"
KINDS = {
    "text": "blanks, comments, notices, messages of ASSERTs",
    "macro": "macros, headers, conditions",
    "name": "a macro or a configuration symbol that has another name in the whole project",
    "statement": "statements of the script",
}
READINGS = ("same", "changes")
# `refuted` is what is not proved and shown to differ; that is all that is asked of what changes something. What is `not
# read` is no script by itself.
OUTCOMES = ("proved", "not proved", "refuted", "not read")


@dataclass(frozen=True)
class Refactoring:
    """One commit. `renamed` are macros by their names before; `old` is where the one script was before.

    `lacks` says, of what is the same and not proved, what the proof would have to know.
    """

    repository: str
    commit: str
    paths: tuple[str, ...]
    kind: str
    reading: str
    why: str
    outcome: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    old: str = ""
    lacks: str = ""


def refactorings() -> list[Refactoring]:
    """All of them, in the order of the file."""
    found = (json.loads(line) for line in FILE.read_text().splitlines())
    return [Refactoring(**{**one, "paths": tuple(one["paths"])}) for one in found]


_XEN = {"__XEN__": "1", "__LINKER__": "1", "__ASSEMBLY__": "1", "LINKER_SCRIPT": "1"}
_XEN_ARCHES: Mapping[str, Mapping[str, Mapping[str, str | None]]] = {
    "x86": {"x86_64": {"CONFIG_X86": "1", "CONFIG_X86_64": "1"}},
    "arm": {
        "arm64": {"CONFIG_ARM_64": "1", "CONFIG_ARM_32": None, "CONFIG_64BIT": "1", "CONFIG_MMU": "1"},
        "arm32": {"CONFIG_ARM_32": "1", "CONFIG_ARM_64": None, "CONFIG_64BIT": None, "CONFIG_MMU": "1"},
    },
    "riscv": {"riscv64": {"CONFIG_RISCV_64": "1", "CONFIG_64BIT": "1"}},
    "ppc": {"ppc64": {"CONFIG_PPC64": "1", "CONFIG_64BIT": "1"}},
}


_TF_A = {
    "__ASSEMBLER__": "1",
    "__ASSEMBLY__": "1",
    "__LINKER__": "1",
    "PLATFORM_LINKER_FORMAT": '"elf64-littleaarch64"',
}
# With sizes that x86 computes with, its layout ahead of RAM, and a choice that decides what macros are.
_COREBOOT = {
    "__ASSEMBLER__": "1",
    "__LINKER__": "1",
    "CONFIG_RAMTOP": "0x1000000",
    "CONFIG_ROM_SIZE": "0x800000",
    "CONFIG_DCACHE_RAM_BASE": "0xfef00000",
    "CONFIG_DCACHE_RAM_SIZE": "0x40000",
    "__ROMSTAGE__": "1",
    "EARLY_MEMLAYOUT": '"car.ld"',
    "CONFIG_VBOOT_STARTS_IN_ROMSTAGE": None,
}


def targets(one: Refactoring, path: str) -> Iterator[Target]:
    """What a user would say of a script, of which no build is at hand: one target for each architecture it is for."""
    if one.repository == "xen-project/xen" and (match := re.match(r"xen/arch/(x86|arm|riscv|ppc)/xen\.lds\.S", path)):
        includes = ["xen/include", f"xen/arch/{match[1]}/include", f".links/{match[1]}"]
        for arch, definitions in _XEN_ARCHES[match[1]].items():
            yield _target(path, includes, {**_XEN, **definitions}, arch, ["xen/include/xen/config.h"])
    elif one.repository == "coreboot/coreboot":
        arch = next((name for name in ("x86", "arm64", "riscv", "ppc64") if name in path), "arm64")
        own = [f"{folder}{part}/include" for folder in Path(path).parents[:-1] for part in ("", "/common")]
        includes = ["src/include", "src/commonlib/include", f"src/arch/{arch}/include", *own, "src"]
        yield _target(path, includes, _COREBOOT, "", ["src/include/kconfig.h", "src/include/rules.h"])
    elif one.repository == "ARM-software/arm-trusted-firmware":
        own = [f"{folder}/include" for folder in Path(path).parents if str(folder).startswith("plat/")]
        folders = ("", "/common", "/common/tbbr", "/lib", "/lib/xlat_tables", "/plat/common", "/plat/arm/common")
        includes = [*(f"include{folder}" for folder in folders), *own]
        yield _target(path, includes, _TF_A, "arm64")
    elif one.repository == "OP-TEE/optee_os":
        arch = "riscv" if "riscv" in path else "arm"
        includes = [
            "core/include",
            f"core/arch/{arch}/include",
            "lib/libutils/ext/include",
            "lib/libutils/isoc/include",
        ]
        yield _target(
            path, includes, {"__ASSEMBLER__": "1", "ASM": "1", "__LP64__": "1"} if path.endswith(".S") else {}
        )
    else:
        arch = match[1] if (match := re.match(r"arch/(\w+)/", path)) else "arm"
        includes = ["include", f"arch/{arch}/include"]
        yield _target(path, includes, {"__ASSEMBLY__": "1"}, "", ["include/linux/kconfig.h"])


def _target(
    path: str, includes: list[str], definitions: Mapping[str, str | None], arch: str = "", first: Iterable[str] = ()
) -> Target:
    there = tuple(name for name in first if Path(name).is_file())
    # What a build makes is not there.
    missing = ("*",)
    return Target(path, path, arch, tuple(includes), definitions, there, generated=missing)


class Mirror:
    """A clone of a mirror that holds a commit's scripts and headers as files."""

    def __init__(self, bare: Path, folder: Path) -> None:
        self.folder = folder
        self._git("clone", "--quiet", "--shared", "--no-checkout", str(bare), str(folder), inside=False)
        self._git("config", "core.sparseCheckout", "true")
        kept = ("*.h", "*.ld", "*.lds", "*.[sS]", "*.in", "*.inc", "*.x", "*.script", "Kconfig*")
        (folder / ".git" / "info" / "sparse-checkout").write_text("".join(f"{name}\n" for name in kept))

    def check_out(self, commit: str) -> None:
        """Have the files of a commit; a link that Xen's build made, until 2021, to the headers of an architecture."""
        self._git("checkout", "--quiet", "--force", commit)
        for arch in ("x86", "arm"):
            link = self.folder / ".links" / arch / "asm"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            if (headers := self.folder / "xen" / "include" / f"asm-{arch}").is_dir():
                link.symlink_to(headers)

    def text(self, commit: str, path: str) -> str:
        """A file as it was at a commit."""
        return self._git("show", f"{commit}:{path}")

    def _git(self, *arguments: str, inside: bool = True) -> str:
        place = ["-C", str(self.folder)] if inside else []
        done = subprocess.run(["git", *place, *arguments], capture_output=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode("utf-8", "surrogateescape")


def compared(one: Refactoring, mirror: Mirror) -> Iterator[tuple[str, Comparison]]:
    """The comparisons of each script with what it was ahead of the commit, which is checked out in the current folder.

    Raises CheckError.
    """
    before = f"{one.commit}~1"
    for path in one.paths:
        for target in targets(one, path):
            after = read(target)
            texts = texts_at(before, (path, *after.scripts.files()))
            if one.old:
                texts[path] = mirror.text(before, one.old)
            scripts = read_before(target, target.arch, after.scripts, texts)
            sources = sources_of(target, target.arch, after.scripts, texts)
            side = Read(before, scripts, None, sources)
            side = with_renamed(side, target, target.arch, after.scripts, one.renamed, texts)
            yield f"{path} {target.arch}", compare(side, after, Asked())


def table(found: Iterable[Refactoring]) -> str:
    """How many of each kind were read as the same or not, and what ldcheck came to, in Markdown."""
    rows = [["what changed", "read", "same", "of these proved", "not the same"], ["---", *("---:" for _ in range(4))]]
    every = list(found)
    for kind, meaning in (*KINDS.items(), ("", "*all*")):
        chosen = [one for one in every if not kind or one.kind == kind]
        same = [one for one in chosen if one.reading == "same"]
        proved = sum(one.outcome == "proved" for one in same)
        rows.append([meaning, *map(str, (len(chosen), len(same), proved, len(chosen) - len(same)))])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
