"""One self-contained page: verdicts, findings with their source lines, and each image as a map of its pages.

Nothing is loaded from anywhere, so it works from a build's artefacts and without a network. It follows the reader's
light or dark setting and prints. Every text from a file goes through `markup`; no text is put into the script.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from ldcheck.findings import InputError
from ldcheck.layout.picture import Mark, Picture, Stretch
from ldcheck.report.escape import clipped, markup, printable
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.report.order import Shown, by_target, counted, merged
from ldcheck.report.text import advice, details, excerpts, place, whose

_MOST_FINDINGS = 1000
_MOST_ROWS = 5000
# A larger image has several pages in a cell.
_MOST_CELLS = 4096
_OUTCOMES = {0: "passed", 1: "found violations", 2: "could not check"}

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --faint: #626b75; --line: #d8dee4; --card: #f6f8fa;
  --error: #b3261e; --warning: #8a5a00; --note: #1f5fbf; --code: #c4604f; --read-only: #4f8fc4; --data: #5fa05a;
  --zero: #b9b06a; --padding: #8c8c8c; --none: #eceff2; }
@media (prefers-color-scheme: dark) { :root { --paper: #0f1318; --ink: #e4e8ec; --faint: #929ba5; --line: #30363d;
  --card: #171c22; --error: #ff8a80; --warning: #f0b849; --note: #82b1ff; --code: #d27a6a; --read-only: #5b9bd5;
  --data: #6cb366; --zero: #c9bf74; --padding: #9a9a9a; --none: #21262d; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem 1.5rem 4rem;
  background: var(--paper); color: var(--ink); }
h1 { font-size: 1.5rem; }
h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .6rem; vertical-align: top; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
td.number, th.number { text-align: right; white-space: nowrap; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; margin: .4rem 0; }
article { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--faint);
  border-radius: 4px; padding: .6rem 1rem; margin: .8rem 0; break-inside: avoid; }
article p { margin: .2rem 0; overflow-wrap: anywhere; }
article.error { border-left-color: var(--error); }
article.warning { border-left-color: var(--warning); }
article.note { border-left-color: var(--note); }
.place, .rule { color: var(--faint); }
.error b { color: var(--error); }
.warning b { color: var(--warning); }
.note b { color: var(--note); }
.groups { display: flex; flex-wrap: wrap; gap: .5rem .8rem; margin: .6rem 0; align-items: flex-start; }
.group { min-width: 0; }
.group > span { display: block; font: 12px/1.3 ui-monospace, monospace; color: var(--faint); overflow-wrap: anywhere; }
.pages { display: flex; flex-wrap: wrap; gap: 1px; }
.pages i { width: 9px; height: 14px; background: var(--none); }
.pages i:focus-visible { outline: 2px solid var(--ink); outline-offset: 1px; }
.picture output { display: block; position: sticky; bottom: 0; background: var(--paper); padding: .3rem 0;
  border-top: 1px solid var(--line); font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
summary { cursor: pointer; margin: 1rem 0 .3rem; }
.pages i, .legend i { print-color-adjust: exact; -webkit-print-color-adjust: exact; box-sizing: border-box; }
i.code { background: var(--code); }
i.read-only { background: var(--read-only); }
i.data { background: var(--data); }
i.zero { background: var(--zero); }
i.padding { background: var(--padding); }
i.init { border-bottom: 3px solid var(--ink); }
i.shared { outline: 2px solid var(--error); outline-offset: -2px; }
.legend span { display: inline-block; margin-right: 1.2rem; }
.legend i { display: inline-block; width: .9rem; height: .9rem; margin-right: .35rem; vertical-align: -2px; }
input { font: inherit; padding: .3rem .6rem; width: 20rem; max-width: 100%; margin: .6rem 0; color: inherit;
  background: var(--paper); border: 1px solid var(--line); border-radius: 4px; }
@media print { input { display: none; } body { max-width: none; } }
"""

