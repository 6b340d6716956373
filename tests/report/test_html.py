"""The HTML page: what it holds, that nothing from a file becomes markup, and that a real browser shows it."""

from __future__ import annotations

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ldcheck.findings import Finding, RuleResult, Severity, Verdict
from ldcheck.layout.picture import Mark, Picture, Stretch
from ldcheck.report.html import render
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.source import Location
from tests.support.tools import tool

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>\x1b[31m\u202e\udc80"
PICTURE = Picture(
    "xen",
    "xen-syms",
    4096,
    (
        Stretch(".text", 0x200000, 0x204100, "code", "r-x"),
        Stretch(".rodata", 0x204100, 0x206000, "read-only", "r--"),
        Stretch(".init.text", 0x206000, 0x208000, "code", "r-x", init=True),
        Stretch(".bss", 0x40000000, 0x40001000, "zero", "rw-"),
    ),
    (Stretch(".text: input alignment", 0x201000, 0x202000, "padding"),),
    (Mark("_stext", 0x200000), Mark("_etext", 0x204100), Mark("IDT_entry_1", 1, constant=True)),
)


def report(text: str = "plain") -> Report:
    finding = Finding("r", "align", Severity.ERROR, text, Location(text, 3, 1, 3, 4, text), label=text, facts=(text,))
    picture = Picture(text, text, 4096, (Stretch(text, 0, 4096, "code"),), (), (Mark(text, 0),))
    return Report(
        1,
        (finding,),
        (RuleResult("r", "align", Verdict.VIOLATED, text, target=text),),
        notes=(text,),
        pictures=(picture if text != "plain" else PICTURE,),
    )


class Tags(HTMLParser):
    """Collects the tags of a page, and the classes of its cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "i" and dict(attrs).get("title"):
            self.cells.append(dict(attrs)["class"] or "")


def test_every_page_is_a_cell_of_its_kind() -> None:
    cells = Tags(render(report(), Options())).cells
    # Five pages from .text on, the last of them shared with .rodata; one of padding; the init pages; .bss far away.
    assert cells == [
        "code",
        "padding",
        "code",
        "code",
        "read-only shared",
        "read-only",
        "code init",
        "code init",
        "zero",
    ]


def test_sections_come_first_and_constants_last() -> None:
    page = render(report(), Options())
    order = [page.index(f"<td>{name}</td>") for name in (".text", ".bss", "_stext", "_etext", ".text: input alignment")]
    assert order == sorted(order)
    folded = page.index("<summary>1 constants of the script</summary>")
    assert order[-1] < folded < page.index("<td>IDT_entry_1</td>")
    assert "<td>end of .text</td>" not in page
    assert "<td>start of .rodata</td>" in page


def test_the_picture_names_sections_and_what_a_cell_holds() -> None:
    page = render(report(), Options())
    assert re.findall(r"<div class=group><span>([^<]*)</span>", page) == [".text", ".rodata", ".init.text", ".bss"]
    assert 'title="0x204000: .text 256 bytes (code), .rodata 3,840 bytes (read-only); _etext" tabindex=0' in page


def test_a_cell_is_told_when_it_is_reached(tmp_path: Path) -> None:
    # A browser without a window need not have the focus, and then tells the page nothing of what gets it.
    going = (
        "<script>const focus = HTMLElement.prototype.focus; HTMLElement.prototype.focus = function () {"
        "let told = false; this.addEventListener('focusin', () => { told = true; }, { once: true }); focus.call(this);"
        "if (!told) this.dispatchEvent(new FocusEvent('focusin', { bubbles: true })); };"
        "const c = document.querySelector('.pages i'); c.focus();"
        "c.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}));"
        "document.title = document.querySelector('.picture output').textContent;</script>"
    )
    document, console = browse(render(report(), Options()).replace("</body>", f"{going}</body>"), tmp_path)
    assert console == ""
    assert "<title>0x201000: .text 4,096 bytes (code), .text: input alignment 4,096 bytes (padding)</title>" in document


def test_nothing_from_a_file_becomes_markup() -> None:
    page = render(report(HOSTILE), Options())
    tags = Tags(page).tags
    assert tags.count("script") == 1
    assert "img" not in tags
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e\ud800-\udfff]", page)


def test_a_huge_image_stays_a_small_page() -> None:
    huge = Picture("t", "f", 4096, tuple(Stretch(f"s{at}", at << 52, (at + 1) << 52, "data") for at in range(1000)))
    page = render(Report(0, pictures=(huge,)), Options())
    assert len(Tags(page).cells) <= 4097
    assert len(page) < 2_000_000


def browse(page: str, folder: Path, *options: str) -> tuple[str, str]:
    """The document after its scripts ran, and what the browser wrote to its console."""
    path = folder / "page.html"
    path.write_text(page)
    done = subprocess.run(
        [
            *(tool("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
            *("--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"),
            *(f"--user-data-dir={folder / 'profile'}", "--dump-dom", *options, path.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    console = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    return done.stdout, console


@pytest.mark.parametrize("options", [(), ("--force-dark-mode", "--blink-settings=preferredColorScheme=0")])
def test_a_browser_shows_it_without_a_complaint(tmp_path: Path, options: tuple[str, ...]) -> None:
    picture = tmp_path / "page.png"
    document, console = browse(render(report(), Options()), tmp_path, f"--screenshot={picture}", *options)
    assert console == ""
    assert picture.stat().st_size > 10_000
    assert "_etext" in document


def test_the_search_hides_rows(tmp_path: Path) -> None:
    typing = (
        "<script>const f = document.querySelector('input[type=search]'); f.value = '_ETEXT';"
        "f.dispatchEvent(new Event('input'));"
        "document.title = [...f.parentElement.querySelectorAll('tbody tr')].filter(r => !r.hidden)"
        ".map(r => r.cells[1].textContent).join();</script>"
    )
    page = render(report(), Options()).replace("</body>", f"{typing}</body>")
    document, console = browse(page, tmp_path)
    assert console == ""
    assert "<title>_etext</title>" in document


def test_a_browser_runs_nothing_from_a_file(tmp_path: Path) -> None:
    document, console = browse(render(report(HOSTILE), Options()), tmp_path)
    assert console == ""
    assert "<title>ldcheck found violations</title>" in document
