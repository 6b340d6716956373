"""Runs a compiler as a preprocessor: no shell, few options, a bounded output, and several runs side by side.

Where programs come from is part of it: the names of compilers stand in files that strangers wrote (`.ldcheck.yaml`,
the commands that Kbuild recorded), so only what is called like a compiler is run, and nothing that lies in the tree
that is being checked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from ldcheck.findings import CheckError, InputError
from ldcheck.record import dataclass
from ldcheck.source import Location, decode

_COMPILER = re.compile(r"(?:[\w.+]+-)*(?:gcc|cc|cpp|clang|clang-cpp)(?:-[0-9]+(?:\.[0-9]+)*)?\Z")
MAX_OUTPUT = 64 << 20
MAX_MEMORY = 1 << 30
SECONDS = 30.0
# More than there are processors is of no use, and each holds a pipe's worth of memory.
AT_ONCE = max(2, min(8, os.cpu_count() or 1))


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


def run_all(commands: Sequence[Sequence[str]]) -> list[Run]:
    """Run the commands, several at a time. Raises CheckError for one that cannot be started or does not end."""
    runs = [Running(command) for command in commands[:AT_ONCE]]
    results: list[Run] = []
    try:
        for at in range(len(commands)):
            results.append(runs[at].result())
            if len(runs) < len(commands):
                runs.append(Running(commands[len(runs)]))
    finally:
        for run in runs:
            run.stop()
    return results


class Running:
    """A program that was started in the current folder; its result is waited for when it is asked for.

    `subprocess` would do the same, at the price of an import that is a sixth of a hook's start-up.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._name = command[0]
        self._pid = 0
        self._status: int | None = None
        out, out_end = os.pipe()
        errors, errors_end = os.pipe()
        self._streams = [out, errors]
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, out_end, 1),
            (os.POSIX_SPAWN_DUP2, errors_end, 2),
        ]
        try:
            self._pid = os.posix_spawn(command[0], list(command), _environment(), file_actions=actions, setpgroup=0)
            _limit_memory(self._pid)
        except (OSError, ValueError) as error:
            self.stop()
            reason = (getattr(error, "strerror", "") or str(error)).lower()
            raise CheckError(InputError(f"{self._name} cannot be run: {reason}", Location(self._name))) from None
        finally:
            os.close(out_end)
            os.close(errors_end)

    def result(self) -> Run:
        """Wait for the end. Raises CheckError for a run that takes too long or writes too much."""
        import select
        import time

        parts: dict[int, list[bytes]] = {stream: [] for stream in self._streams}
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
        out, errors = (b"".join(data) for data in parts.values())
        self._wait()
        self.stop()
        return Run(self._status or 0, out, decode(errors))

    def _failure(self, message: str) -> CheckError:
        self.stop()
        return CheckError(InputError(f"{self._name} {message}", Location(self._name)))

    def _wait(self) -> None:
        _, status = os.waitpid(self._pid, 0)
        self._status = os.waitstatus_to_exitcode(status)

    def stop(self) -> None:
        """End the program if it still runs, and close what it wrote to."""
        if self._pid and self._status is None:
            # A compiler's driver leaves the work to a program of its own, which would go on without it.
            os.killpg(self._pid, 9)
            self._wait()
        while self._streams:
            os.close(self._streams.pop())


def _limit_memory(process: int) -> None:
    """Bound the memory of a program: an argument that doubles with each macro call is expanded in memory."""
    import resource

    try:
        resource.prlimit(process, resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    except ProcessLookupError:
        pass


def _environment() -> Mapping[str, str]:
    """Little is handed on: some variables make gcc write files, or look for its parts elsewhere."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    environment["LC_ALL"] = "C"
    return environment