# The page needs its own style and script and nothing else: that is what the policy in its head says.
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>ldcheck {outcome}</title>
<style>{style}</style>
</head>
<body>
"""

# Filters the rows of the tables that follow a search field; tells what a cell of a picture holds.
_SCRIPT = """
for (const field of document.querySelectorAll('input[type=search]')) {
  const rows = field.parentElement.querySelectorAll('tbody tr');
  field.addEventListener('input', () => {
    const wanted = field.value.toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    for (const more of field.parentElement.querySelectorAll('details')) more.open = wanted !== '';
  });
}
for (const picture of document.querySelectorAll('.picture')) {
  const said = picture.querySelector('output');
  const tell = (event) => { if (event.target.title) said.textContent = event.target.title; };
  picture.addEventListener('pointerover', tell);
  picture.addEventListener('focusin', tell);
  picture.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.title) return;
    const cells = [...picture.querySelectorAll('.pages i')];
    const next = cells[cells.indexOf(event.target) + step];
    if (next) next.focus();
    event.preventDefault();
  });
}
"""


def render(report: Report, options: Options) -> str:
    """The page, as one text."""
    outcome = _OUTCOMES.get(report.status, "ended")
    parts = [
        *(_error(error, options) for error in report.errors[:_MOST_FINDINGS]),
        *_verdicts(report),
        *_findings(report, options),
        *(part for picture in report.pictures for part in draw(picture)),
        *_rules(report),
    ]
    return page(outcome, parts)


def page(outcome: str, parts: Iterable[str]) -> str:
    """A whole page of these parts, under a heading that says the outcome."""
    head = _HEAD.format(outcome=outcome, style=_STYLE)
    return f"{head}<h1>ldcheck {outcome}</h1>\n{''.join(parts)}<script>{_SCRIPT}</script>\n</body>\n</html>\n"


def _text(text: str) -> str:
    return markup(printable(clipped(text)))


def _verdicts(report: Report) -> Iterator[str]:
    targets = by_target(report.rules)
    if not targets:
        return
    yield "<table><thead><tr><th>target</th><th class=number>rules</th><th>verdicts</th></tr></thead><tbody>\n"
    for target, results in targets.items():
        said = ", ".join(f"{count:,} {verdict.value}" for verdict, count in counted(results).items())
        yield f"<tr><td>{_text(target) or 'all'}</td><td class=number>{len(results):,}</td><td>{said}</td></tr>\n"
    yield "</tbody></table>\n"
    for note in report.notes[:100]:
        yield f"<p>{_text(note)}</p>\n"


def _error(error: InputError, options: Options) -> str:
    lines = "\n".join(markup(line) for line in excerpts(error.location, error.label, error.related, options))
    help_text = f"<p>help: {_text(error.help)}</p>" if error.help else ""
    return (
        f"<article class=error><p class=place>{_text(place(error.location))}</p>"
        f"<p><b>error</b> {_text(error.message)}</p><pre>{lines}</pre>{help_text}</article>\n"
    )


def _findings(report: Report, options: Options) -> Iterator[str]:
    shown = sorted(merged(report), key=lambda one: one.finding.severity.rank)
    yield f"<h2>Findings ({len(shown):,})</h2>\n"
    if not shown:
        yield "<p>None.</p>\n"
    for one in shown[:_MOST_FINDINGS]:
        yield _finding(one, options)
    if len(shown) > _MOST_FINDINGS:
        yield f"<p>{len(shown) - _MOST_FINDINGS:,} more findings are in the other formats.</p>\n"


def _finding(shown: Shown, options: Options) -> str:
    finding = shown.finding
    severity = finding.severity.value
    lines = "\n".join(markup(line) for line in excerpts(finding.location, finding.label, finding.related, options))
    rest = [*whose(shown), *details(finding), *advice(finding)]
    return (
        f"<article class={severity}><p class=place>{_text(place(finding.location))}</p>"
        f"<p><b>{severity}</b> {_text(finding.message)} <span class=rule>[{_text(finding.rule)}]</span></p>"
        f"<pre>{lines}</pre>{''.join(f'<p>{_text(line)}</p>' for line in rest)}</article>\n"
    )


def draw(picture: Picture) -> Iterator[str]:
    """The pages of an image, and the tables of what is in it."""
    yield f"<h2>{_text(picture.file)}</h2>\n<p class=legend>"
    for kind in ("code", "read-only", "data", "zero", "padding"):
        yield f"<span><i class={kind}></i>{'zero-initialised' if kind == 'zero' else kind}</span>"
    yield "<span><i class='code init'></i>freed after boot</span></p>\n<div class=picture>"
    for run in _runs(picture):
        yield _pages(picture, run)
    yield "<output>point at a cell, or go from one to the next with the arrow keys</output></div>\n"
    yield from _tables(picture)


def _runs(picture: Picture) -> Iterator[list[Stretch]]:
    """The stretches, cut where more than a hundred pages in a row are unused."""
    run: list[Stretch] = []
    end = 0
    for stretch in picture.stretches:
        if run and stretch.start - end > 100 * picture.page:
            yield run
            run = []
        end = max(end, stretch.end) if run else stretch.end
        run.append(stretch)
    if run:
        yield run


def _pages(picture: Picture, run: Sequence[Stretch]) -> str:
    """The pages of a run of sections as cells, each coloured by what most of its bytes are.

    They stand under the name of the section that has most of their bytes.
    """
    first = run[0].start // picture.page
    last = (max(stretch.end for stretch in run) - 1) // picture.page
    per_cell = -(-(last - first + 1) // _MOST_CELLS)
    size = per_cell * picture.page
    held = _held(picture, run, size, last * picture.page + picture.page)
    marks: dict[int, list[str]] = {}
    for mark in picture.marks:
        if not mark.constant:
            marks.setdefault(mark.address // size, []).append(mark.name)
    drawn: list[str] = []
    label = None
    for cell in range(first // per_cell, last // per_cell + 1):
        parts = held.get(cell, [])
        owner = _owner(parts, label)
        if owner != label:
            drawn.append(f"{'</div></div>' if drawn else ''}<div class=group><span>{_text(owner or 'unused')}</span>")
            drawn.append("<div class=pages>")
        drawn.append(_cell(cell * size, parts, marks.get(cell, ()), per_cell == 1, owner != label))
        label = owner
    legend = f"{run[0].start:#x} to {max(stretch.end for stretch in run):#x}, {size:,} bytes a cell"
    groups = f"{''.join(drawn)}</div></div>"
    return f"<p class=place>{legend}; outlined: kinds that share a page</p>\n<div class=groups>{groups}</div>\n"


def _held(picture: Picture, run: Sequence[Stretch], size: int, end: int) -> dict[int, list[tuple[Stretch, int]]]:
    """By cell, the sections and padding in it, each with its bytes there."""
    held: dict[int, list[tuple[Stretch, int]]] = {}
    for stretch in [*run, *picture.paddings]:
        if stretch.end <= run[0].start or stretch.start > end:
            continue
        for cell in range(stretch.start // size, (stretch.end - 1) // size + 1):
            here = min(stretch.end, (cell + 1) * size) - max(stretch.start, cell * size)
            held.setdefault(cell, []).append((stretch, here))
    return held


def _owner(parts: Sequence[tuple[Stretch, int]], before: str | None) -> str:
    """The section under whose name a cell stands: that with most bytes; padding alone goes with the one before."""
    sections = [(count, stretch.name) for stretch, count in parts if stretch.kind != "padding"]
    if not sections:
        return before or "" if parts else ""
    return max(sections, key=lambda one: one[0])[1]


def _cell(
    address: int, parts: Sequence[tuple[Stretch, int]], marks: Sequence[str], one_page: bool, reached: bool
) -> str:
    """One cell; `reached` is the first of its group, to which the tabulator key leads."""
    kinds: dict[str, int] = {}
    for stretch, count in parts:
        kinds[stretch.kind] = kinds.get(stretch.kind, 0) + count
    lying = [stretch for stretch, _ in parts if stretch.kind != "padding"]
    classes = [max((count, kind) for kind, count in kinds.items())[1]] if kinds else []
    classes += ["init"] if lying and all(stretch.init for stretch in lying) else []
    classes += ["shared"] if one_page and _mixed(lying) else []
    said = [f"{stretch.name} {count:,} bytes ({stretch.kind})" for stretch, count in parts[:4]]
    said += [f"{len(parts) - 4:,} more"] if len(parts) > 4 else []
    title = f"{address:#x}: {', '.join(said) or 'unused'}"
    if marks:
        title += f"; {', '.join(marks[:6])}" + (f" and {len(marks) - 6:,} more" if len(marks) > 6 else "")
    return f'<i class="{" ".join(classes)}" title="{_text(title)}" tabindex={0 if reached else -1}></i>'


def _mixed(stretches: Sequence[Stretch]) -> bool:
    """Whether stretches of different permissions or lifetime lie on one page."""
    writable = {"data": "data", "zero": "data"}
    return len({(writable.get(stretch.kind, stretch.kind), stretch.init) for stretch in stretches}) > 1


def _tables(picture: Picture) -> Iterator[str]:
    """Sections, then the symbols that lie in the image; folded away, padding, and what is a number."""
    yield '<div><input type=search placeholder="search sections and symbols" aria-label="search">'
    rows = [(one.start, 0, one.name, f"{one.end - one.start:,}", _what(one)) for one in picture.stretches]
    yield from _table(("address", "section", "bytes", "what"), rows)
    symbols = [(mark.address, 0, mark.name, "", _where(mark, picture)) for mark in picture.marks if not mark.constant]
    if symbols:
        yield "<h3>Symbols of the script</h3>"
        yield from _table(("address", "symbol", "", "where"), symbols)
    gaps = sorted((one.start, 0, one.name, f"{one.end - one.start:,}", "padding") for one in picture.paddings)
    if gaps:
        yield f"<details><summary>{len(gaps):,} gaps</summary>"
        yield from _table(("address", "in", "bytes", "what"), gaps)
        yield "</details>"
    constants = [(mark.address, 0, mark.name, "", "") for mark in picture.marks if mark.constant]
    if constants:
        yield f"<details><summary>{len(constants):,} constants of the script</summary>"
        yield from _table(("value", "symbol", "", ""), constants)
        yield "</details>"
    yield "</div>\n"


def _table(head: tuple[str, str, str, str], rows: Sequence[tuple[int, int, str, str, str]]) -> Iterator[str]:
    first, second, number, last = head
    yield f"<table><thead><tr><th>{first}</th><th>{second}</th><th class=number>{number}</th><th>{last}</th></tr>"
    yield "</thead><tbody>\n"
    for address, _, name, size, what in rows[:_MOST_ROWS]:
        yield f"<tr><td><code>{address:#x}</code></td><td>{_text(name)}</td><td class=number>{size}</td>"
        yield f"<td>{_text(what)}</td></tr>\n"
    yield "</tbody></table>"
    if len(rows) > _MOST_ROWS:
        yield f"<p>{len(rows) - _MOST_ROWS:,} more rows are left out.</p>"


def _where(mark: Mark, picture: Picture) -> str:
    """The section that a symbol lies in, or behind."""
    at = bisect_right(picture.stretches, mark.address, key=lambda stretch: stretch.start) - 1
    if at < 0:
        return f"ahead of {picture.stretches[0].name}" if picture.stretches else ""
    stretch = picture.stretches[at]
    if mark.address == stretch.start:
        return f"start of {stretch.name}"
    if mark.address < stretch.end:
        return f"{stretch.name} + {mark.address - stretch.start:#x}"
    return f"end of {stretch.name}" if mark.address == stretch.end else f"behind {stretch.name}"


def _what(stretch: Stretch) -> str:
    return f"{stretch.kind}, {stretch.permissions} in the ELF" + (", freed after boot" if stretch.init else "")


def _rules(report: Report) -> Iterator[str]:
    if not report.rules:
        return
    yield "<h2>Rules</h2>\n<div><input type=search placeholder='search rules' aria-label='search rules'>"
    yield "<table><thead><tr>"
    yield "<th>rule</th><th>verdict</th><th>because</th><th>target</th></tr></thead><tbody>\n"
    for result in report.rules[:_MOST_ROWS]:
        yield (
            f"<tr><td>{_text(result.rule)}</td><td>{result.verdict.value}</td>"
            f"<td>{_text(result.reason)}</td><td>{_text(result.target)}</td></tr>\n"
        )
    yield "</tbody></table></div>\n"
