"""Source lines with markers under the places that matter, as the text format and the annotations show them.

Lines of a script can be of any length (a macro that was expanded onto one line) and of any bytes: what is shown is
printable, its tabs are expanded, and a long line is cut around its marker.
"""

from __future__ import annotations

from ldcheck.record import dataclass
from ldcheck.report.escape import clipped
from ldcheck.source import Location, visible

_TAB = 8
_CUT = "..."


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Mark:
    """A place to be marked; `sign` is `^` for the place itself and `-` for a related one."""

    location: Location
    label: str
    sign: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MarkedLine:
    """One line of output: `number` is the source line or 0 for a marker line, `sign` that of the marker."""

    number: int
    text: str
    sign: str = ""


def marked_lines(marks: list[Mark], width: int) -> list[MarkedLine]:
    """The source lines of places in one file in the order of lines, each followed by its markers.

    `width` is the number of columns that a source line may take.
    """
    lines: list[MarkedLine] = []
    shown: tuple[int, str] | None = None
    marked: tuple[int, int] | None = None
    for mark in sorted(marks, key=lambda mark: (mark.location.line, mark.location.column, mark.sign != "^")):
        place = mark.location
        text, start, length = _window(place, width)
        if (place.line, text) != shown:
            lines.append(MarkedLine(place.line, text))
            shown = (place.line, text)
            marked = None
        # A further label of the very same place needs no second marker.
        marker = (mark.sign if (start, length) != marked else " ") * length
        marked = (start, length)
        label = f" {clipped(mark.label)}" if mark.label else ""
        lines.append(MarkedLine(0, f"{' ' * start}{marker}{label}".rstrip(), mark.sign))
    return lines


def _window(place: Location, width: int) -> tuple[str, int, int]:
    """The excerpt of a place as shown, the columns in front of the marker, and the length of the marker."""
    excerpt = place.excerpt
    first = min(max(place.column - 1, 0), len(excerpt))
    last = place.end_column - 1 if place.end_line in (0, place.line) else len(excerpt.rstrip())
    last = max(min(last, len(excerpt.rstrip())), first)
    # Where a whole line is meant, its indentation is not.
    indentation = len(excerpt) - len(excerpt.lstrip())
    if first < indentation < last:
        first = indentation
    # No more of a huge line is looked at than could be shown.
    left = max(first - width, 0)
    right = first + width
    lead, marked, tail = excerpt[left:first], excerpt[first : min(last, right)], excerpt[min(last, right) : right]
    shown_lead = _shown(lead, 0)
    shown_marked = _shown(marked, columns(shown_lead))
    shown_tail = _shown(tail, columns(shown_lead) + columns(shown_marked)).rstrip()
    whole = left == 0 and right >= len(excerpt)
    text = shown_lead + shown_marked + shown_tail
    if whole and columns(text) <= width:
        return text, columns(shown_lead), max(columns(shown_marked), 1)
    return _cut(shown_lead, shown_marked, shown_tail, width, more_left=left > 0, more_right=right < len(excerpt))


def _cut(lead: str, marked: str, tail: str, width: int, *, more_left: bool, more_right: bool) -> tuple[str, int, int]:
    """A line cut to `width` columns with the marked part in view."""
    room = max(width - 2 * len(_CUT), 8)
    marked_cut = _fit(marked, room)
    more_right = more_right or len(marked_cut) < len(marked)
    room -= columns(marked_cut)
    lead_kept = _fit(lead[::-1], max(room // 2, room - columns(tail)))[::-1]
    room -= columns(lead_kept)
    tail_kept = "" if len(marked_cut) < len(marked) else _fit(tail, room)
    front = _CUT if more_left or len(lead_kept) < len(lead) else ""
    back = _CUT if more_right or len(tail_kept) < len(tail) else ""
    return (
        f"{front}{lead_kept}{marked_cut}{tail_kept}{back}",
        len(front) + columns(lead_kept),
        max(columns(marked_cut), 1),
    )


def _fit(text: str, room: int) -> str:
    """The longest beginning of `text` that takes at most `room` columns."""
    if text.isascii():
        return text[:room]
    taken = 0
    for at, character in enumerate(text):
        taken += columns(character)
        if taken > room:
            return text[:at]
    return text


def _shown(text: str, column: int) -> str:
    """`text` printable, with tabs expanded as at output column `column`."""
    if text.isprintable():
        return text
    parts: list[str] = []
    for character in text:
        if character == "\t":
            shown = " " * (_TAB - column % _TAB)
        else:
            shown = character if character.isprintable() else visible(character)
        parts.append(shown)
        column += columns(shown)
    return "".join(parts)


def columns(text: str) -> int:
    """How many columns of a terminal `text` takes: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(
        0 if category(character) in ("Mn", "Me") else 2 if east_asian_width(character) in "WF" else 1
        for character in text
    )
