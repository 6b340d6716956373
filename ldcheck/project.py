"""Reads `.ldcheck.yaml`: which linker scripts a project has, and how each is preprocessed, linked and checked.

    ldcheck: 1
    defaults: { policies: [generic] }
    targets:
      xen/x86:
        script: xen/arch/x86/xen.lds.S
        arch: x86_64
        includes: [xen/include, xen/arch/x86/include]

Paths count from the folder of the file. What a build leaves behind (command file, configuration, image, map, objects)
may be missing: the target then goes without it and says so. Everything else that is named must be there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from ldcheck.document_parser import parse_document
from ldcheck.documents import (
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    as_choice,
    as_flag,
    as_integer,
    as_list,
    as_mapping,
    as_text,
    as_texts,
    did_you_mean,
    fail,
    read_source,
    unknown_keys,
)
from ldcheck.findings import CheckError, InputError
from ldcheck.project_keys import (
    NAMES,
    PREPROCESSORS,
    read_arch,
    read_definition,
    read_limit,
    read_symbol,
    read_texts,
    read_value,
)
from ldcheck.record import dataclass, field
from ldcheck.source import Location

FILE_NAME = ".ldcheck.yaml"
_T = TypeVar("_T")
DEFAULT_LIMIT = 64


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Target:
    """One linker script and all that belongs to it. Paths count from the current folder.

    `definitions` holds None for a name that is undefined on purpose. `compiler` are names to try in turn; empty: the
    native one, with the macros of `arch`. `config` is a `.config` or `autoconf.h`. `vary` gives symbols their values,
    None for not defined; `pin` gives them one. `generated` are patterns of headers that may be missing.
    `preprocessor` is `auto`, or the one way to use: `recorded`, `compiler`, `pcpp`. `limit` is the number of distinct
    scripts above which pairs of values are covered instead of everything. `root` is the folder of the tree, from which
    no program is run. `notes` say what of a build is missing.
    """

    name: str
    script: str
    arch: str = ""
    includes: tuple[str, ...] = ()
    definitions: Mapping[str, str | None] = field(default_factory=dict)
    include_first: tuple[str, ...] = ()
    compiler: tuple[str, ...] = ()
    preprocessor: str = "auto"
    command_file: str = ""
    config: str = ""
    generated: tuple[str, ...] = ()
    vary: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    pin: Mapping[str, str | None] = field(default_factory=dict)
    limit: int = DEFAULT_LIMIT
    image: str = ""
    map: str = ""
    objects: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    optional: bool = False
    root: str = "."
    location: Location = field(default_factory=lambda: Location(FILE_NAME))
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Project:
    """What a `.ldcheck.yaml` says. `left_out` are notes on optional targets whose script is not in this tree."""

    path: str
    targets: tuple[Target, ...]
    left_out: tuple[str, ...] = ()


class Selection(NamedTuple):
    """The targets that some files belong to, and the files that belong to none."""

    targets: tuple[Target, ...]
    others: tuple[str, ...]


def find_project(folder: str = ".") -> str:
    """The path of the `.ldcheck.yaml` of a folder or, failing that, of the nearest one above it; empty if none."""
    current = os.path.abspath(folder)
    while True:
        path = os.path.join(current, FILE_NAME)
        if os.path.isfile(path):
            return os.path.relpath(path)
        above = os.path.dirname(current)
        # A repository's top is the end: what lies above belongs to somebody else.
        if above == current or os.path.exists(os.path.join(current, ".git")):
            return ""
        current = above


def read_project(path: str) -> Project:
    """Read a `.ldcheck.yaml`. Raises CheckError with every fault that is found in it."""
    document = parse_document(read_source(path, "configuration file"))
    errors = [error for _, error in document.faults]
    root = as_mapping(document.root, "the configuration")
    errors += unknown_keys(root, ("ldcheck", "defaults", "targets"), "the configuration")
    folder = os.path.dirname(path)
    targets: list[Target] = []
    left_out: list[str] = []
    try:
        _check_version(root)
        node = root.get("targets")
        if node is None:
            fail(root, "the configuration has no `targets`", advice="each is `name: {script: path}`")
        listed = as_mapping(node, "`targets`")
        shared = as_mapping(defaults, "`defaults`") if (defaults := root.get("defaults")) else None
        if shared is not None:
            errors += unknown_keys(shared, [name for name in NAMES if name != "script"], "`defaults`")
    except CheckError as error:
        raise CheckError(*errors, *error.errors) from None
    for key, value in listed.items():
        try:
            target = _Reader(folder, key, as_mapping(value, f"the target {key.text}"), shared).target()
        except CheckError as error:
            # What is wrong in `defaults` is wrong for every target, and said once.
            errors += [wrong for wrong in error.errors if not any(_same(wrong, other) for other in errors)]
            continue
        if target.optional and not os.path.isfile(target.script):
            left_out.append(f"{target.name}: {target.script} is not in this tree")
        else:
            targets.append(target)
    if errors:
        raise CheckError(*errors)
    return Project(path, tuple(targets), tuple(left_out))


def targets_for(project: Project, files: Sequence[str]) -> Selection:
    """The targets that files (as pre-commit hands them over) belong to; without files, all.

    A script belongs to its targets, a header to those whose script includes it in some configuration, and the
    configuration file to all. Raises CheckError for a script's file that cannot be read.
    """
    if not files:
        return Selection(project.targets, ())
    chosen: dict[str, Target] = {}
    others: list[str] = []
    reach: dict[str, frozenset[str]] = {}
    for name in files:
        path = os.path.normpath(os.path.relpath(name))
        if path == os.path.normpath(project.path):
            return Selection(project.targets, ())
        found = [target for target in project.targets if path in _own_files(target)]
        if not found:
            if not reach:
                reach = _reached(project.targets)
            found = [target for target in project.targets if path in reach[target.name]]
        chosen.update((target.name, target) for target in found)
        if not found:
            others.append(name)
    return Selection(tuple(target for target in project.targets if target.name in chosen), tuple(others))


def _own_files(target: Target) -> tuple[str, ...]:
    return (target.script, *target.include_first, target.command_file, target.config, *target.policies)


def _reached(targets: Sequence[Target]) -> dict[str, frozenset[str]]:
    """By target, every file that its script includes in some branch."""
    from ldcheck.preprocess.files import Files
    from ldcheck.preprocess.inputs import Inputs, survey
    from ldcheck.preprocess.recorded import dependencies

    files = Files()
    reached = {}
    for target in targets:
        inputs = Inputs(target.script, files, target.includes, {}, target.include_first)
        reached[target.name] = frozenset(file.name for file in survey(inputs).files)
        if target.command_file:
            reached[target.name] |= dependencies(target.command_file)
    return reached


def _check_version(root: MappingNode) -> None:
    version = root.get("ldcheck")
    if version is None:
        fail(root, "the configuration does not say for which ldcheck it is", advice="begin it with `ldcheck: 1`")
    if as_integer(version, "`ldcheck`") != 1:
        fail(version, "this ldcheck reads configurations of version 1")


def _same(one: InputError, other: InputError) -> bool:
    return one.message == other.message and one.location == other.location


_NOTHING_VARIED: dict[str, tuple[str | None, ...]] = {}


class _Reader:
    """Reads one target; `shared` are the defaults, which stand where the target says nothing.

    `definitions` and `pin` of both count, name by name.
    """

    def __init__(self, folder: str, key: ScalarNode, node: MappingNode, shared: MappingNode | None) -> None:
        self._folder = folder
        self._key = key
        self._node = node
        self._shared = shared
        self._errors: list[InputError] = unknown_keys(node, NAMES, f"the target {key.text}")
        self._notes: list[str] = []

    def target(self) -> Target:
        """The target. Raises CheckError with everything that is wrong in it."""
        script = self._read("script", self._path, "")
        if not script and self._get("script") is None:
            self._errors.append(InputError(f"the target {self._key.text} has no `script`", self._key.location))
        optional = self._read("optional", as_flag, False)
        missing_is_fine = optional and not os.path.isfile(script)
        if script and not missing_is_fine:
            self._must_exist("script", script)
        pin = self._merged("pin")
        vary = self._read("vary", self._varied, _NOTHING_VARIED)
        for name in pin:
            if name in vary:
                node = self._get("pin")
                assert node is not None
                self._errors.append(InputError(f"{name} is both pinned and varied", _entry(node, name)))
        target = Target(
            name=self._key.text,
            script=script,
            arch=self._read("arch", read_arch, ""),
            includes=self._read("includes", lambda node, what: self._paths(node, what, missing_is_fine), ()),
            definitions=self._merged("definitions"),
            include_first=self._read("include-first", lambda node, what: self._paths(node, what, missing_is_fine), ()),
            compiler=self._read("compiler", read_texts, ()),
            preprocessor=self._read("preprocessor", lambda node, what: as_choice(node, what, PREPROCESSORS), "auto"),
            command_file=self._read("command-file", self._product, ""),
            config=self._read("config", self._product, ""),
            generated=self._read("generated", read_texts, ()),
            vary=vary,
            pin=pin,
            limit=self._read("limit", read_limit, DEFAULT_LIMIT),
            image=self._read("image", self._product, ""),
            map=self._read("map", self._product, ""),
            objects=self._read("objects", self._objects, ()),
            policies=self._read("policies", self._policies, ()),
            optional=optional,
            root=os.path.relpath(self._folder or "."),
            location=self._key.location,
            notes=tuple(self._notes),
        )
        if self._errors:
            raise CheckError(*self._errors)
        return target

    def _get(self, name: str) -> Node | None:
        node = self._node.get(name)
        if node is None and self._shared is not None:
            node = self._shared.get(name)
        return node

    def _read(self, name: str, read: Callable[[Node, str], _T], otherwise: _T) -> _T:
        node = self._get(name)
        if node is None:
            return otherwise
        try:
            return read(node, f"`{name}`")
        except CheckError as error:
            self._errors.extend(error.errors)
            return otherwise

    def _must_exist(self, name: str, path: str) -> None:
        if os.path.exists(path):
            return
        node = self._get(name)
        assert node is not None
        where = next((item for item in _items(node) if self._from_here(item) == path), node)
        self._errors.append(InputError(f"there is no {path}", where.location, help=_near(path)))

    def _from_here(self, node: Node) -> str:
        text = node.text if isinstance(node, ScalarNode) else ""
        return os.path.normpath(os.path.relpath(os.path.join(self._folder, text))) if text else ""

    def _path(self, node: Node, what: str) -> str:
        as_text(node, what)
        _plain(node, what)
        return self._from_here(node)

    def _paths(self, node: Node, what: str, missing_is_fine: bool) -> tuple[str, ...]:
        found = tuple(self._path(item, what) for item in as_texts(node, what))
        if not missing_is_fine:
            for path in found:
                self._must_exist(what.strip("`"), path)
        return found

    def _product(self, node: Node, what: str) -> str:
        """The path of something that a build leaves behind; empty, with a note, where there was no build."""
        path = self._path(node, what)
        if os.path.isfile(path):
            return path
        self._notes.append(f"{what.strip('`')} {path} is not there")
        return ""

    def _objects(self, node: Node, what: str) -> tuple[str, ...]:
        found: list[str] = []
        for item in as_texts(node, what):
            path = self._path(item, what)
            if any(character in path for character in "*?["):
                from glob import glob

                matched = sorted(glob(path, recursive=True))
            else:
                matched = [path] if os.path.isfile(path) else []
            if not matched:
                self._notes.append(f"objects {path}: nothing there")
            found += matched
        return tuple(found)

    def _policies(self, node: Node, what: str) -> tuple[str, ...]:
        """Policies: a file counts from the folder of the configuration; anything else is the name of a stock one."""
        found = []
        for item in as_texts(node, what):
            _plain(item, what)
            path = self._from_here(item)
            is_file = os.path.isfile(path) or item.text.endswith((".yaml", ".yml"))
            if is_file:
                self._must_exist("policies", path)
            found.append(path if is_file else item.text)
        return tuple(found)

    def _merged(self, name: str) -> dict[str, str | None]:
        """Definitions of the defaults together with those of the target, which win."""
        found: dict[str, str | None] = {}
        for node in (self._shared, self._node):
            value = node.get(name) if node is not None else None
            if value is not None:
                try:
                    found.update(self._definitions(value, f"`{name}`"))
                except CheckError as error:
                    self._errors.extend(error.errors)
        return found

    def _definitions(self, node: Node, what: str) -> dict[str, str | None]:
        """`{NAME: value}`, or a list of `NAME` and `NAME=value` as a compiler's -D takes them."""
        if not isinstance(node, MappingNode):
            return dict(read_definition(item, what) for item in as_texts(node, what))
        found: dict[str, str | None] = {}
        for key, value in node.items():
            found[read_symbol(key, key.text, what)] = read_value(value, f"{key.text} in {what}")
        return found

    def _varied(self, node: Node, what: str) -> dict[str, tuple[str | None, ...]]:
        """`[NAME, ...]`, or `{NAME: [value, ...]}` for symbols with other values than defined and not defined."""
        if not isinstance(node, MappingNode):
            return {read_symbol(item, item.text, what): (None, "1") for item in as_texts(node, what)}
        found: dict[str, tuple[str | None, ...]] = {}
        for key, value in node.items():
            values = tuple(dict.fromkeys(read_value(item, f"{key.text} in {what}") for item in as_list(value, what)))
            if not values:
                fail(value, f"{key.text} in {what} has no values")
            found[read_symbol(key, key.text, what)] = values
        return found


def _entry(node: Node, name: str) -> Location:
    if isinstance(node, MappingNode) and name in node.keys:
        return node.keys[name].location
    for item in _items(node):
        if isinstance(item, ScalarNode) and item.text.partition("=")[0] == name:
            return item.location
    return node.location


def _items(node: Node) -> Sequence[Node]:
    return node.items if isinstance(node, SequenceNode) else (node,)


def _near(path: str) -> str:
    """Where a path stops being right, and what there is instead."""
    folder, name = os.path.split(path)
    if not os.path.isdir(folder or "."):
        return f"there is no folder {folder} either; paths count from the folder of this file"
    try:
        return did_you_mean(name, os.listdir(folder or "."), "paths count from the folder of this file")
    except OSError:
        return ""


def _plain(node: Node, what: str) -> None:
    if isinstance(node, ScalarNode) and ("\0" in node.text or "\n" in node.text):
        fail(node, f"{what} is no path: it holds a line end or a NUL")
