"""What an expression is evaluated on: where its names have their values, and what a value is.

What a linker knows at some point of a link is an `Environment`; this one knows nothing, and others know more.
"""

# ruff: noqa: ARG002 - the environment that knows nothing does not look at what it is asked for

from __future__ import annotations

from ldcheck.record import dataclass

ABSOLUTE = "*ABS*"
# The section of a value that nothing tells.
SOMEWHERE = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A number, or None if it is unknown, for `reason`.

    `section` is what it is relative to: the name of an output section, ABSOLUTE, or None for a plain number. SOMEWHERE
    if that is unknown, so that no address is known of it either.
    """

    number: int | None
    section: str | None = None
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether the number is known."""
        return self.number is not None

    @property
    def truth(self) -> bool | None:
        """How a condition takes it: the number, not the address, against zero. None if unknown."""
        return None if self.number is None else self.number != 0


class Environment:
    """What names mean where an expression is evaluated. This one knows nothing; derive from it what is known.

    `section` is the output section that the expression stands in, or None outside of all. `sane` is
    LD_FEATURE("SANE_EXPR"). `by_address`: ADDR() is an address, as it is outside of scripts and for lld, and not the
    start of its section. In a `strict` one an operand that is unknown makes the result unknown, whatever the other is,
    as in GNU ld. All methods return None for what they do not know; addresses are absolute.
    """

    section: str | None = None
    sane: bool = False
    by_address: bool = False
    strict: bool = False

    @property
    def dot(self) -> int | None:
        """The address that the location counter stands at."""
        return None

    def symbol(self, name: str) -> Value | None:
        """A symbol's value, relative to the section that it is defined in."""
        return None

    def defined(self, name: str) -> bool | None:
        """DEFINED(name)."""
        return None

    def addr(self, section: str) -> int | None:
        """ADDR(section): where the output section starts."""
        return None

    def base(self, section: str) -> int | None:
        """The address that values relative to a section count from, also where ADDR() does not know it yet."""
        return self.addr(section)

    def loadaddr(self, section: str) -> int | None:
        """LOADADDR(section)."""
        return None

    def sizeof(self, section: str) -> int | None:
        """SIZEOF(section) in bytes."""
        return None

    def alignof(self, section: str) -> int | None:
        """ALIGNOF(section) in bytes."""
        return None

    def origin(self, region: str) -> int | None:
        """ORIGIN(region)."""
        return None

    def length(self, region: str) -> int | None:
        """LENGTH(region) in bytes."""
        return None

    def constant(self, name: str) -> int | None:
        """CONSTANT(name): MAXPAGESIZE or COMMONPAGESIZE."""
        return None

    def sizeof_headers(self) -> int | None:
        """SIZEOF_HEADERS in bytes."""
        return None

    def segment_start(self, segment: str, default: int) -> int | None:
        """SEGMENT_START(segment, default): the default, unless the command line of the link says otherwise."""
        return default

    def data_segment(self, function: str, operands: tuple[int, ...]) -> int | None:
        """DATA_SEGMENT_ALIGN(maxpagesize, commonpagesize), _RELRO_END(offset, value) or _END(value).

        Their values are found in several passes over the whole link, so only an image knows them.
        """
        return None
