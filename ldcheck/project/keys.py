"""The keys of a target in `.ldcheck.yaml`: what each means, and how its value is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ldcheck.documents.nodes import Node, ScalarNode, as_flag, as_integer, as_text, as_texts, fail
from ldcheck.linker import Linker, read_linkers
from ldcheck.record import dataclass

PREPROCESSORS = ("auto", "recorded", "compiler", "pcpp")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TargetKey:
    """A key of a target: its meaning in one sentence, and what its value may be, as a JSON schema."""

    name: str
    doc: str
    schema: Mapping[str, Any]


_TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1}
_TEXTS: Mapping[str, Any] = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_SCALAR: Mapping[str, Any] = {"type": ["string", "integer", "boolean", "null"]}
_DEFINITIONS: Mapping[str, Any] = {"anyOf": [{"type": "object", "additionalProperties": _SCALAR}, _TEXTS]}
_VARIED: Mapping[str, Any] = {
    "anyOf": [
        {"type": "object", "additionalProperties": {"type": "array", "items": _SCALAR, "minItems": 1}},
        _TEXTS,
    ]
}

KEYS = (
    TargetKey("script", "The linker script; one whose name ends in .S is preprocessed.", _TEXT),
    TargetKey("arch", "The architecture, such as x86_64 or arm64.", _TEXT),
    TargetKey("includes", "Folders for #include, in the order of the search; patterns are allowed.", _TEXTS),
    TargetKey("definitions", "Macros: `NAME: value`, true for 1, false for not defined.", _DEFINITIONS),
    TargetKey("include-first", "Files that are included ahead of the script, as with -include.", _TEXTS),
    TargetKey("compiler", "Compilers to preprocess with; the first that is here is taken.", _TEXTS),
    TargetKey("preprocessor", "The one way to preprocess, or `auto`.", {"enum": list(PREPROCESSORS)}),
    TargetKey("command-file", "The command that Kbuild recorded, such as .xen.lds.cmd.", _TEXT),
    TargetKey("config", "The Kconfig choices: a .config or an autoconf.h.", _TEXT),
    TargetKey("generated", "Patterns of headers that only a build makes, and that may be missing.", _TEXTS),
    TargetKey("vary", "Symbols to try in every value, by default both defined and not.", _VARIED),
    TargetKey(
        "pin",
        "Symbols that are not varied, where no build tells them: `NAME: value`, true for 1, false for not defined.",
        _DEFINITIONS,
    ),
    TargetKey("limit", "How many distinct scripts are checked one by one.", {"type": "integer", "minimum": 1}),
    TargetKey("image", "The linked ELF file.", _TEXT),
    TargetKey("map", "The map that the linker wrote.", _TEXT),
    TargetKey("objects", "Object files and archives that were linked; patterns are allowed.", _TEXTS),
    TargetKey("linker", "Whose rules apply: `gnu`, `lld` or `both`, with a version as in `lld=19`.", _TEXTS),
    TargetKey("policies", "Policies: files, or the names of stock ones.", _TEXTS),
    TargetKey("optional", "Whether the target is left out where its script does not exist.", {"type": "boolean"}),
)
NAMES = tuple(key.name for key in KEYS)


def schema() -> dict[str, Any]:
    """The JSON schema of `.ldcheck.yaml`."""
    properties = {key.name: {"description": key.doc, **key.schema} for key in KEYS}
    shared = {name: value for name, value in properties.items() if name != "script"}
    target = {"type": "object", "properties": properties, "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The configuration of ldcheck",
        "type": "object",
        "required": ["ldcheck", "targets"],
        "additionalProperties": False,
        "properties": {
            "ldcheck": {"const": 1, "description": "The version of this format."},
            "defaults": {
                "type": "object",
                "description": "Keys for all targets that do not give them.",
                "properties": shared,
                "additionalProperties": False,
            },
            "targets": {
                "type": "object",
                "description": "The linker scripts of the project, by name.",
                "additionalProperties": {**target, "required": ["script"]},
            },
        },
    }


def read_texts(node: Node, what: str) -> tuple[str, ...]:
    """One text or several."""
    return tuple(as_text(item, what) for item in as_texts(node, what))


def read_arch(node: Node, what: str) -> str:
    """An architecture by the name that policies use; `aarch64` and the like are understood."""
    from ldcheck.image.arches import canonical, check_name

    text = as_text(node, what)
    if advice := check_name(text):
        fail(node, f"{what} is `{text}`, which is no architecture that ldcheck knows", advice=advice)
    return canonical(text) or text


def read_linker(node: Node, what: str) -> tuple[Linker, ...]:
    """One linker or several: `gnu`, `lld=19`, `both`."""
    found: dict[Linker, None] = {}
    for item in as_texts(node, what):
        try:
            found.update(dict.fromkeys(read_linkers(as_text(item, what))))
        except ValueError as error:
            fail(item, f"{what}: {error}")
    return tuple(found)


def read_limit(node: Node, what: str) -> int:
    """A number of scripts."""
    number = as_integer(node, what)
    if not 1 <= number <= 4096:
        fail(node, f"{what} is {number} and must be from 1 to 4096")
    return number


def read_definition(node: ScalarNode, what: str) -> tuple[str, str]:
    """`NAME` or `NAME=value`, as a compiler's -D takes it."""
    name, equals, value = node.text.partition("=")
    return read_symbol(node, name.removeprefix("-D"), what), _one_line(node, value) if equals else "1"


def read_symbol(node: Node, name: str, what: str) -> str:
    """A name that a macro can have."""
    if not (name.isidentifier() and name.isascii()):
        fail(node, f"{what} holds `{name[:40]}`, which is no name of a macro")
    return name


def read_value(node: Node, what: str) -> str | None:
    """A macro's value: true is 1, false is not defined, nothing is an empty definition."""
    if isinstance(node, ScalarNode) and node.is_flag:
        return "1" if as_flag(node, what) else None
    if isinstance(node, ScalarNode) and node.is_null:
        return ""
    if not isinstance(node, ScalarNode):
        fail(node, f"{what} must be a text, a number, true or false")
    return _one_line(node, node.text)


def _one_line(node: ScalarNode, text: str) -> str:
    if "\n" in text or "\r" in text or "\0" in text:
        fail(node, "the value of a macro is one line")
    return text
