"""The formats by name. Each is a module with `render(report, options) -> str`, imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ldcheck.report.model import Report
from ldcheck.report.options import Options

# The module of each format and what it is for.
FORMATS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "text": ("text", "for people: the line, the reason, what to do, and a summary"),
        "concise": ("concise", "a line for each finding, for editors and grep"),
        "json": ("json_", "for programs: everything, as one JSON object"),
        "github": ("github", "GitHub Actions: annotations, then the text"),
        "gitlab": ("gitlab", "GitLab's Code Quality report"),
        "sarif": ("sarif", "SARIF 2.1.0, for code scanning"),
        "junit": ("junit", "JUnit XML: a test case for each rule"),
        "rdjson": ("rdjson", "for reviewdog"),
        "markdown": ("markdown", "a job summary"),
        "html": ("html", "one page with the findings and a picture of the image"),
    }
)


def render(name: str, report: Report, options: Options) -> str:
    """The report in the format `name` of `FORMATS`."""
    from importlib import import_module

    rendered: str = import_module(f"ldcheck.report.{FORMATS[name][0]}").render(report, options)
    return rendered
