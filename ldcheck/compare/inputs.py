"""What two scripts are played through with, as it is named on the command line."""

from __future__ import annotations

from ldcheck.record import dataclass


@dataclass(frozen=True, slots=True)
class Inputs:
    """What both scripts are played through with: objects, or the map of the old build; and options of the linker."""

    objects: tuple[str, ...] = ()
    map: str = ""
    options: tuple[str, ...] = ()

    @property
    def named(self) -> bool:
        """Whether any are given."""
        return bool(self.objects or self.map)
