"""The form for people: each finding with its place, the line, what takes what and why it matters, then the summary.

Every line is safe for a terminal and for a CI runner that reads its log. Why a rule exists and what helps is said at
the first finding of the rule and not repeated for its further ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ldcheck.findings import Finding, InputError, RuleResult, Severity, Verdict
from ldcheck.report.escape import clipped, log_text
from ldcheck.report.excerpt import Mark, marked_lines
from ldcheck.report.model import Report
from ldcheck.report.options import Options
from ldcheck.report.order import Shown, by_target, counted, merged
from ldcheck.source import Location, Related

_WIDTH = 120
_BOLD, _RED, _YELLOW, _CYAN, _BLUE, _GREEN = "1", "1;31", "1;33", "1;36", "1;34", "32"
_SEVERITY_COLOR = {Severity.ERROR: _RED, Severity.WARNING: _YELLOW, Severity.NOTE: _CYAN, Severity.OFF: _BOLD}


def render(report: Report, options: Options) -> str:
    """The whole report; ends in a line end unless it is empty."""
    parts = [_error(error, options) for error in report.errors]
    explained: set[tuple[str, str, str]] = set()
    parts += [_finding(shown, options, explained) for shown in merged(report)]
    if report.notes:
        parts.append("".join(f"{_paint('note:', _CYAN, options)} {clipped(note)}\n" for note in report.notes))
    if report.accepted:
        parts.append(f"{accepted(report)}\n")
    if options.verbose and report.details:
        parts.append("".join(f"{clipped(detail, 1000)}\n" for detail in report.details))
    tail = "".join(f"{line}\n" for line in summary(report))
    if tail:
        parts.append(tail)
    return log_text("\n".join(parts))


def accepted(report: Report) -> str:
    """How many findings a policy, a comment or a baseline accepts."""
    count = len(report.accepted)
    return f"{count:,} {'finding is' if count == 1 else 'findings are'} accepted and not shown"


def summary(report: Report) -> list[str]:
    """One line per target: the number of rules by verdict, why some were not checked, and what is not shown."""
    shown = _rules_of(report.findings)
    noted = _rules_of(report.unshown) - shown
    quiet = _rules_of(finding for finding, _ in report.accepted) - shown - noted
    lines = []
    for target, results in by_target(report.rules).items():
        remarks = {
            "accepted": [result.verdict for result in results if (result.target, result.rule) in quiet],
            "not shown": [result.verdict for result in results if (result.target, result.rule) in noted],
        }
        unshown = [finding.severity for finding in report.unshown if finding.target == target]
        lines.append(_summary_line(target, results, remarks) + _unshown(unshown))
    return lines


def _rules_of(findings: Iterable[Finding]) -> set[tuple[str, str]]:
    """The rules by target for which findings stand, those among them that found the same."""
    return {(finding.target, rule) for finding in findings for rule in (finding.rule, *finding.also)}


def _unshown(severities: Sequence[Severity]) -> str:
    if not severities:
        return ""
    counts = [
        f"{severities.count(severity):,} {severity.value}{'' if severities.count(severity) == 1 else 's'}"
        for severity in Severity
        if severity in severities
    ]
    lightest = max(severities, key=lambda severity: severity.rank)
    return f"; {' and '.join(counts)} not shown (--severity {lightest.value})"


def _summary_line(target: str, results: Sequence[RuleResult], remarks: Mapping[str, Sequence[Verdict]]) -> str:
    """`remarks` are the verdicts on rules of which every finding is left out, by the word for why."""
    parts = [f"{len(results):,} {'rule' if len(results) == 1 else 'rules'}"]
    for verdict, count in counted(results).items():
        remark = ""
        if verdict is Verdict.NOT_CHECKED:
            remark = f" ({_reasons(results)})"
        else:
            counts = {word: verdicts.count(verdict) for word, verdicts in remarks.items() if verdict in verdicts}
            said = [word if number == count else f"{number:,} {word}" for word, number in counts.items()]
            remark = f" ({', '.join(said)})" if said else ""
        parts.append(f"{count:,} {verdict.value}{remark}")
    lead = f"{clipped(target)}: " if target else ""
    return lead + ", ".join(parts)


def _reasons(results: Sequence[RuleResult]) -> str:
    """Why rules were not checked: rules with one reason share it, four names are enough to know them by."""
    rules: dict[str, list[str]] = {}
    for result in results:
        if result.verdict is Verdict.NOT_CHECKED:
            rules.setdefault(result.reason or "no evidence", []).append(result.rule)
    clauses = []
    for reason, names in rules.items():
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        clauses.append(f"{', '.join(clipped(name) for name in names[:4])}{more}: {clipped(reason)}")
    return "; ".join(clauses)


def _finding(shown: Shown, options: Options, explained: set[tuple[str, str, str]]) -> str:
    finding = shown.finding
    severity = _paint(f"{finding.severity.value}:", _SEVERITY_COLOR[finding.severity], options)
    message = _paint(clipped(finding.message), _BOLD, options)
    lines = [f"{place(finding.location)}: {severity} {message} [{clipped(finding.rule)}]"]
    lines += excerpts(finding.location, finding.label, finding.related, options)
    lines += [f"  {line}" for line in (*whose(shown), *details(finding))]
    said = (finding.rule, finding.why, finding.help)
    if said not in explained:
        explained.add(said)
        lines += [f"  {line}" for line in advice(finding)]
    return "".join(f"{line}\n" for line in lines)


def whose(shown: Shown) -> list[str]:
    """Which targets have a finding, where there are others."""
    return [f"for {', '.join(clipped(target) for target in shown.told)}"] if shown.told else []


def details(finding: Finding) -> list[str]:
    """What the evidence says about a finding, and under which condition."""
    lines = [clipped(fact) for fact in finding.facts]
    if finding.configurations:
        lines.append(clipped(finding.configurations))
    return lines


def advice(finding: Finding) -> list[str]:
    """Why a rule exists, what helps and where to read on."""
    lines = [f"{word}: {prose(text)}" for word, text in (("why", finding.why), ("help", finding.help)) if text]
    return lines + [f"see: {prose(link)}" for link in finding.see]


def prose(text: str) -> str:
    """Text that a person wrote on several lines of a policy, on one line."""
    return clipped(" ".join(text.split()))


def _error(error: InputError, options: Options) -> str:
    severity = _paint("error:", _RED, options)
    lines = [f"{place(error.location)}: {severity} {_paint(clipped(error.message), _BOLD, options)}"]
    lines += excerpts(error.location, error.label, error.related, options)
    if error.help:
        lines.append(f"  help: {clipped(error.help)}")
    return "".join(f"{line}\n" for line in lines)


def place(location: Location) -> str:
    """`file:line:column`, as far as it is known."""
    text = clipped(location.file)
    if location.line:
        text += f":{location.line}"
        if location.column:
            text += f":{location.column}"
    return text


def excerpts(location: Location, label: str, related: Sequence[Related], options: Options) -> list[str]:
    """The lines of a place and of its related ones, those of the place's own file first and in order of lines."""
    files: dict[str, list[Mark]] = {location.file: [Mark(location, label, "^")]}
    for other in related:
        files.setdefault(other.location.file, []).append(Mark(other.location, other.label, "-"))
    numbers = [mark.location.line for marks in files.values() for mark in marks]
    gutter = max(5, len(str(max(numbers))) + 1)
    lines: list[str] = []
    for file, marks in files.items():
        visible = [mark for mark in marks if mark.location.line and mark.location.excerpt]
        if file != location.file and visible:
            first = min(visible, key=lambda mark: (mark.location.line, mark.location.column))
            lines.append(f"  {place(first.location)}:")
        lines += _gutter(visible, gutter, options)
        unseen = [mark for mark in marks if mark not in visible and mark.label]
        lines += [f"  {place(mark.location)}: {clipped(mark.label)}" for mark in unseen]
    return lines


def _gutter(marks: list[Mark], gutter: int, options: Options) -> list[str]:
    width = max((options.width or _WIDTH) - gutter - 3, 20)
    lines = []
    for line in marked_lines(marks, width):
        number = str(line.number) if line.number else ""
        text = line.text
        if line.sign:
            text = _paint(text, _RED if line.sign == "^" else _BLUE, options)
        lines.append(f"{_paint(f'{number:>{gutter}} |', _BLUE, options)} {text}".rstrip())
    return lines


def _paint(text: str, color: str, options: Options) -> str:
    return f"\x1b[{color}m{text}\x1b[0m" if options.color and text else text
