"""What a rule can be judged on: one configuration of a script, and what was linked.

A `ScriptView` offers a check the syntax tree together with the two engines' results (which rule takes which section,
what is guaranteed of each address), computed once and only when a check asks. An `ImageView` offers the facts of the
link. Checks get views and a rule and return a judgement; they open no files.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from ldcheck.source import Location, Related, SourceMap

if TYPE_CHECKING:
    from ldcheck.image.model import Image
    from ldcheck.layout.facts import Layout
    from ldcheck.script.syntax import Node, Script
    from ldcheck.sections.rules import InputRule


class ScriptView:
    """One configuration of a linker script.

    `arch` is the target's architecture or empty; `params` are named values that the policy gives to symbols which the
    script leaves undefined.
    """

    def __init__(self, tree: Script, sources: SourceMap, arch: str = "", params: Mapping[str, int] | None = None) -> None:
        self.tree = tree
        self.sources = sources
        self.arch = arch
        self.params = dict(params or {})

    @cached_property
    def rules(self) -> tuple[InputRule, ...]:
        """Every input section pattern in the order in which GNU ld tries them."""
        from ldcheck.sections.rules import input_rules

        return input_rules(self.tree)

    @cached_property
    def layout(self) -> Layout:
        """What the script guarantees of each address."""
        from ldcheck.layout.interpret import interpret

        return interpret(self.tree, params=self.params)

    @cached_property
    def routes(self) -> Mapping[int, str]:
        """The symbolic place of each node, by `id`."""
        from ldcheck.script.routes import routes

        return routes(self.tree)

    def route(self, node: Node) -> str:
        """The symbolic place of a node (`SECTIONS/.text/3`), stable under edits elsewhere."""
        return self.routes.get(id(node), "")

    def locate(self, node: Node) -> Location:
        """The place that a person would edit for this node."""
        return self.sources.locate(node.start, node.end)

    def related(self, node: Node) -> tuple[Related, ...]:
        """The macro uses and `#include` lines that brought the node here."""
        return self.sources.related(node.start, node.end)


class ImageView:
    """What was linked, and, where there is one, the script that made it (for the places of findings)."""

    def __init__(self, image: Image, arch: str = "", script: ScriptView | None = None, params: Mapping[str, int] | None = None) -> None:
        self.image = image
        self.arch = arch
        self.script = script
        self.params = dict(params or {})
