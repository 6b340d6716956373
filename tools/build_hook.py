"""Compiles the stock policies ahead of the build of a wheel (hatchling's custom build hook)."""

from __future__ import annotations

import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledPolicies(BuildHookInterface[Any]):
    """Calls `tools.compiled` when a wheel is put together."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # the interface's
        """Called by hatchling before it collects the files."""
        sys.path.insert(0, self.root)
        from tools.compiled import compile_policies

        compile_policies()
