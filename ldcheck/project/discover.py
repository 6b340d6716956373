"""What linker scripts a tree has, and how each is preprocessed: for a first `.ldcheck.yaml`, and for runs without one.

Trees of projects whose layout is known are described by `layouts`. In others scripts are found by their names, and the
folders for #include by looking for what the scripts include.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ldcheck.image.arches import canonical, expand
from ldcheck.project.layouts import COMPILERS, LAYOUTS, Draft, Entry, Layout
from ldcheck.script.foreign import is_unpreprocessed

# Linker scripts, plain or to be preprocessed, by name; a header for linker scripts is none.
_SCRIPT = re.compile(r"(\.lds?(\.S)?|\.ldS|(^|/)(memory|link)\.x)\Z")
_INCLUDED = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.MULTILINE)
_GENERATED = re.compile(r"(^|/)generated/|(^|/)(autoconf|asm-offsets|config|version|platform_def)\.h\Z")
_SKIPPED = frozenset({".git", ".svn", "node_modules", "__pycache__", ".venv", ".cache"})
# What mostly holds what was built; what git tracks in there is source.
_BUILT = frozenset({"build", "out"})
_ASIDE = frozenset({"test", "tests", "tools", "scripts", "doc", "docs", "examples", "sandbox"})
# More than that is a collection of boards, of which a person chooses.
_MOST_TARGETS = 60
_MOST_FILES = 400_000
_READ = 1 << 20


class Tree(NamedTuple):
    """What was found: the project's name (empty: not known), the keys that all targets share, and the targets.

    `head` is the comment ahead of all, `remarks` are those ahead of shared keys. `left` counts scripts beyond the ones
    that are listed.
    """

    project: str
    head: str
    defaults: Mapping[str, Entry]
    remarks: Mapping[str, str]
    targets: tuple[Draft, ...]
    left: int = 0


def layout_of(top: str) -> Layout | None:
    """The layout of a known project whose tree `top` is the top of."""
    for layout in LAYOUTS:
        if all(os.path.exists(os.path.join(top, mark)) for mark in layout.marks):
            return layout
    return None


def known_top(path: str) -> str:
    """The top of the known project that a file lies in; empty if it lies in none."""
    folder = os.path.dirname(os.path.abspath(path))
    while layout_of(folder) is None:
        above = os.path.dirname(folder)
        if above == folder or os.path.exists(os.path.join(folder, ".git")):
            return ""
        folder = above
    return folder


def discover(top: str = ".") -> Tree:
    """The targets of the tree below `top`."""
    layout = layout_of(top)
    if layout is not None:
        targets = tuple(draft for draft in layout.targets if os.path.isfile(os.path.join(top, draft.script)))
        return Tree(layout.name, layout.head, layout.defaults, layout.remarks, targets)
    project = _project(top)
    texts = {path: _text(os.path.join(top, path)) for path in _files(top) if _SCRIPT.search(path)}
    # What another script includes is a part of that one.
    parts = {name.rpartition("/")[2] for text in texts.values() for name in _INCLUDED.findall(text)}
    scripts = [
        path
        for path, text in texts.items()
        if re.search(r"\bSECTIONS\b", text) and path.rpartition("/")[2] not in parts and not _is_aside(path)
    ]
    scripts.sort(key=lambda path: (path.count("/"), path))
    index = _Headers(top)
    taken: set[str] = set()
    drafts = tuple(_draft(top, path, project, index, taken) for path in scripts[:_MOST_TARGETS])
    head = (
        "What a first look at the tree found. Take out what is no target of yours, and see `ldcheck check --verbose`."
    )
    return Tree(project, head, {}, {}, drafts, len(scripts) - len(drafts))


# Projects that build their scripts in a way of their own, by what the top of their tree has.
_PROJECTS = (
    ("u-boot", ("include/u-boot", "arch", "common/board_f.c")),
    ("tf-a", ("bl31", "plat", "include/common/bl_common.ld.h")),
)


def _project(top: str) -> str:
    for name, marks in _PROJECTS:
        if all(os.path.exists(os.path.join(top, mark)) for mark in marks):
            return name
    return ""


def _files(top: str) -> Iterator[str]:
    """The files of the tree, as paths from its top, up to a bound."""
    count = 0
    tracked: frozenset[str] | None = None
    for place, folders, names in os.walk(top):
        folders[:] = sorted(folder for folder in folders if folder not in _SKIPPED and not folder.startswith("."))
        relative = os.path.relpath(place, top)
        prefix = "" if relative == "." else relative.replace(os.sep, "/") + "/"
        built = not _BUILT.isdisjoint(prefix.split("/"))
        if built and tracked is None:
            tracked = _tracked_where_built(top)
        if built and not any(path.startswith(prefix) for path in tracked or ()):
            folders.clear()
            continue
        for name in sorted(names):
            if built and tracked is not None and prefix + name not in tracked:
                continue
            count += 1
            if count > _MOST_FILES:
                return
            yield prefix + name


def _tracked_where_built(top: str) -> frozenset[str]:
    """What git tracks in folders that are named like those of a build, as paths from the top."""
    from ldcheck.project.revisions import git

    patterns = [f":(glob)**/{name}/**" for name in sorted(_BUILT)]
    return frozenset((git("ls-files", "-z", "--", *patterns, folder=top) or "").split("\0")) - {""}


def _is_aside(path: str) -> bool:
    """Whether a path leads to what helps to build or to test, and is not built itself."""
    return not _ASIDE.isdisjoint(path.split("/")[:-1])


def _text(path: str) -> str:
    try:
        if not os.path.isfile(path):
            return ""
        with open(path, "rb") as stream:
            return stream.read(_READ).decode("utf-8", "replace")
    except OSError:
        return ""


class _Headers:
    """Where the headers of a tree lie, by their last name; looked for when they are first asked for."""

    def __init__(self, top: str) -> None:
        self._top = top
        self._known: dict[str, list[str]] | None = None

    def folders(self, name: str) -> list[str]:
        """The folders from which `#include <name>` finds a file, as paths from the top."""
        if self._known is None:
            self._known = {}
            for path in _files(self._top):
                if path.endswith((".h", ".S", ".ld", ".inc")):
                    self._known.setdefault(path.rpartition("/")[2], []).append(path)
        wanted = f"/{name}"
        found = [f"/{path}" for path in self._known.get(name.rpartition("/")[2], ())]
        return [path[: -len(wanted)].lstrip("/") or "." for path in found if path.endswith(wanted)]


def _draft(top: str, path: str, project: str, index: _Headers, taken: set[str]) -> Draft:
    name = _name(path, taken)
    keys: dict[str, Entry] = {"script": path}
    remarks: dict[str, str] = {}
    text = _text(os.path.join(top, path))
    arch = _arch(path, text) or ("arm64" if project == "tf-a" else "")
    if arch:
        keys["arch"] = arch
    if project == "u-boot" or _is_preprocessed(path, text):
        if arch in COMPILERS:
            keys["compiler"] = (COMPILERS[arch],)
        if project == "u-boot":
            includes, missing, chosen = _uboot_includes(top, path)
        else:
            includes, missing, chosen = _includes(top, path, project, arch, index)
        if includes:
            keys["includes"] = includes
        keys["definitions"] = {
            "__ASSEMBLER__": True,
            "__ASSEMBLY__": True,
            "LINKER_SCRIPT": True,
            **_MORE.get(project, {}),
        }
        if project == "u-boot" and os.path.isfile(os.path.join(top, "include/linux/kconfig.h")):
            keys["include-first"] = ("include/linux/kconfig.h",)
        if missing:
            keys["generated"] = missing
            remarks["generated"] = "Not in this tree: made by a build, or of a board."
        if chosen:
            remarks["includes"] = chosen
    keys["optional"] = True
    return Draft(name, keys, remarks)


_MORE: Mapping[str, Mapping[str, object]] = {
    # The compilers' own macros for the machine would be put into OUTPUT_ARCH(mips).
    "u-boot": {"__KERNEL__": True, "__UBOOT__": True, "mips": False, "i386": False},
    "tf-a": {"__LINKER__": True, "__aarch64__": True},
}


def _name(path: str, taken: set[str]) -> str:
    """A short name for a target: the script's own, with the folders that tell it from others."""
    parts = re.sub(r"\.(lds?|ldS|x)(\.S)?\Z", "", path).split("/")
    for count in range(1, len(parts) + 1):
        name = "/".join(parts[-count:])
        if name not in taken:
            break
    taken.add(name)
    return re.sub(r"[^\w./+-]", "-", name)


