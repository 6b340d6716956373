"""What compilers and linkers emit, by asking them."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ldcheck.findings import CheckError
from ldcheck.image.objects import read_objects
from ldcheck.record import dataclass
from tools.toolchain.machines import Compiler, compilers, version
from tools.toolchain.names import kind_of, pattern_of
from tools.toolchain.options import Choice, choices_of

# What the source itself asks for, as the catalogue calls it; the same options without it are nearer to the default.
_LANGUAGES = {"plain.cc": ("C++", 1), "priority.c": ("constructor(N)", 1)}
# What no compiler does by itself with plain code, by the beginning of the section's name.
_ATTRIBUTES = {".text.hot": "__attribute__((hot))", ".text.exit": "__attribute__((destructor))"}

SOURCES = Path(__file__).with_name("sources")


@dataclass(frozen=True, slots=True)
class Sighting:
    """That a program emits a section of that name for an architecture, under the label of its options.

    `rank` is the place of the options in the list: the smallest tells best when the section is to be expected.
    """

    name: str
    kind: str
    maker: str
    version: str
    arch: str
    label: str
    rank: int
    made_by: str

    @property
    def pattern(self) -> str:
        """What stands for the name in the catalogue."""
        return pattern_of(self.name)


def asked_for(name: str) -> str:
    """What the sources ask for so that there is a section of that name, which no compiler makes by itself."""
    return next((said for begin, said in _ATTRIBUTES.items() if name.startswith(begin)), "")


def observe(chosen: Iterable[Compiler] | None = None, labels: Sequence[str] | None = None) -> list[Sighting]:
    """All sightings of the compilers on this machine, or of those chosen; `labels` limits the options."""
    jobs = [
        (compiler, rank, choice, source)
        for compiler in (compilers() if chosen is None else chosen)
        for rank, choice in enumerate(choices_of(compiler.maker, compiler.arch))
        if labels is None or choice.label in labels
        for source in choice.sources
    ]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        numbered = [(Path(folder) / str(number), *job) for number, job in enumerate(jobs)]
        return [sighting for found in pool.map(lambda job: list(_compile(*job)), numbered) for sighting in found]


def _compile(folder: Path, compiler: Compiler, rank: int, choice: Choice, source: str) -> Iterator[Sighting]:
    """The sections of one object; none where the compiler does not have the options or the source's features."""
    folder.mkdir()
    # A name without a dot: some names of sections are derived from it.
    output = folder / "tc_object.o"
    path = SOURCES / source
    flags = ["--emit=obj", "--crate-name=tc_plain"] if compiler.maker == "rustc" else ["-c", "-w", *_strict(compiler)]
    command = [compiler.program, *compiler.options, *flags, *choice.flags, "-o", str(output), str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    if done.returncode or not output.exists():
        return
    try:
        sections = read_objects([str(output)])
    except CheckError:
        return
    language, more = _LANGUAGES.get(source, ("", 0))
    kinds = {section.name: kind_of(section.name, section.type, section.flags) for section in sections}
    for name, kind in kinds.items():
        yield Sighting(
            name,
            kind,
            compiler.maker,
            version(compiler.program),
            compiler.arch,
            " ".join(word for word in (asked_for(name) or language, choice.label) if word),
            2 * rank + more,
            f"{compiler.name} {' '.join(choice.flags)} {source}",
        )


def _strict(compiler: Compiler) -> tuple[str, ...]:
    # Clang only warns of options that it has no use for.
    return ("-Werror=unused-command-line-argument", "-Werror=option-ignored") if compiler.maker == "clang" else ()


# Links ----------------------------------------------------------------------------------------------------------------

LINKS = (
    ("", ("-static",)),
    ("--build-id", ("-static", "--build-id")),
    ("-pie", ("-pie", "--no-dynamic-linker")),
    ("-pie -dynamic-linker", ("-pie", "-dynamic-linker=/loader", "--hash-style=both", "--eh-frame-hdr")),
    ("-shared", ("-shared", "--hash-style=both", "--eh-frame-hdr")),
    ("-z pack-relative-relocs", ("-pie", "-dynamic-linker=/loader", "-z", "pack-relative-relocs")),
)
_NO_SCRIPT = "SECTIONS { }\n"
_LDS = re.compile(r"gcc$")
_LLD = ("ld.lld-14", "ld.lld-16", "ld.lld-19")
_LLD_ARCHES = ("x86_64", "x86_32", "arm64", "arm32", "riscv64", "riscv32", "ppc64", "ppc32", "mips", "mips64")


def observe_links(chosen: Iterable[Compiler] | None = None, linkers: Sequence[str] = _LLD) -> list[Sighting]:
    """The sections that linkers add to those of the objects, by links with a script that places nothing."""
    found: list[Sighting] = []
    for compiler in compilers() if chosen is None else chosen:
        if compiler.language != "c":
            continue
        with tempfile.TemporaryDirectory() as folder:
            found += _links(Path(folder), compiler, linkers)
    return found


def _links(folder: Path, compiler: Compiler, linkers: Sequence[str]) -> Iterator[Sighting]:
    import shutil

    script = folder / "nothing.lds"
    script.write_text(_NO_SCRIPT)
    programs = []
    if compiler.maker == "gcc" and compiler.program.endswith("gcc"):
        programs.append(("ld", _LDS.sub("ld", compiler.program)))
    if compiler.maker == "clang" and compiler.arch in _LLD_ARCHES:
        programs += [("lld", name) for name in linkers if name.rpartition("-")[2] == compiler.program[6:]]
    for style in ("-fno-pic -fno-pie", "-fPIC"):
        objects = [_object(folder, compiler, style, name) for name in ("link.c", "ifunc.c")]
        shared = _object(folder, compiler, "-fPIC", "shared.c")
        present = [path for path in objects if path is not None]
        if objects[0] is None or shared is None:
            continue
        own = {section.name for section in read_objects(map(str, (*present, shared)))}
        for maker, program in programs:
            if not shutil.which(program):
                continue
            emulation = ("-m", _EMULATIONS[compiler.arch]) if maker == "ld" and compiler.arch in _EMULATIONS else ()
            _run(folder, program, *emulation, "-shared", "-o", "shared.so", shared.name)
            for rank, (label, flags) in enumerate(LINKS):
                for inputs, more in (([present[0].name], ""), ([path.name for path in present], "ifunc")):
                    library = ["shared.so"] if "-static" not in flags and (folder / "shared.so").exists() else []
                    loose = "--unresolved-symbols=ignore-all"
                    command = (*emulation, *flags, loose, "-T", script.name, "-o", "linked", *inputs, *library)
                    (folder / "linked").unlink(missing_ok=True)
                    if _run(folder, program, *command):
                        said = " ".join(word for word in (label, style[:5] if style == "-fPIC" else "", more) if word)
                        place = rank + 10 * (style == "-fPIC") + 100 * bool(more)
                        yield from _made(folder / "linked", own, compiler, maker, program, said, place)


_EMULATIONS = {"x86_32": "elf_i386", "riscv32": "elf32lriscv"}


def _made(
    path: Path, own: set[str], compiler: Compiler, maker: str, program: str, label: str, rank: int
) -> Iterator[Sighting]:
    from ldcheck.image.elf_file import ElfFile
    from ldcheck.image.files import OpenFile

    with OpenFile(str(path), "a linked file") as window:
        file = ElfFile(window)
        for name, header in zip(file.names, file.sections, strict=True):
            if name and name not in own:
                kind = kind_of(name, file.section_type(header.sh_type), header.sh_flags)
                # GNU ld has its own tables of the file that no script places; lld lets a script place them.
                if maker == "lld" or kind != "unallocated":
                    made_by = f"{program} {label}"
                    yield Sighting(name, kind, maker, version(program), compiler.arch, label, rank, made_by)


def _object(folder: Path, compiler: Compiler, style: str, source: str) -> Path | None:
    path = folder / f"{source[:-2]}.o"
    path.unlink(missing_ok=True)
    options = (*compiler.options, "-c", "-w", "-O2", *style.split(), "-fno-asynchronous-unwind-tables")
    if source == "link.c":
        options += ("-fexceptions",)
    _run(folder, compiler.program, *options, "-o", path.name, str(SOURCES / source))
    return path if path.exists() else None


def _run(folder: Path, *command: str) -> bool:
    return subprocess.run(command, check=False, cwd=folder, capture_output=True).returncode == 0
