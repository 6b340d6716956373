"""Xen's own tree: every configuration of its scripts without a build, and what was linked against the link itself."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.paired import Result, ratio
from tests.support.build import TARGETS
from tests.support.tools import tool
from tests.support.xen import built_objects, xen
from tests.test_xen_predicted import leaves, symbol_table

_CONFIGURATION = Path(__file__).parents[1] / "examples/xen/.ldcheck.yaml"


def measure() -> Iterator[Result]:
    """Check Xen's tree as the example's configuration does it, and Xen's link with its map, of two kinds of objects."""
    check = [sys.executable, "-m", "ldcheck", "check"]
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name)
        shutil.copy(_CONFIGURATION, tree)
        (tree / "xen").symlink_to(xen("x86_64").tree)
        one = [*check, "--target", "xen/x86", "--target", "xen/x86-efi"]
        yield ratio("both scripts of x86 in every configuration, no build", one, bar=6, cwd=tree)
        yield ratio("all targets of Xen in every configuration, no build", check, bar=15, cwd=tree)
        prelinked = built_objects("x86_64")
        home = prelinked.parent
        symbols = str(symbol_table(tree, prelinked, "x86_64"))
        for kind, objects in (("one object", [prelinked.name]), ("its objects", leaves(home, prelinked.name))):
            script, elf, link_map = home / "arch/x86/xen.lds", tree / "xen-syms", tree / "xen-syms.map"
            link: list[str | Path] = [
                tool(f"{TARGETS['x86_64'].prefix}ld"),
                *TARGETS["x86_64"].linker,
                "-N",
                "-T",
                script,
                "-o",
                elf,
            ]
            link += [f"-Map={link_map}", "--build-id=sha1", "--no-warn-rwx-segments", *objects, symbols]
            command: list[str | Path] = [*check, "--policy", "xen/x86", script, "--elf", elf, "--map", link_map]
            name = f"check of Xen's link from {kind} with its map"
            yield ratio(name, command, link, bar=1, cwd=home, reference_cwd=home)
