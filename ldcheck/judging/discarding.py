"""What to say of sections that are to be discarded, and that no statement takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldcheck.words import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldcheck.judging.evidence import ScriptView
    from ldcheck.script.syntax import OutputSection

# What GNU ld looks for when it writes .dynamic: where it made one and /DISCARD/ took it, it "could not find section".
_NEEDED = (".hash", ".gnu.hash", ".dynsym")
_MOST = 6


def discarder(view: ScriptView) -> OutputSection | None:
    """The last /DISCARD/ of a script."""
    return next(reversed(view.output_sections.get("/DISCARD/", ())), None)


def statement(names: Sequence[str]) -> str:
    """What a /DISCARD/ has to hold."""
    return f"*({' '.join(names)})"


def advice(names: Sequence[str], view: ScriptView) -> tuple[str, bool]:
    """What to do about names that nothing discards, and whether the linkers let one do just that."""
    by_gnu = any(linker.kind != "lld" for linker in view.linkers or (view.linker,))
    needed = [name for name in names if name in _NEEDED and by_gnu]
    wanted = [name for name in names if name not in needed]
    text = statement(wanted)
    does = f"add `{text}` to it" if discarder(view) is not None else f"add `/DISCARD/ : {{ {text} }}` to SECTIONS"
    if not needed:
        return does, True
    they = "it" if len(needed) == 1 else "them"
    refused = f"take {listed(needed, _MOST)} out of the rule: GNU ld refuses to discard {they} with -pie and -shared"
    return (f"{does}, and {refused}" if wanted else refused), False
