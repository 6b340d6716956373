"""What reaches a terminal, a runner or a page is harmless, whatever names hold."""

from __future__ import annotations

import json
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from ldcheck.report.escape import clipped, command_message, command_property, inert, log_text, printable
from ldcheck.report.formats import FORMATS, render
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.source import exact
from tests.report.test_cases import load

HOSTILE = load(Path(__file__).parent / "cases" / "hostile")
ANY_TEXT = st.text(st.characters(), max_size=40)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain .text.*", "plain .text.*"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\x7f\x80\x9b", "\\x7f\\u0080\\u009b"),
        ("\u202e\u2066\u200b\ufeff", "\\u202e\\u2066\\u200b\\ufeff"),
        ("\u2028\u2029\x85", "\\u2028\\u2029\\u0085"),
        ("\U000e0041", "\\U000e0041"),
        ("\udc80\udcff", "\\x80\\xff"),
        ("\ud800", "\\ud800"),
        ("漢字 é", "漢字 é"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


@seed(1)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANY_TEXT)
def test_printable_leaves_nothing_active(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    shown.encode()
    exact(text).encode()


@seed(1)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(["::", "##", "[", "error", "]", " ", "\t", "x", "\n", "vso"]), max_size=12))
def test_log_text_holds_no_command(parts: list[str]) -> None:
    for line in log_text("".join(parts)).split("\n"):
        assert not line.lstrip().startswith("::")
        assert not re.search(r"##\w*\[", line)


def test_commands_escape_as_the_toolkit_does() -> None:
    assert command_message("50%\r\na:b,c") == "50%25%0D%0Aa:b,c"
    assert command_property("50%\r\na:b,c") == "50%25%0D%0Aa%3Ab%2Cc"


def test_clipped_keeps_both_ends() -> None:
    assert clipped("a" * 500 + "b" * 500, 20) == "aaaaaaaaaa...bbbbbbbbbb"
    assert clipped("ab", 2) == "ab"


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_names_leave_no_control_character(name: str) -> None:
    shown = render(name, HOSTILE, Options())
    assert [line for line in shown.split("\n") if not line.isprintable()] == []
    shown.encode()


@pytest.mark.parametrize("name", ["json", "gitlab", "sarif", "rdjson"])
def test_json_formats_stay_json(name: str) -> None:
    json.loads(render(name, HOSTILE, Options()))


def commands(log: str) -> list[tuple[str, str]]:
    """The commands that a runner takes from a log, as actions/runner's ActionCommand.cs reads them."""
    found = []
    stopped = ""
    for line in log.split("\n"):
        match = re.match(r"\s*::([^\s:]+)(?: ([^\n]*?))?::(.*)", line)
        if match and (not stopped or match[1] == stopped):
            stopped = match[3] if match[1] == "stop-commands" else ""
            found.append((match[1], match[3]))
        elif "##[" in line and not stopped:
            found.append(("##[", line))
    return found


def test_github_log_holds_its_own_commands_only() -> None:
    log = render("github", HOSTILE, Options())
    names = [name for name, _ in commands(log)]
    assert names[:10] == ["error"] * 10
    assert names[10] == "stop-commands"
    assert len(names) == 12
    assert names[11] == commands(log)[10][1]


def test_every_line_of_the_text_is_free_of_commands() -> None:
    for name in ("text", "concise"):
        assert commands(render(name, HOSTILE, Options())) == []


def test_junit_gives_names_back() -> None:
    root = ET.fromstring(render("junit", HOSTILE, Options()))
    names = {case.get("name") for case in root.iter("testcase")}
    assert "<script>alert('1')</script>" in names
    assert "]]>&amp;\"'" in names
    assert "\\x1b[31mred\\x1b[0m" in names


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not attrs


def test_markdown_has_the_tags_of_the_format_only() -> None:
    tags = _Tags()
    tags.feed(render("markdown", HOSTILE, Options()))
    assert tags.seen <= {"code", "br", "sub"}


def test_markdown_rows_keep_their_cells() -> None:
    rows = [line for line in render("markdown", HOSTILE, Options()).split("\n") if line.startswith("|")]
    assert {row.count("|") for row in rows} == {5, 8}


@pytest.mark.parametrize(
    "text", ["@user", "#12", "https://x.example", "www.x.example", "[a](b)", "![a](b)", "`x`", "a|b"]
)
def test_inert_markdown(text: str) -> None:
    assert not re.search(r"@\w|#\d{1,2}\b(?!;)|://|www\.|\]\(|`|\|", inert(text))


def test_a_report_without_findings_is_silent_on_github() -> None:
    assert render("github", Report(0), Options()) == ""