def _uboot_includes(top: str, path: str) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """U-Boot's folders for #include, and what its build makes for a board."""
    words = path.split("/")
    own = f"arch/{words[1]}/include" if words[0] == "arch" else ""
    folders = tuple(folder for folder in ("include", own) if folder and os.path.isdir(os.path.join(top, folder)))
    return folders, ("config.h", "asm/arch*/*.h", "linux/stdarg.h", "stdarg.h"), ""


def _arch(path: str, text: str) -> str:
    """The architecture that a path tells, if the script does not say otherwise, or else the script."""
    found = _arch_of_path(path)
    said = _declared(text)
    if not said or (found and found in said):
        return found
    return said[0] if len(said) == 1 else ""


def _declared(text: str) -> tuple[str, ...]:
    """The architectures that OUTPUT_ARCH and OUTPUT_FORMAT allow, where they are plain words."""
    from ldcheck.image.arches import from_script

    arch = re.search(r"OUTPUT_ARCH\s*\(\s*\"?([\w:.-]+)", text)
    form = re.search(r"OUTPUT_FORMAT\s*\(\s*\"?([\w.-]+)", text)
    return from_script(arch[1] if arch else "", form[1] if form else "")


def _arch_of_path(path: str) -> str:
    words = path.split("/")
    for at, word in enumerate(words):
        if word == "arch" and at + 1 < len(words):
            named = {"arm": "arm32", "x86": "x86_64", "riscv": "riscv64", "powerpc": "ppc32"}.get(words[at + 1])
            return named or canonical(words[at + 1])
    return next(
        (found for word in words if (found := canonical(word)) and expand(word) == (found,) and len(word) > 3), ""
    )


