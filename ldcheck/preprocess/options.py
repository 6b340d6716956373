"""Which options of a recorded or configured compiler command are passed on.

What decides the text is kept: definitions, include paths, the dialect, the machine. What is of no use for -E is
dropped, with its operand: output files, dependency files, warnings, code generation. An unknown option that by its form
only tunes code generation (`-m...`, `-f...`) is dropped as well, and told of. Everything else is refused: among it is
what runs programs, loads plugins, or reads options from files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ldcheck.record import dataclass

# With an operand, joined or as the next word; the second word of a pair says what becomes of it.
_WITH_OPERAND = {
    "-D": "define", "-U": "undefine", "-I": "include path", "-isystem": "include path", "-iquote": "include path",
    "-idirafter": "include path", "-include": "include first", "-imacros": "include first",
    "-o": "drop", "-MF": "drop", "-MT": "drop", "-MQ": "drop", "-x": "drop", "-Xassembler": "drop", "-Xlinker": "drop",
    "-target": "keep", "-arch": "keep", "-mllvm": "drop", "-T": "drop", "-L": "drop", "-l": "drop", "--param": "drop",
    "-G": "drop", "-u": "drop", "-z": "drop",
}  # fmt: skip
_JOINED_ONLY = ("-D", "-U", "-I", "-o", "-x", "-L", "-l", "-T", "-G")
_DROPPED = re.compile(
    r"-(E|P|C|CC|c|S|w|v|H|s|r|pipe|ansi|M|MM|MD|MMD|MP|MG|MV|pedantic|pedantic-errors|pg|p|g\w*[\d-]*|gz(=\w+)?"
    r"|O\w*|W(?!p,|a,|l,)[\w=+.,-]*|Wa,[^@]*|Wl,[^@]*|Wp,-M\w*(,[^@]*)?|Q\w*|static|shared|nostdlib|nodefaultlibs"
    r"|nostartfiles|no-integrated-as|no-integrated-cpp-?|rdynamic|no-pie|pie|static-pie|integrated-as)\Z"
)
_KEPT = re.compile(
    r"-(nostdinc|undef|trigraphs|std=[\w+.:]+|m[\w.=+,-]+|pthread"
    r"|f(no-)?(pic|PIC|pie|PIE|freestanding|hosted|short-wchar|signed-char|unsigned-char|cf-protection(=\w+)?"
    r"|stack-protector(-\w+)?|omit-frame-pointer|sanitize=[\w,-]+|openmp|fast-math|short-enums|exceptions"
    r"|dollars-in-identifiers|extended-identifiers))\Z|--target=[\w.-]+\Z"
)
# What the compilers of today have of this kind, with more in the value than a name (gcc manual, "x86 Options").
_TUNING = re.compile(r"-m(memcpy|memset)-strategy=\S*\Z|-mtune-ctrl=\S*\Z|-mrecip=\S*\Z|-mpatchable\S*\Z")
# An option of this form is about code generation, whatever it is: it names no file and no program.
_UNKNOWN_TUNING = re.compile(r"-m(?!dump|print)[\w.=+,:;%!-]+\Z|-f[\w.=+,:;%!-]+\Z")
# Everything of this kind changes how code is made, and not what the preprocessor gives; but some name files or plugins.
_CODE = re.compile(
    r"-f(?!plugin|pass-plugin|dump|save|profile|working-directory|compare-debug|use-ld|module-mapper)[\w=+.,:-]*\Z"
)
# Options of that form which do name a file, a plugin or a program.
_FILES = re.compile(
    r"-f(plugin|pass-plugin|dump|save|profile|working-directory|compare-debug|use-ld|module-mapper|time-trace|proc-stat"
    r"|callgraph-info|opt-info|crash-diagnostics|diagnostics)"
)
_FILE_MAP = re.compile(r"-f(macro|file|debug|profile|coverage)-prefix-map=[^@]*\Z")
_DANGEROUS = "it may run a program, load a plugin, or read or write a file"


class RefusedOptionError(ValueError):
    """An option that is not passed on; `word` is its index in the command."""

    def __init__(self, message: str, word: int) -> None:
        super().__init__(message)
        self.word = word


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Options:
    """The options that are kept. `kept` are those that have no field of their own, `operands` the files.

    `unknown` are those that were dropped by their form alone.
    """

    includes: tuple[str, ...]
    definitions: dict[str, str | None]
    include_first: tuple[str, ...]
    kept: tuple[str, ...]
    operands: tuple[str, ...]
    unknown: tuple[str, ...] = ()


def sift(words: Sequence[str]) -> Options:
    """Sort the words behind the compiler's name. Raises RefusedOptionError."""
    # In the order in which they are searched (gcc manual, "Options for Directory Search").
    includes: dict[str, list[str]] = {"-iquote": [], "-I": [], "-isystem": [], "-idirafter": []}
    definitions: dict[str, str | None] = {}
    first: list[str] = []
    kept: list[str] = []
    operands: list[str] = []
    unknown: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        name, operand, at = _operand(words, at)
        kind = _WITH_OPERAND.get(name, "")
        if kind == "define":
            symbol, equals, value = operand.partition("=")
            definitions[symbol] = value if equals else "1"
        elif kind == "undefine":
            definitions[operand] = None
        elif kind == "include path":
            includes[name].append(operand)
        elif kind == "include first":
            first.append(operand)
        elif kind == "keep":
            kept += [name, operand]
        elif kind == "drop" or _DROPPED.match(word) or _TUNING.match(word):
            continue
        elif not word.startswith("-"):
            if word.startswith("@"):
                raise RefusedOptionError(f"{word} is not passed on: a file with more options is not read", at - 1)
            operands.append(word)
        elif _KEPT.match(word):
            kept.append(word)
        elif _CODE.match(word) or _FILE_MAP.match(word):
            continue
        elif _UNKNOWN_TUNING.match(word) and not _FILES.match(word):
            unknown.append(word)
        else:
            raise RefusedOptionError(f"the option {word} is not passed on: {_DANGEROUS}", at - 1)
    folders = tuple(folder for found in includes.values() for folder in found)
    return Options(folders, definitions, tuple(first), tuple(kept), tuple(operands), tuple(unknown))


def not_known(errors: str, command: Sequence[str]) -> frozenset[str]:
    """The options for the machine and for code generation that a compiler says it does not know, by its errors.

    Another version than the one of the build may lack them; they are as good as never in what it preprocesses.
    """
    said = re.findall(r"['\u2018](-[mf][^'\u2019\s]*)['\u2019]", errors)
    return frozenset(
        option
        for option in command
        for name in said
        if option == name or (name.endswith("=") and option.startswith(name))
    )


def _operand(words: Sequence[str], at: int) -> tuple[str, str, int]:
    """An option's name, its operand (if it takes one), and the index of the word behind them."""
    word = words[at]
    if word in _WITH_OPERAND:
        if at + 1 >= len(words):
            raise RefusedOptionError(f"{word} lacks its operand", at)
        return word, words[at + 1], at + 2
    for name in _JOINED_ONLY:
        if word.startswith(name) and len(word) > len(name):
            return name, word[len(name) :], at + 1
    for name in ("-isystem", "-iquote", "-idirafter", "-include", "-imacros", "-MF", "-MT", "-MQ"):
        if word.startswith(name):
            return name, word[len(name) :], at + 1
    return word, "", at + 1
