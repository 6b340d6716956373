"""What a report shows beside verdicts and findings: how they came about, and the image as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ldcheck.findings import RuleResult

if TYPE_CHECKING:
    from ldcheck.image.model import Image
    from ldcheck.judging.scripts import Scripts
    from ldcheck.layout.picture import Picture
    from ldcheck.project.target import Target
    from ldcheck.script.syntax import Script


def details(
    target: Target, scripts: Scripts, image: Image | None, arch: str, results: Sequence[RuleResult]
) -> Iterator[str]:
    """How each script came about, and what each verdict rests on."""
    linkers = " and ".join(map(str, target.linkers)) or "GNU ld"
    yield f"{target.name}: architecture {arch or 'not known'}, {linkers}, policies {', '.join(target.policies)}"
    for at, described in enumerate(scripts.described, 1):
        yield f"{target.name}: script {at} of {len(scripts.described)}: {described}"
    if scripts.parses and not scripts.described:
        yield f"{target.name}: {target.script} is taken as it is"
    if image is not None:
        parts = [("ELF file", target.image), ("map", target.map), ("objects", ", ".join(target.objects))]
        yield f"{target.name}: " + ", ".join(f"{what} {name}" for what, name in parts if name)
    for result in results:
        evidence = " and ".join(kind.value for kind in result.evidence)
        basis = f", by {evidence}" if evidence else ""
        reason = f" ({result.reason})" if result.reason else ""
        yield f"{target.name}: {result.rule}: {result.verdict.value}{basis}{reason}"


def picture(target: Target, image: Image | None, tree: Script | None) -> Picture | None:
    """The image as the HTML report draws it; None without one. `tree` is the script that it was linked with."""
    if image is None:
        return None
    from ldcheck.layout.drawing import draw

    return draw(target.name, image, tree)
