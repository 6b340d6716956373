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
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from ldcheck.documents.files import read_source
from ldcheck.documents.nodes import (
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
    fail,
    unknown_keys,
)
from ldcheck.documents.parser import parse_document
from ldcheck.findings import CheckError, InputError
from ldcheck.project.keys import (
    NAMES,
    PREPROCESSORS,
    read_arch,
    read_definition,
    read_limit,
    read_linker,
    read_symbol,
    read_texts,
    read_value,
)
from ldcheck.project.target import DEFAULT_LIMIT, Project, Target
from ldcheck.source import Location, Source
from ldcheck.words import did_you_mean

_T = TypeVar("_T")


def read_project(path: str) -> Project:
    """Read a `.ldcheck.yaml`. Raises CheckError with every fault that is found in it."""
    return project_of(read_source(path, "configuration file"))


def project_of(source: Source) -> Project:
    """The project that the text of a `.ldcheck.yaml` describes; paths count from the folder of its name."""
    path = source.name
    document = parse_document(source)
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
        # What is named and not there: it keeps this target from being checked, and no other.
        self._absent: list[InputError] = []
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
            linkers=self._read("linker", read_linker, ()),
            policies=self._read("policies", self._policies, ()),
            optional=optional,
            root=os.path.relpath(self._folder or "."),
            location=self._key.location,
            notes=tuple(self._notes),
            errors=tuple(self._absent),
        )
        if self._errors:
            raise CheckError(*self._errors, *self._absent)
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
        self._absent.append(InputError(f"there is no {path}", where.location, help=_near(path)))

    def _from_here(self, node: Node) -> str:
        text = node.text if isinstance(node, ScalarNode) else ""
        return os.path.normpath(os.path.relpath(os.path.join(self._folder, text))) if text else ""

    def _path(self, node: Node, what: str) -> str:
        as_text(node, what)
        _plain(node, what)
        return self._from_here(node)

    def _paths(self, node: Node, what: str, missing_is_fine: bool) -> tuple[str, ...]:
        """Paths that must exist; a pattern stands for those that there are, which may be none."""
        found: list[str] = []
        for item in as_texts(node, what):
            path = self._path(item, what)
            if any(character in path for character in "*?["):
                from glob import glob

                found += sorted(glob(path))
                continue
            found.append(path)
            if not missing_is_fine:
                self._must_exist(what.strip("`"), path)
        return tuple(found)

    def _product(self, node: Node, what: str) -> str:
        """The path of something that a build leaves behind; empty, with a note, where there was no build.

        One build at a time leaves its products where the next one puts its own: what the target may go without
        (`optional`, or a key of the defaults) and is another architecture's is not there either.
        """
        path = self._path(node, what)
        if os.path.isfile(path):
            if self._may_be_of_another(what.strip("`")) and (whose := self._of_another(path, what.strip("`"))):
                self._notes.append(f"{what.strip('`')} {path} is {whose}'s")
                return ""
            return path
        self._notes.append(f"{what.strip('`')} {path} is not there")
        return ""

    def _may_be_of_another(self, name: str) -> bool:
        return self._node.get(name) is None or self._read("optional", as_flag, False)

    def _of_another(self, path: str, name: str) -> str:
        """The architecture that a product is of, if it is not the target's; empty if it is, or nothing tells."""
        arch = self._read("arch", read_arch, "")
        if not arch:
            return ""
        from ldcheck.image.arches import expand

        if name in ("image", "objects"):
            from ldcheck.image.machine import machine_of

            found = [machine] if (machine := machine_of(path)) else []
        elif name == "config":
            found = list(_machines_of(path))
        else:
            return ""
        return "" if not found or set(found) & set(expand(arch)) else " or ".join(found)

    def _objects(self, node: Node, what: str) -> tuple[str, ...]:
        found: list[str] = []
        for item in as_texts(node, what):
            path = self._path(item, what)
            if any(character in path for character in "*?["):
                from glob import glob

                matched = sorted(glob(path, recursive=True))
            else:
                matched = [path] if os.path.isfile(path) else []
            mine = matched
            if self._may_be_of_another("objects"):
                mine = [one for one in matched if not self._of_another(one, "objects")]
            if not mine:
                what = "nothing there" if not matched else "of another architecture"
                self._notes.append(f"objects {path}: {what}")
            found += mine
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


# Where a configuration tells its machine: within the first few hundred symbols, as Kconfig sorts its menus.
_CONFIG_LINE = re.compile(r"^(?:#define )?(CONFIG_[A-Z0-9_]+)[= ](?:y|1)\s*$", re.MULTILINE)


def _machines_of(path: str) -> tuple[str, ...]:
    """The architectures that a configuration may be for; empty if it does not tell, or cannot be read."""
    from ldcheck.project.machines import machines

    try:
        return machines(set(_CONFIG_LINE.findall(read_source(path, "configuration").text)))
    except CheckError:
        return ()


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
