"""Compiles the stock policies to data, beside them: `python -m tools.compiled`.

What is compiled is not committed. A stock policy that was changed since is parsed, so that a stale file does no harm.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def compile_policies() -> list[Path]:
    """Compile every stock policy. Returns the files made."""
    sys.path.insert(0, str(ROOT))
    from ldcheck.documents.compiled import SUFFIX, compile_document
    from ldcheck.documents.parser import parse_document
    from ldcheck.source import Source

    made = []
    for path in sorted((ROOT / "policies").rglob("*.yaml")):
        document = parse_document(Source(str(path), path.read_text(encoding="utf-8")))
        target = path.with_name(path.name + SUFFIX)
        target.write_bytes(compile_document(document))
        made.append(target)
    return made


if __name__ == "__main__":
    compile_policies()
