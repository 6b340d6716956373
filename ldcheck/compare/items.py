"""What a normal form of a script is made of."""

from __future__ import annotations

from typing import NamedTuple

from ldcheck.script.syntax import Node


class Item(NamedTuple):
    """A part of the normal form. `text` is compared; `output` is the output section that it stands in, if any.

    `subject` is what two items have in common that say different things of one thing: a symbol, a section, a region.
    """

    text: str
    node: Node
    output: str = ""
    subject: str = ""
