"""`python -m ldcheck`."""

from __future__ import annotations

from ldcheck.cli.main import run

if __name__ == "__main__":
    run()
