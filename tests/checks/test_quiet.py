"""Quiet where nothing is wrong: no error on a default script of GNU ld, and as few findings elsewhere as published."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from ldcheck.findings import Severity
from tests.checks.quiet import DEFAULTS, Survey, surveys, table
from tests.script.agreement import ldscripts
from tests.support.cache import ROOT
from tests.support.cases import Wanted

PAGE = ROOT / "docs" / "explanation" / "quiet.md"

# Patterns of GNU ld's default scripts that are dead, and harmless: by message, each with its reason.
_DEAD = {
    # PowerPC64: .got takes .toc ahead of .toc's own output section, which stays for the other relocation models.
    "nothing reaches `.toc`: `.toc` ahead of it takes it all",
    # PE: the name sorts behind all others, so that the statement of its own changes nothing.
    "nothing reaches `.tls$ZZZ`: `.tls$*` ahead of it takes it all",
    # PE, m68hc11 and hppa64: one line is there twice.
    "nothing reaches `.gnu.linkonce.wt.*`: `.gnu.linkonce.wt.*` ahead of it takes it all",
    "nothing reaches `.rel.sdata`: `.rel.sdata` ahead of it takes it all",
    "nothing reaches `.rela.sdata`: `.rela.sdata` ahead of it takes it all",
    "nothing reaches `.rel.gnu.linkonce.sb.*`: `.rel.gnu.linkonce.sb.*` ahead of it takes it all",
    "nothing reaches `.plt`: `.plt` ahead of it takes it all",
    # arc: names of old kernels behind the wildcard, and a third statement for exception tables.
    "nothing reaches `.text.init`: `.text.*` ahead of it takes it all",
    "nothing reaches `.data.init`: `.data.*` ahead of it takes it all",
    "nothing reaches `.gcc_except_table`: `.gcc_except_table` and `.gcc_except_table` ahead of it take it all",
}
EXPLAINED = {("shadowed-pattern", message) for message in _DEAD}


def unexplained(survey: Survey) -> Counter[tuple[str, str]]:
    """The errors that nobody has explained, by lint and message."""
    return Counter(
        (finding.check, finding.message)
        for _, finding in survey.findings
        if finding.severity is Severity.ERROR and (finding.check, finding.message) not in EXPLAINED
    )


@pytest.mark.parametrize("package", ["binutils-aarch64-linux-gnu", "binutils-avr", "binutils-powerpc64-linux-gnu"])
def test_some_default_scripts_of_ld_have_no_error(package: str) -> None:
    survey = Survey(package)
    found = ldscripts(package)
    survey.look(found[:: max(len(found) // 20, 1)], set())
    assert survey.scripts >= 10
    assert unexplained(survey) == Counter()


@pytest.mark.sweep
def test_the_findings_are_as_published(wanted: Wanted, capsys: pytest.CaptureFixture[str]) -> None:
    found = surveys()
    made = table(found)
    with capsys.disabled():
        print(f"\nfindings per thousand scripts\n{made}")
    assert [unexplained(survey) for survey in found if survey.name == DEFAULTS] == [Counter()]
    wanted(PAGE, re.sub(r"^\|.*\|\n(\|.*\|\n)*", made, PAGE.read_text(), count=1, flags=re.MULTILINE))
