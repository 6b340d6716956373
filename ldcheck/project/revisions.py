"""What git knows of another revision, with everything off that could run a program of the repository's choice."""

from __future__ import annotations

import os
from collections.abc import Collection

from ldcheck.findings import CheckError, InputError
from ldcheck.source import Location


def git(*arguments: str, folder: str = ".") -> str | None:
    """What git says; None where it fails, or is not there."""
    import subprocess

    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=60)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None


def commit_of(revision: str) -> str:
    """The commit that a revision means. Raises CheckError for one that is unknown."""
    found = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found is None:
        message = f"git knows no revision {revision} here"
        raise CheckError(InputError(message, Location(revision), help="give a branch or a commit"))
    return found.strip()


def common_base(revision: str) -> str:
    """The commit at which a revision and the current one parted. Raises CheckError for one that is unknown."""
    commit = commit_of(revision)
    return (git("merge-base", commit, "HEAD") or commit).strip()


def texts_at(commit: str, files: Collection[str]) -> dict[str, str]:
    """The texts that files had at a commit, of those that have another one now, or are not there any more.

    `files` are those that are there now, by which names their texts are told; of what is gone, headers and linker
    scripts are told, by names that count from the current folder.
    """
    top = git("rev-parse", "--show-toplevel")
    if top is None:
        return {}
    folder = os.path.realpath(top.removesuffix("\n"))
    options = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--name-status", "-z")
    listed = (git("diff", *options, commit, "--", folder=folder) or "").split("\0")
    texts: dict[str, str] = {}
    known = {os.path.realpath(name): os.path.normpath(name) for name in files}
    here = os.path.realpath(".")
    for status, name in zip(listed[::2], listed[1::2], strict=False):
        path = os.path.join(folder, name)
        real = os.path.realpath(path)
        gone = status == "D" and name.endswith((".h", ".S", ".lds", ".ld", ".x"))
        if gone or (status != "A" and real in known):
            text = git("show", f"{commit}:{name}", folder=folder)
            if text is not None:
                texts[known.get(real) or os.path.relpath(path, here)] = text
    return texts


def is_new(commit: str, file: str) -> bool:
    """Whether a file was not there at a commit."""
    folder, name = os.path.split(os.path.abspath(file))
    return not os.path.isdir(folder) or git("cat-file", "-e", f"{commit}:./{name}", folder=folder) is None
