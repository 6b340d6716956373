"""`ldcheck init`: writes a first `.ldcheck.yaml` for the tree that it stands in."""

from __future__ import annotations

import argparse
import os
import sys

from ldcheck.cli.arguments import stop
from ldcheck.project.target import FILE_NAME

_EXAMPLES = """\
examples:
  ldcheck init           writes .ldcheck.yaml; never over one that is there
  ldcheck init --print   shows what it would write

exit status:
  0  written, or printed
  2  there is a .ldcheck.yaml, or no linker script
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser(
        "init",
        description="Write a first .ldcheck.yaml: the linker scripts of this tree, and how they are preprocessed.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("--print", action="store_true", dest="show", help="print it, and write nothing")


def run(arguments: argparse.Namespace) -> int:
    """Write or print the configuration."""
    from ldcheck.project.discover import discover
    from ldcheck.project.write import written

    if not arguments.show and os.path.lexists(FILE_NAME):
        stop(f"there is a {FILE_NAME} here already: --print shows what would be written")
    tree = discover()
    if not tree.targets:
        stop("there is no linker script below this folder, but for what git does not track in `build` and `out`")
    text = written(tree)
    if arguments.show:
        sys.stdout.write(text)
        return 0
    try:
        with open(FILE_NAME, "x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        stop(f"{FILE_NAME} cannot be written: {(error.strerror or str(error)).lower()}")
    named = ", ".join(draft.name for draft in tree.targets[:6])
    more = f" and {len(tree.targets) - 6} more" if len(tree.targets) > 6 else ""
    sys.stdout.write(f"{FILE_NAME}: {len(tree.targets)} targets ({named}{more}); now `ldcheck check`\n")
    return 0
