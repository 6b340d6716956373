"""`python -m tools.toolchain [--show WORD]`: writes the catalogue, or shows what was seen of patterns with a word."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.toolchain.observe import observe, observe_links
from tools.toolchain.render import module

TABLE = Path(__file__).resolve().parents[2] / "ldcheck" / "sections" / "toolchain_table.py"


def main() -> int:
    """Ask everybody, and write or show."""
    parser = argparse.ArgumentParser(prog="python -m tools.toolchain", description=__doc__)
    parser.add_argument("--show", metavar="WORD", help="print the commands that gave sections with WORD in the name")
    options = parser.parse_args()
    sightings = observe() + observe_links()
    if options.show:
        for one in sightings:
            if options.show in one.pattern:
                sys.stdout.write(f"{one.pattern:30} {one.kind:12} {one.arch:10} {one.made_by}\n")
        return 0
    TABLE.write_text(module(sightings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
