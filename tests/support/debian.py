"""Real input: Debian's binary and source packages, unpacked below the cache folder.

The system's apt configuration is read and never changed: apt runs on a private state below the cache folder, with the
Debian entries of the system's source lists opened for source packages and for foreign architectures. That needs
no root. A mirror in the middle of a sync fails for single index files, so `apt-get update` is not judged by its exit
status; what counts is whether the package can be had.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from tests.support.cache import cache_folder, locked
from tests.support.tools import tool, unavailable

ARCHITECTURES = ("amd64", "arm64", "armhf")

# One Xen for every test: its hypervisors, their debug symbols and its source must belong together.
XEN_VERSION = "4.17.5+72-g01140da4e8-1"
_PINNED = {"xen": XEN_VERSION} | {
    f"xen-hypervisor-4.17-{arch}{suffix}": XEN_VERSION for arch in ARCHITECTURES for suffix in ("", "-dbg")
}
_TRIES = 4


def binary_package(
    name: str, arch: str = "amd64", version: str | None = None, only: Iterable[str] = (), suite: str = ""
) -> Path:
    """The folder in which the package's files lie as in the file system (`usr/lib/...`).

    `only` holds globs on these paths (`*` crosses `/`); nothing else is unpacked. Each choice of files is a download.
    `suite` is another release of Debian than this machine's.
    """
    version = version or (None if suite else _PINNED.get(name))
    globs = tuple(only)
    base = cache_folder() / "debian" / suite / "binary" / arch / name
    home = base / f"{version or 'candidate'}{f'-{_key(globs)}' if globs else ''}"
    if home.is_dir():
        return home
    with locked("debian"):
        if not home.is_dir():
            spec = f"{name}:{arch}" + (f"={version}" if version else "")
            with _staged(home) as stage, tempfile.TemporaryDirectory(dir=_state()) as download:
                _fetch(["download", spec], Path(download), spec, suite)
                for package in Path(download).glob("*.deb"):
                    _unpack_binary(package, stage, globs)
    return home


def with_dependencies(name: str, suite: str, only: Iterable[str], arch: str = "amd64") -> Path:
    """A package of another release together with all that it depends on, in one folder: a root to run programs in.

    Nothing of it is installed. `only` holds globs on the paths, as for `binary_package`.
    """
    globs = tuple(only)
    home = cache_folder() / "debian" / suite / "root" / f"{name}-{_key(globs)}"
    if home.is_dir():
        return home
    with locked("debian"):
        if not home.is_dir():
            with _staged(home) as stage, tempfile.TemporaryDirectory(dir=_state(suite)) as download:
                _fetch(["download", *_closure(f"{name}:{arch}", suite)], Path(download), name, suite)
                for package in Path(download).glob("*.deb"):
                    _unpack_binary(package, stage, globs)
    return home


def _closure(spec: str, suite: str) -> list[str]:
    """A package and all that it depends on: what apt would install where nothing is."""
    state = _state(suite)
    command = [tool("apt-get"), *_options(state), "--simulate", "--no-install-recommends", "install", spec]
    found: list[str] = []
    for renewed in (False, True):
        if renewed or not _have_lists(state):
            _update(command[0], state)
        done = subprocess.run(command, env={**os.environ, "LC_ALL": "C"}, capture_output=True, text=True, timeout=900)
        if done.returncode == 0:
            found = re.findall(r"^Inst (\S+) ", done.stdout, re.MULTILINE)
            break
    if not found:
        unavailable(f"Debian's package {spec} of {suite} cannot be had from this machine's mirror")
    architecture = spec.partition(":")[2]
    return [name if ":" in name else f"{name}:{architecture}" for name in found]


def source_package(name: str, version: str | None = None, only: Iterable[str] = (), suite: str = "") -> Path:
    """The source tree of a package: upstream's files at its top, Debian's in `debian/`, its patches not applied.

    `only` holds globs on paths from the top of the tree (`*` crosses `/`); nothing else is unpacked. The tarballs
    stay in the cache, so that another choice of files needs no second download.
    """
    version = version or (None if suite else _PINNED.get(name))
    globs = tuple(only)
    base = cache_folder() / "debian" / suite / "source" / name / (version or "candidate")
    home = base / (_key(globs) if globs else "all")
    if home.is_dir():
        return home
    with locked("debian"):
        tarballs = base / "tarballs"
        if not tarballs.is_dir():
            spec = name + (f"={version}" if version else "")
            with _staged(tarballs) as stage:
                _fetch(["source", "--download-only", spec], stage, spec, suite)
        if not home.is_dir():
            with _staged(home) as stage:
                for tarball in sorted(tarballs.glob("*.tar.*")):
                    if not tarball.name.endswith(".asc"):
                        _unpack(tarball, stage, globs)
    return home


def _key(globs: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(globs).encode()).hexdigest()[:12]


class _staged:  # noqa: N801 - used like a function, in a with statement
    """A folder that appears under its final name when the body ends well, and not at all otherwise."""

    def __init__(self, home: Path) -> None:
        self._home = home
        home.parent.mkdir(parents=True, exist_ok=True)
        self._stage = Path(tempfile.mkdtemp(dir=home.parent, prefix=".part-"))

    def __enter__(self) -> Path:
        return self._stage

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        if kind is None:
            self._stage.chmod(0o755)
            self._stage.rename(self._home)
        else:
            shutil.rmtree(self._stage, ignore_errors=True)


def _state(suite: str = "") -> Path:
    """The folder of the private apt state, with its sources written; each suite has its own."""
    state = cache_folder() / "debian" / suite / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "sources"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    sources = "\n".join(_debian_entries(suite))
    path = state / "sources" / "debian.sources"
    if not path.exists() or path.read_text() != sources:
        path.write_text(sources)
    return state


def _debian_entries(other: str) -> Iterator[str]:
    """The system's entries for this release of Debian, in deb822 form, each opened for source packages.

    For another suite they are those of the release itself, with the suite in its place: one mirror has all of them.
    """
    release = _codename()
    etc = Path("/etc/apt")
    lists = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    for path in lists:
        if not path.is_file():
            continue
        text = path.read_text(errors="replace")
        stanzas = _one_line_entries(text) if path.suffix == ".list" else re.split(r"\n\s*\n", text)
        for stanza in stanzas:
            fields = dict(re.findall(r"^([\w-]+):[ \t]*(.*)$", stanza, re.MULTILINE))
            suites = fields.get("Suites", "").split()
            if other and release in suites:
                fields["Suites"] = other
            if other in fields.get("Suites", "").split() or (
                not other and any(suite == release or suite.startswith(f"{release}-") for suite in suites)
            ):
                yield "Types: deb deb-src\n" + "".join(
                    f"{key}: {value}\n"
                    for key, value in fields.items()
                    if key in {"URIs", "Suites", "Components", "Signed-By", "Trusted"}
                )


def _one_line_entries(text: str) -> Iterator[str]:
    """Entries of the one-line form (`deb [options] uri suite component...`) as deb822 stanzas."""
    for kind, options, uri, suite, components in re.findall(
        r"^(deb)\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$", text, re.MULTILINE
    ):
        key = re.search(r"signed-by=(\S+)", options)
        signed = f"Signed-By: {key[1]}\n" if key else ""
        yield f"Types: {kind}\nURIs: {uri}\nSuites: {suite}\nComponents: {components}\n{signed}"


def _codename() -> str:
    found = re.search(r"^VERSION_CODENAME=(\S+)", Path("/etc/os-release").read_text(), re.MULTILINE)
    return found[1].strip('"') if found else "bookworm"


def _options(state: Path) -> list[str]:
    settings = {
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        # Containers switch the caches of parsed index files off; without them every call takes a second or two.
        "Dir::Cache::pkgcache": "pkgcache.bin",
        "Dir::Cache::srcpkgcache": "srcpkgcache.bin",
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": state / "sources",
        # Root's apt would otherwise switch to a user who may not look into the checkout.
        "APT::Sandbox::User": "root",
        "APT::Get::List-Cleanup": "false",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Acquire::PDiffs": "false",
    }
    options = [f"-o{key}={value}" for key, value in settings.items()]
    return options + [f"-oAPT::Architectures::={arch}" for arch in ARCHITECTURES]


def _fetch(command: list[str], folder: Path, what: str, suite: str = "") -> None:
    """Run an `apt-get` command that downloads into `folder`, renewing the index files where that may help."""
    apt, state = tool("apt-get"), _state(suite)
    said = ""
    for attempt in range(_TRIES):
        if attempt or not _have_lists(state):
            _update(apt, state)
        done = subprocess.run(
            [apt, "-qq", *_options(state), *command],
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=900,
        )
        if done.returncode == 0:
            return
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
    unavailable(f"Debian's package {what} cannot be had from this machine's mirror: {said}")


def _have_lists(state: Path) -> bool:
    return any(path.is_file() for path in (state / "lists").glob("*_Packages*"))


def _update(apt: str, state: Path) -> None:
    subprocess.run(
        [apt, "-qq", *_options(state), "update"],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        timeout=900,
    )


def _unpack_binary(package: Path, home: Path, globs: tuple[str, ...]) -> None:
    dpkg = tool("dpkg-deb")
    if not globs:
        subprocess.run([dpkg, "-x", package, home], check=True)
        return
    with (
        subprocess.Popen([dpkg, "--fsys-tarfile", package], stdout=subprocess.PIPE) as unpacker,
        tarfile.open(fileobj=unpacker.stdout, mode="r|") as archive,
    ):
        for member in archive:
            path = member.name.removeprefix("./")
            if any(fnmatchcase(path, glob) for glob in globs):
                _put(archive, member, path, home)
    assert unpacker.returncode == 0, package


def _unpack(tarball: Path, home: Path, globs: tuple[str, ...]) -> None:
    """Unpack regular files and symbolic links; the one top folder of an upstream tarball is left out."""
    component = re.search(r"\.orig-([\w-]+)\.tar\.", tarball.name)
    prefix = f"{component[1]}/" if component else ""
    keep_top = ".debian.tar." in tarball.name
    with tarfile.open(tarball, "r|*") as archive:
        for member in archive:
            path = member.name.removeprefix("./")
            if not keep_top:
                path = path.partition("/")[2]
            path = prefix + path
            if not globs or any(fnmatchcase(path, glob) for glob in globs):
                _put(archive, member, path, home)


def _put(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, home: Path) -> None:
    """Write one regular file or symbolic link below `home`; anything else, and what lies elsewhere, is left out."""
    if not path or ".." in path.split("/") or path.startswith("/"):
        return
    target = home / path
    if member.issym():
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_symlink():
            target.symlink_to(member.linkname)
    elif member.isfile():
        target.parent.mkdir(parents=True, exist_ok=True)
        content = archive.extractfile(member)
        assert content is not None
        with target.open("wb") as file:
            shutil.copyfileobj(content, file)
        if member.mode & 0o100:
            target.chmod(0o755)
