"""`ldcheck padding`: what alignment costs in a link, and what other orders of its input sections would cost."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ldcheck.cli.output import colored, emit, width

if TYPE_CHECKING:
    from ldcheck.image.model import Elf, LinkMap
    from ldcheck.image.orders import Evaluate, Layout
    from ldcheck.image.padding import SectionPadding, Spread

_DESCRIPTION = """\
Show the padding of every output section of a link, by cause: the alignment of input
sections, `. =` in the script, and the alignment of output sections themselves. With
the objects that were linked, also what it would be in three other orders: with every
wildcard sorted by alignment (ld --sort-section=alignment), with the catch-alls sorted
(SORT_BY_ALIGNMENT on `*(.text .text.*)` and the like), and with each object sorted on
its own; and over how many pages the sections of one object are spread in each."""
_EXAMPLES = """\
examples:
  ldcheck padding --map xen-syms.map
  ldcheck padding --map xen-syms.map --elf xen-syms --objects prelink.o
  ldcheck padding --map fw.map --objects build/*.o libc.a --json
"""
_WIDEST = 10
_PAGE = 4096


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser("padding", description=_DESCRIPTION, epilog=_EXAMPLES)
    parser.add_argument("--map", required=True, metavar="MAP", help="the link map of GNU ld or lld (-Map=MAP)")
    parser.add_argument(
        "--objects",
        action="extend",
        nargs="+",
        default=[],
        metavar="OBJECT",
        help="objects and archives that were linked: their alignments are needed for the other orders",
    )
    parser.add_argument("--elf", metavar="ELF", help="the linked image: tells which sections are loaded")
    parser.add_argument(
        "--page", type=_page, default=_PAGE, metavar="SIZE", help="the page size for the spread of objects (4K)"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the padding. Returns 0, or 2 for input that cannot be used."""
    from ldcheck.findings import CheckError

    try:
        emit(_shown(args))
    except CheckError as error:
        from ldcheck.report.model import Report
        from ldcheck.report.options import Options
        from ldcheck.report.text import render

        report = Report(2, errors=error.errors)
        sys.stderr.write(render(report, Options(color=colored(sys.stderr), width=width(sys.stderr))))
        return report.status
    return 0


def _shown(args: argparse.Namespace) -> str:
    """The padding as text or JSON. Raises CheckError for input that cannot be used."""
    from ldcheck.image.maps import read_map
    from ldcheck.image.padding import section_paddings

    link_map = read_map(args.map)
    elf = _elf(args.elf, link_map)
    allocated = frozenset(section.name for section in elf.sections if section.allocated) if elf is not None else None
    notes = [f"{args.map} is incomplete: {reason}" for reason in link_map.incomplete]
    layouts: Sequence[Layout]
    if args.objects and link_map.linker == "GNU ld":
        from ldcheck.image.objects import read_objects
        from ldcheck.image.orders import compute

        orders = compute(link_map, read_objects(args.objects, notes), dot_values(), allocated)
        layouts = orders.layouts
        notes += orders.notes
    else:
        from ldcheck.image.orders import AS_LINKED, Layout, places_as_linked

        layouts = [Layout(AS_LINKED, section_paddings(link_map, allocated), places_as_linked(link_map, allocated))]
        notes.append(
            "the other orders are computed from the objects: give --objects"
            if link_map.linker == "GNU ld"
            else "the other orders need a map of GNU ld, which shows the patterns of the script"
        )
    return _json(layouts, notes, args) if args.json else _text(layouts, notes, args)


def dot_values() -> Evaluate:
    """The values of a map's assignments to dot, as GNU ld computes them. What names symbols is not known."""
    from functools import cache

    from ldcheck.script.environment import Environment
    from ldcheck.script.expressions import absolute, assigned, evaluate
    from ldcheck.script.parser import parse_expression
    from ldcheck.script.syntax import Expression

    class Here(Environment):
        def __init__(self, dot: int, start: int | None, page: int) -> None:
            self.section = None if start is None else "here"
            self._dot, self._start, self._page = dot, start, page

        @property
        def dot(self) -> int:
            return self._dot

        def addr(self, section: str) -> int | None:
            return self._start if section == "here" else None

        def constant(self, name: str) -> int | None:
            return {"MAXPAGESIZE": self._page, "COMMONPAGESIZE": _PAGE}.get(name)

    @cache
    def parsed(text: str) -> Expression | None:
        return parse_expression(text.partition("= ")[2]).expression

    def value(text: str, dot: int, start: int | None, page: int) -> int | None:
        expression = parsed(text)
        if expression is None:
            return None
        here = Here(dot, start, page)
        return absolute(assigned(evaluate(expression, here), here), here).number

    return value


def _page(text: str) -> int:
    from ldcheck.policy.sizes import plain_size

    size = plain_size(text)
    if not size or size & size - 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no page size: a power of two such as 4K or 0x10000")
    return size


def _elf(path: str | None, link_map: LinkMap) -> Elf | None:
    if path is None:
        return None
    from ldcheck.image.elf import read_elf
    from ldcheck.image.match import check_map

    elf = read_elf(path)
    check_map(elf, link_map)
    return elf


def _spreads(layouts: Sequence[Layout], page: int) -> list[tuple[Spread, ...]]:
    from ldcheck.image.padding import spread

    return [spread(layout.places, page) for layout in layouts]


def _json(layouts: Sequence[Layout], notes: Sequence[str], args: argparse.Namespace) -> str:
    import json

    document = {
        "version": 1,
        "map": args.map,
        "page": args.page,
        "orders": [
            {
                "order": layout.order,
                "padding": sum(section.total for section in layout.sections),
                "sections": [
                    {
                        "name": section.name,
                        "address": section.address,
                        "size": section.size,
                        "input-alignment": section.input_alignment,
                        "assignment": section.assignment,
                        "section-start": section.section_start,
                        "inside": section.inside,
                    }
                    for section in layout.sections
                ],
                "objects": [
                    {"object": found.object, "bytes": found.bytes, "pages": found.pages, "least": found.least}
                    for found in spreads
                ],
            }
            for layout, spreads in zip(layouts, _spreads(layouts, args.page), strict=True)
        ],
        "notes": list(notes),
    }
    # A name may hold bytes that are no UTF-8; they are escaped, as everything beyond ASCII is.
    return json.dumps(document, indent=2) + "\n"


def _text(layouts: Sequence[Layout], notes: Sequence[str], args: argparse.Namespace) -> str:
    linked = layouts[0].sections
    head = ("output section", "size", "input alignment", ". =", "section start", "padding", "share")
    rows = [head, *(_row((section,), section.name) for section in linked if section.total), _row(linked, "all")]
    parts = [f"padding of {args.map}, as linked, in bytes\n\n{_table(rows)}"]
    if len(layouts) > 1:
        parts.append(_orders(layouts))
    parts.append(_pages(layouts, args.page))
    parts += [f"note: {note}\n" for note in notes]
    return "\n".join(parts)


def _row(sections: Sequence[SectionPadding], name: str) -> tuple[str, ...]:
    size, padding = sum(section.size for section in sections), sum(section.total for section in sections)
    numbers = (
        sum(section.input_alignment for section in sections),
        sum(section.assignment for section in sections),
        sum(section.section_start for section in sections),
        padding,
    )
    outside = sum(section.ahead for section in sections)
    share = f"{100 * padding / max(size + outside, 1):.1f} %"
    return (name, f"{size:,}", *(f"{number:,}" if number else "-" for number in numbers), share)


def _orders(layouts: Sequence[Layout]) -> str:
    rows = [("output section", *(layout.order for layout in layouts))]
    rows += [
        (sections[0].name, *(f"{section.total:,}" for section in sections))
        for sections in zip(*(layout.sections for layout in layouts), strict=True)
        if any(section.total for section in sections)
    ]
    rows.append(("all", *(f"{sum(section.total for section in layout.sections):,}" for layout in layouts)))
    return f"padding in other orders, in bytes\n\n{_table(rows)}"


def _pages(layouts: Sequence[Layout], page: int) -> str:
    spreads = _spreads(layouts, page)
    rows = [("order", "objects", "pages touched", "for each object", "if packed")]
    for layout, found in zip(layouts, spreads, strict=True):
        pages = sum(spread.pages for spread in found)
        least = sum(spread.least for spread in found)
        mean = f"{pages / len(found):.2f}" if found else "-"
        rows.append((layout.order, f"{len(found):,}", f"{pages:,}", mean, f"{least:,}"))
    text = f"pages of {page:,} bytes that the sections of one object are spread over\n\n{_table(rows)}"
    by_name = [{spread.object: spread.pages for spread in found} for found in spreads]
    widest = [("object", "bytes", *(layout.order for layout in layouts))]
    for spread in spreads[0][:_WIDEST]:
        counts = (f"{pages.get(spread.object, 0):,}" for pages in by_name)
        widest.append((spread.object, f"{spread.bytes:,}", *counts))
    return f"{text}\nthe most widely spread, in pages\n\n{_table(widest)}" if len(widest) > 1 else text


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns with two blanks between them, the first to the left and the others to the right."""
    from ldcheck.report.escape import printable

    shown = [tuple(map(printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = []
    for first, *others in shown:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(f"  {line}\n" for line in lines).replace("\n\n", "\n")
