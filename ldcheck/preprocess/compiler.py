"""Runs a compiler as a preprocessor: no shell, few options, a bounded output, and several runs side by side.

Where programs come from is part of it: the names of compilers stand in files that strangers wrote (`.ldcheck.yaml`,
the commands that Kbuild recorded), so only what is called like a compiler is run, and nothing that lies in the tree
that is being checked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ldcheck.findings import CheckError, InputError
from ldcheck.record import dataclass
from ldcheck.source import Location, decode

if TYPE_CHECKING:
    import subprocess

_COMPILER = re.compile(r"(?:[\w.+]+-)*(?:gcc|cc|cpp|clang|clang-cpp)(?:-[0-9]+(?:\.[0-9]+)*)?\Z")
MAX_OUTPUT = 64 << 20
MAX_MEMORY = 4 << 30
SECONDS = 30.0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Run:
    """What one run gave."""

    status: int
    out: bytes
    errors: str


def find_program(name: str, tree: Sequence[str]) -> str:
    """The path of the compiler `name`, or an empty string if this machine has none of that name.

    Raises ValueError, with the reason, for a name that is not a compiler's, or that lies below a folder of `tree`.
    """
    if not _COMPILER.match(os.path.basename(name)):
        raise ValueError(f"{name} is not the name of a compiler that ldcheck runs (gcc, cc, cpp, clang, with a prefix)")
    if os.sep in name:
        if not os.path.isabs(name):
            raise ValueError(f"{name} is a path within the tree: a compiler is found on PATH or named by a full path")
        candidates = [name]
    else:
        folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
        candidates = [os.path.join(folder, name) for folder in folders if os.path.isabs(folder)]
    for path in candidates:
        if os.path.isfile(path) and os.access(path, os.X_OK):
            if any(_below(os.path.realpath(path), folder) or _below(path, folder) for folder in tree):
                raise ValueError(f"{path} lies in the tree that is being checked")
            return path
    return ""


def _below(path: str, folder: str) -> bool:
    folder = os.path.realpath(folder)
    return folder != os.sep and os.path.abspath(path).startswith(folder + os.sep)


def run_all(commands: Sequence[Sequence[str]], directory: str = "") -> list[Run]:
    """Run the commands, several at a time. Raises CheckError for one that cannot be started or does not end."""
    runs = [Running(command, directory) for command in commands[:AT_ONCE]]
    results: list[Run] = []
    try:
        for at in range(len(commands)):
            results.append(runs[at].result())
            if len(runs) < len(commands):
                runs.append(Running(commands[len(runs)], directory))
    finally:
        for run in runs:
            run.stop()
    return results


# More than there are processors is of no use, and each holds a pipe's worth of memory.
AT_ONCE = max(2, min(8, os.cpu_count() or 1))


class Running:
    """A program that was started; its result is waited for when it is asked for."""

    def __init__(self, command: Sequence[str], directory: str = "") -> None:
        import resource
        import subprocess

        self._name = command[0]
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=directory or None,
                env=_environment(),
            )
            # An argument of a macro is expanded in memory: what doubles with each nesting must not fill it.
            resource.prlimit(self._process.pid, resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
        except ProcessLookupError:
            pass
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", "") or str(error)).lower()
            raise CheckError(InputError(f"{self._name} cannot be run: {reason}", Location(self._name))) from None

    def result(self) -> Run:
        """Wait for the end. Raises CheckError for a run that takes too long or writes too much."""
        import select
        import time

        out, errors = self._process.stdout, self._process.stderr
        assert out is not None
        assert errors is not None
        parts: dict[int, list[bytes]] = {out.fileno(): [], errors.fileno(): []}
        poll = select.poll()
        for stream in parts:
            poll.register(stream, select.POLLIN | select.POLLHUP)
        left, size, deadline = len(parts), 0, time.monotonic() + SECONDS
        while left:
            ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
            if not ready:
                raise self._failure(f"does not come to an end within {SECONDS:.0f} seconds")
            for stream, _ in ready:
                data = os.read(stream, 1 << 17)
                size += len(data)
                parts[stream].append(data)
                if not data:
                    poll.unregister(stream)
                    left -= 1
            if size > MAX_OUTPUT:
                raise self._failure(f"writes more than {MAX_OUTPUT >> 20} MiB: a macro that expands without end?")
        status = self._process.wait()
        run = Run(status, b"".join(parts[out.fileno()]), decode(b"".join(parts[errors.fileno()])))
        self.stop()
        return run

    def _failure(self, message: str) -> CheckError:
        self.stop()
        return CheckError(InputError(f"{self._name} {message}", Location(self._name)))

    def stop(self) -> None:
        """End the program if it still runs, and close what it wrote to."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


def _environment() -> Mapping[str, str]:
    """Little is handed on: some variables make gcc write files, or look for its parts elsewhere."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    environment["LC_ALL"] = "C"
    return environment