def _is_preprocessed(path: str, text: str) -> bool:
    return path.endswith("S") or _INCLUDED.search(text) is not None or is_unpreprocessed(text)


def _includes(
    top: str, path: str, project: str, arch: str, index: _Headers
) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Folders for what a script includes, and what these include; headers that are nowhere; a remark on a choice."""
    found: dict[str, None] = {}
    missing: dict[str, None] = {}
    remark = ""
    pending = [path]
    seen = {path}
    while pending and len(seen) < 2_000:
        current = pending.pop(0)
        for name in _INCLUDED.findall(_text(os.path.join(top, current))):
            if beside := _beside(top, current, name, found):
                if beside not in seen:
                    seen.add(beside)
                    pending.append(beside)
                continue
            folders = index.folders(name)
            if not folders:
                missing[name] = None
                continue
            best = sorted(folders, key=lambda folder: _far(folder, path, project, arch))
            found[best[0]] = None
            if len(best) > 3 and not remark:
                remark = f"{name} is in {len(best)} folders; this one was taken for all."
            header = os.path.normpath(os.path.join(best[0], name))
            if header not in seen:
                seen.add(header)
                pending.append(header)
    generated = tuple(name for name in missing if _GENERATED.search(name) or not name.startswith(("linux/", "asm/")))
    return tuple(found), generated, remark


def _beside(top: str, current: str, name: str, folders: Iterable[str]) -> str:
    """The file that an #include finds already: beside the one that includes it, or in a folder that was found."""
    for folder in (os.path.dirname(current), *folders):
        candidate = os.path.normpath(os.path.join(folder, name))
        if os.path.isfile(os.path.join(top, candidate)):
            return candidate
    return ""


# A board that stands for many: its headers ask for nothing that only a makefile defines.
_COMMON_BOARDS = {"tf-a": ("plat/qemu/qemu/include", "plat/qemu/common/include")}


def _far(folder: str, path: str, project: str, arch: str) -> tuple[int, int, int, str]:
    """How little a folder suggests itself: not under `include`, of another architecture, far from the script."""
    words = folder.split("/")
    own = path.split("/")
    shared = next(
        (at for at, (one, other) in enumerate(zip(words, own, strict=False)) if one != other), min(len(words), len(own))
    )
    alien = any(canonical(word) not in ("", arch) for word in words) if arch else 0
    test = not _ASIDE.isdisjoint(words)
    known = any(folder.startswith(prefix) for prefix in _COMMON_BOARDS.get(project, ()))
    return (int(alien) + 2 * int(test), 0 if known else 1, -shared - int("include" in words), folder)
