"""Comparisons as one self-contained page: what differs and why, tables, and both images' pages side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.report.escape import clipped, markup
from ldcheck.report.html import draw, page

if TYPE_CHECKING:
    from ldcheck.layout.picture import Picture
    from ldcheck.report.builds import Table

_MOST_REMARKS = 1000
_STYLE = """<style>
.side-by-side { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 0 2rem; }
.side-by-side > div { min-width: 0; }
</style>
"""


class Block(NamedTuple):
    """One comparison, as sentences. A remark is grave or not, and has a place, a message and facts."""

    name: str
    summary: str
    remarks: Sequence[tuple[bool, str, str, Sequence[str]]]
    tables: Sequence[Table]
    rest: Sequence[str]
    pictures: Sequence[Picture]


def render(blocks: Sequence[Block]) -> str:
    """The page, as one text."""
    return page("diff", (_STYLE, *(part for block in blocks for part in _block(block))))


def _block(block: Block) -> Iterator[str]:
    yield f"<h2>{_text(block.name)}</h2>\n<p>{_text(block.summary)}</p>\n"
    for grave, place, message, facts in block.remarks[:_MOST_REMARKS]:
        kind = "error" if grave else "note"
        yield f"<article class={kind}><p class=place>{_text(place)}</p><p>{_text(message)}</p>"
        yield f"{''.join(f'<p>{_text(fact)}</p>' for fact in facts)}</article>\n"
    if len(block.remarks) > _MOST_REMARKS:
        yield f"<p>{len(block.remarks) - _MOST_REMARKS:,} more are in the other formats.</p>\n"
    for table in block.tables:
        yield from _table(table)
    yield from (f"<p>{_text(line)}</p>\n" for line in block.rest)
    if block.pictures:
        yield "<div class=side-by-side>"
        for picture in block.pictures:
            yield "<div>"
            yield from draw(picture)
            yield "</div>"
        yield "</div>\n"


def _table(table: Table) -> Iterator[str]:
    cells = "".join(f"<th{_number(at)}>{_text(word)}</th>" for at, word in enumerate(table.head))
    yield f"<h3>{_text(table.title)}</h3>\n<table><thead><tr>{cells}</tr></thead><tbody>\n"
    for row in table.rows:
        yield f"<tr>{''.join(f'<td{_number(at)}>{_text(cell)}</td>' for at, cell in enumerate(row))}</tr>\n"
    yield "</tbody></table>\n"
    if table.left_out:
        yield f"<p>and {table.left_out:,} more</p>\n"


def _text(text: str) -> str:
    return markup(clipped(text))


def _number(column: int) -> str:
    return " class=number" if 0 < column < 4 else ""
