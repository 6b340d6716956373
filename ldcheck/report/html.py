"""One self-contained page: verdicts, findings with their source lines, and each image as a map of its pages.

Nothing is loaded from anywhere, so it works from a build's artefacts and without a network. It follows the reader's
light or dark setting and prints. Every text from a file goes through `markup`; no text is put into the script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ldcheck.findings import Finding, InputError
from ldcheck.layout.picture import Picture, Stretch
from ldcheck.report.escape import clipped, markup, printable
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.report.order import by_target, counted, merged
from ldcheck.report.text import advice, details, excerpts, place

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
.pages { display: flex; flex-wrap: wrap; gap: 1px; margin: .6rem 0; }
.pages i { width: 9px; height: 14px; background: var(--none); }
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

# Filters the rows of the table that follows a search field.
_SCRIPT = """
for (const field of document.querySelectorAll('input[type=search]')) {
  const rows = field.parentElement.querySelectorAll('tbody tr');
  field.addEventListener('input', () => {
    const wanted = field.value.toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
}
"""


def render(report: Report, options: Options) -> str:
    """The page, as one text."""
    outcome = _OUTCOMES.get(report.status, "ended")
    parts = [
        _HEAD.format(outcome=outcome, style=_STYLE),
        f"<h1>ldcheck {outcome}</h1>\n",
        *(_error(error, options) for error in report.errors[:_MOST_FINDINGS]),
        *_verdicts(report),
        *_findings(report, options),
        *(part for picture in report.pictures for part in _picture(picture)),
        *_rules(report),
        f"<script>{_SCRIPT}</script>\n</body>\n</html>\n",
    ]
    return "".join(parts)


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
    shown = sorted(merged(report.findings), key=lambda one: one.finding.severity.rank)
    yield f"<h2>Findings ({len(shown):,})</h2>\n"
    if not shown:
        yield "<p>None.</p>\n"
    for one in shown[:_MOST_FINDINGS]:
        yield _finding(one.finding, one.targets, options)
    if len(shown) > _MOST_FINDINGS:
        yield f"<p>{len(shown) - _MOST_FINDINGS:,} more findings are in the other formats.</p>\n"


def _finding(finding: Finding, targets: Sequence[str], options: Options) -> str:
    severity = finding.severity.value
    lines = "\n".join(markup(line) for line in excerpts(finding.location, finding.label, finding.related, options))
    rest = [*details(finding), *advice(finding)]
    if len(targets) > 1:
        rest.insert(0, f"for {', '.join(targets)}")
    return (
        f"<article class={severity}><p class=place>{_text(place(finding.location))}</p>"
        f"<p><b>{severity}</b> {_text(finding.message)} <span class=rule>[{_text(finding.rule)}]</span></p>"
        f"<pre>{lines}</pre>{''.join(f'<p>{_text(line)}</p>' for line in rest)}</article>\n"
    )


def _picture(picture: Picture) -> Iterator[str]:
    yield f"<h2>{_text(picture.file)}</h2>\n<p class=legend>"
    for kind in ("code", "read-only", "data", "zero", "padding"):
        yield f"<span><i class={kind}></i>{'zero-initialised' if kind == 'zero' else kind}</span>"
    yield "<span><i class='code init'></i>freed after boot</span></p>\n"
    for run in _runs(picture):
        yield _pages(picture, run)
    yield from _table(picture)


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
    """The pages of a run of sections as cells, each coloured by what most of its bytes are."""
    first = run[0].start // picture.page
    last = (max(stretch.end for stretch in run) - 1) // picture.page
    per_cell = -(-(last - first + 1) // _MOST_CELLS)
    size = per_cell * picture.page
    cells: dict[int, dict[str, int]] = {}
    owners: dict[int, list[Stretch]] = {}
    for stretch in [*run, *picture.paddings]:
        if stretch.end <= run[0].start or stretch.start > last * picture.page + picture.page:
            continue
        for cell in range(stretch.start // size, (stretch.end - 1) // size + 1):
            here = min(stretch.end, (cell + 1) * size) - max(stretch.start, cell * size)
            kinds = cells.setdefault(cell, {})
            kinds[stretch.kind] = kinds.get(stretch.kind, 0) + here
            if stretch.kind != "padding":
                owners.setdefault(cell, []).append(stretch)
    drawn = []
    for cell in range(first // per_cell, last // per_cell + 1):
        lying = owners.get(cell, [])
        classes = [max((count, kind) for kind, count in cells[cell].items())[1]] if cell in cells else []
        classes += ["init"] if lying and all(stretch.init for stretch in lying) else []
        classes += ["shared"] if per_cell == 1 and _mixed(lying) else []
        title = f"{cell * size:#x}: {', '.join(stretch.name for stretch in lying[:4]) or 'unused'}"
        drawn.append(f'<i class="{" ".join(classes)}" title="{_text(title)}"></i>')
    legend = f"{run[0].start:#x} to {max(stretch.end for stretch in run):#x}, {size:,} bytes a cell"
    return f"<p class=place>{legend}; outlined: kinds that share a page</p>\n<div class=pages>{''.join(drawn)}</div>\n"


def _mixed(stretches: Sequence[Stretch]) -> bool:
    """Whether stretches of different permissions or lifetime lie on one page."""
    writable = {"data": "data", "zero": "data"}
    return len({(writable.get(stretch.kind, stretch.kind), stretch.init) for stretch in stretches}) > 1


def _table(picture: Picture) -> Iterator[str]:
    yield '<div><input type=search placeholder="search sections and symbols" aria-label="search"><table><thead><tr>'
    yield "<th>address</th><th>name</th><th class=number>bytes</th><th>what</th></tr></thead><tbody>\n"
    rows = [(one.start, 1, one.name, one.end - one.start, _what(one)) for one in picture.stretches]
    rows += [(mark.address, 0, mark.name, 0, "boundary symbol") for mark in picture.marks]
    rows += [(one.start, 2, one.name, one.end - one.start, "padding") for one in picture.paddings]
    for address, _, name, size, what in sorted(rows)[:_MOST_ROWS]:
        shown = f"{size:,}" if size else ""
        yield f"<tr><td><code>{address:#x}</code></td><td>{_text(name)}</td><td class=number>{shown}</td>"
        yield f"<td>{what}</td></tr>\n"
    yield "</tbody></table>"
    if len(rows) > _MOST_ROWS:
        yield f"<p>{len(rows) - _MOST_ROWS:,} more rows are left out.</p>"
    yield "</div>\n"


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
