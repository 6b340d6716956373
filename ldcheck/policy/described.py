"""Images that are described in a policy's tests."""

from __future__ import annotations

from ldcheck.documents import MappingNode
from ldcheck.findings import InputError


def image_errors(image: MappingNode) -> list[InputError]:
    """What is wrong in a description."""
    return []
