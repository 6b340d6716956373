"""Scripts in the form in which ESP-IDF generates them, of any size, and objects to link with them.

Its build collects fragments in which libraries say where they, single objects of theirs, or single functions go, and
writes one statement for each; what is for all of a library leaves out those objects that have statements of their own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.sections.random_links import archive, assemble

_OUTPUTS = (".iram0.text", ".dram0.data", ".flash.appdesc", ".flash.rodata", ".flash.text")
_SCHEMES = ((".literal", ".text"), (".rodata", ".sdata2"), (".data",), (".bss",))
_WORDS = ("adc", "cache", "clk", "dma", "event", "flash", "gpio", "heap", "log", "mmu", "port", "rtc", "spi", "task")
_CODE, _CONSTANT, _DATA, _ZERO = '"ax"', '"a"', '"aw"', '"aw",@nobits'
_FLAGS = {
    ".literal": _CODE, ".text": _CODE, ".rodata": _CONSTANT, ".sdata2": _CONSTANT, ".data": _DATA, ".bss": _ZERO,
}  # fmt: skip


class Fragment(NamedTuple):
    """Where something goes: all of a library, an object of it, or a function of that object."""

    library: int
    member: str
    function: str
    scheme: tuple[str, ...]
    output: str


class Form(NamedTuple):
    """The size of a script: statements, objects of each library that have statements, and names in an EXCLUDE_FILE."""

    statements: int
    objects: int = 20
    excluded: int = 200


def _fragments(chance: random.Random, form: Form) -> list[Fragment]:
    """Fragments of about so many statements."""
    found: list[Fragment] = []
    library = 0
    while len(found) < form.statements:
        members = _members(chance, form)
        for member in members:
            scheme = chance.choice(_SCHEMES)
            output = chance.choice(_OUTPUTS)
            if chance.random() < 0.4:
                for _ in range(chance.randint(1, 4)):
                    function = f"{chance.choice(_WORDS)}_{chance.randrange(100)}"
                    found.append(Fragment(library, member, function, scheme, output))
            else:
                found.append(Fragment(library, member, "", scheme, output))
        if chance.random() < 0.7:
            found += [Fragment(library, "", "", scheme, chance.choice(_OUTPUTS)) for scheme in _SCHEMES[:2]]
        library += 1
    return found


def _members(chance: random.Random, form: Form) -> list[str]:
    count = chance.randint(1, 2 * form.objects)
    if chance.random() < 0.02:
        count = form.excluded
    return list(dict.fromkeys(f"{chance.choice(_WORDS)}_{chance.randrange(2 * count + 4)}" for _ in range(count)))


class Generated(NamedTuple):
    """A script, and by library (empty for none) and object the sections so that every fragment takes some."""

    script: str
    objects: dict[tuple[str, str], list[str]]


def generate(chance: random.Random, form: Form) -> Generated:
    """A script with about so many statements that name a library, and what to link with it."""
    placed = _fragments(chance, form)
    return Generated(_script(chance, placed, form), _inputs(chance, placed))


def _script(chance: random.Random, placed: Sequence[Fragment], form: Form) -> str:
    own: dict[int, list[str]] = {}
    for fragment in placed:
        if fragment.member and not fragment.function:
            own.setdefault(fragment.library, []).append(f"*{_library(fragment.library)}:{fragment.member}.*")
    everything = [entry for entries in own.values() for entry in entries]
    chance.shuffle(everything)
    by_output: dict[str, list[Fragment]] = {}
    for fragment in placed:
        by_output.setdefault(fragment.output, []).append(fragment)
    outputs = []
    for output in _OUTPUTS:
        lines = [f"  *({output}.first)"]
        lines += [f"  {_statement(fragment, own, form)}" for fragment in by_output.get(output, ())]
        outputs.append((output, lines))
    exclude = _exclude(everything[: form.excluded])
    rest = {".flash.text": _SCHEMES[0], ".flash.rodata": _SCHEMES[1], ".dram0.data": _SCHEMES[2] + _SCHEMES[3]}
    for output, lines in outputs:
        for name in rest.get(output, ()):
            # Of these some come ahead of what they leave out, and of what they do not.
            at = 1 if chance.random() < 0.3 else len(lines)
            lines.insert(at, f"  *({exclude}{name} {exclude}{name}.*)")
    last = [f"  *({name} {name}.*)" for scheme in _SCHEMES for name in scheme]
    outputs.append((".last", last))
    text = "\n".join(f"{output} : {{\n" + "\n".join(lines) + "\n}" for output, lines in outputs)
    return f"SECTIONS {{\n{text}\n/DISCARD/ : {{ *(.comment*) *(.xtensa.info) }}\n}}\n"


def _library(number: int) -> str:
    return f"lib{_WORDS[number % len(_WORDS)]}{number}.a"


def _exclude(entries: list[str]) -> str:
    return f"EXCLUDE_FILE({' '.join(entries)}) " if entries else ""


def _statement(fragment: Fragment, own: Mapping[int, list[str]], form: Form) -> str:
    if fragment.function:
        patterns = [f"{name}.{fragment.function}" for name in fragment.scheme]
    else:
        exclude = "" if fragment.member else _exclude(own.get(fragment.library, [])[: form.excluded])
        patterns = [f"{exclude}{name}{end}" for name in fragment.scheme for end in ("", ".*")]
    member = f"{fragment.member}.*" if fragment.member else ""
    return f"*{_library(fragment.library)}:{member}({' '.join(patterns)})"


def _inputs(chance: random.Random, placed: Sequence[Fragment]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {("", "main.o"): []}
    for fragment in placed:
        member = f"{fragment.member or 'other'}.c.obj"
        names = found.setdefault((_library(fragment.library), member), [])
        for name in fragment.scheme:
            names += [name, f"{name}.{fragment.function or 'local'}", f"{name}.{chance.choice(_WORDS)}"]
    found["", "main.o"] += [f"{name}.main" for scheme in _SCHEMES for name in scheme]
    return {key: list(dict.fromkeys(names)) for key, names in found.items()}


def build(folder: Path, objects: Mapping[tuple[str, str], list[str]]) -> list[str]:
    """Assemble the objects and archive those of libraries; the files in the order of a command line."""
    libraries: dict[str, list[str]] = {}
    sources: dict[str, str] = {}
    for number, ((library, member), names) in enumerate(objects.items()):
        path = f"{library.partition('.')[0]}-objects/{member}" if library else member
        sources[path] = "".join(_source(names, number))
        if library:
            libraries.setdefault(library, []).append(path)
    assemble(folder, sources)
    for library, members in libraries.items():
        archive(folder, library, members)
    return ["main.o", *libraries]


def _source(names: list[str], number: int) -> Iterator[str]:
    for at, name in enumerate(names):
        flags = next(flags for start, flags in _FLAGS.items() if name.startswith(start))
        symbol = f"at_{number}_{at}"
        fill = ".skip 8" if "nobits" in flags else ".quad 1"
        yield f".section {name},{flags}\n.globl {symbol}\n{symbol}: {fill}\n"
