"""How Sphinx builds the site: `make docs`."""

from __future__ import annotations

project = "ldcheck"
html_title = "ldcheck"
extensions = ["myst_parser"]
html_theme = "furo"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# A broken reference between pages fails the build, which runs with warnings as errors.
nitpicky = True
exclude_patterns = ["_build"]
