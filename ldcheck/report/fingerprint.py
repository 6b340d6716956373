"""What makes a finding the same finding after the file was edited elsewhere: its rule, its file and its route.

The route is the symbolic place in the script (`SECTIONS/.text/3`), so lines may come and go above it. What has no route
(a finding of the image alone) is known by its witness. Several findings that share all of this are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ldcheck.findings import Finding
from ldcheck.report.options import Options
from ldcheck.report.order import Shown


def identity(finding: Finding, options: Options) -> tuple[str, str, str]:
    """Rule, file and route of a finding."""
    return finding.rule, options.path(finding.location.file), finding.route or finding.witness


def fingerprints(findings: Iterable[Shown], options: Options) -> Iterator[str]:
    """A fingerprint for each finding, in their order: 32 hexadecimal digits, a colon, and a count from 1.

    The count tells findings of one identity apart and is given in the order of places.
    """
    from hashlib import sha256

    seen: dict[str, int] = {}
    for shown in findings:
        key = "\0".join(identity(shown.finding, options)).encode("utf-8", "backslashreplace")
        digest = sha256(key).hexdigest()[:32]
        seen[digest] = seen.get(digest, 0) + 1
        yield f"{digest}:{seen[digest]}"
