"""`python -m ldcheck`."""

from __future__ import annotations

import sys

from ldcheck.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
