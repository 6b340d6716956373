"""What is said of a part of a script that says something else than before: the words for one entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ldcheck.compare.items import Item
from ldcheck.script.printer import print_expression as show
from ldcheck.script.syntax import Assignment, InputSectionDescription, OutputSection

if TYPE_CHECKING:
    from collections.abc import Callable

_KEEP = "KEEP "
# A header with more changes than these is another one.
_MOST = 4


def but_for_keep(item: Item) -> object:
    """What an input statement has in common with itself under KEEP(); None for anything else."""
    if not isinstance(item.node, InputSectionDescription):
        return None
    return item.text.removeprefix(_KEEP), item.output


def change(old: Item, new: Item, shown: Callable[[Item, bool], str]) -> str:
    """What became of a part, as a sentence; `shown` gives the text of an item, of the old script if it is asked so."""
    before, after = shown(old, True), shown(new, False)
    if isinstance(old.node, OutputSection) and isinstance(new.node, OutputSection):
        parts = list(_headers(old.node, new.node))
        if 0 < len(parts) <= _MOST:
            return f"the output section {new.node.name.text}: {', '.join(parts)}"
    if but_for_keep(old) is not None and but_for_keep(old) == but_for_keep(new):
        return f"{before} is under KEEP() now" if new.text.startswith(_KEEP) else f"{after} is no longer under KEEP()"
    if before != after:
        return f"{after} was {before}"
    if isinstance(new.node, Assignment) and old.output != new.output:
        return f"{after} was {_where(old)}, and is {_where(new)} now"
    return f"{after} says something else"


def _where(item: Item) -> str:
    return f"in {item.output}" if item.output else "outside of all output sections"


def _headers(old: OutputSection, new: OutputSection) -> Iterator[str]:
    """What differs in the headers of an output section, part by part."""
    before, after = _parts(old), _parts(new)
    for name in before:
        was, now = before[name], after[name]
        if was == now:
            continue
        if was and now:
            yield f"`{now}` was `{was}`"
        else:
            yield f"`{now}` is new" if now else f"`{was}` is gone"


def _parts(node: OutputSection) -> dict[str, str]:
    """The parts of a header as they are written; empty for one that is not there."""
    kind = node.type
    value = f" = {show(kind.value)}" if kind is not None and kind.value is not None else ""
    return {
        "address": show(node.address) if node.address is not None else "",
        "type": f"({kind.keyword}{value})" if kind is not None else "",
        "load address": f"AT({show(node.load_address)})" if node.load_address is not None else "",
        "align": f"ALIGN({show(node.align)})" if node.align is not None else "",
        "align with input": "ALIGN_WITH_INPUT" if node.align_with_input else "",
        "subalign": f"SUBALIGN({show(node.subalign)})" if node.subalign is not None else "",
        "constraint": node.constraint,
        "region": f"> {node.region.text}" if node.region is not None else "",
        "load region": f"AT> {node.load_region.text}" if node.load_region is not None else "",
        "segments": " ".join(f":{word.text}" for word in node.phdrs),
        "fill": f"={show(node.fill)}" if node.fill is not None else "",
    }
