"""What a reader of the output has asked for, beside the format; every format takes what concerns it."""

from __future__ import annotations

from ldcheck.record import dataclass


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Options:
    """`width` is the width in columns to which excerpts are cut; 0 stands for 120.

    `root` is the folder to which the consumer takes paths to be relative (a checkout), `here` the folder to which the
    paths in findings are relative; both absolute, both empty where paths are shown as they are.
    """

    color: bool = False
    width: int = 0
    verbose: bool = False
    root: str = ""
    here: str = ""

    def path(self, file: str) -> str:
        """`file` relative to `root`, with slashes; unchanged where that says nothing or leads out of it."""
        if not self.root or file.startswith("<"):
            return file
        import os.path

        try:
            relative = os.path.relpath(os.path.join(self.here, file), self.root)
        except ValueError:
            return file
        return file if relative.startswith("..") else relative.replace(os.sep, "/")
