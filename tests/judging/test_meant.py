"""Which linker is meant: what people say, what was linked, what Kconfig noted, and who contradicts whom."""

from __future__ import annotations

from pathlib import Path

import pytest

import ldcheck
from ldcheck.cli.main import main
from ldcheck.image.linked_by import linker_of_elf, linker_of_map
from ldcheck.linker import GNU, LLD, Linker, read_linkers
from ldcheck.project.target import Target
from ldcheck.report.model import Report
from tests.support.build import assemble, link
from tests.support.linkers import ALL, as_params, command
from tests.support.linkers import Linker as Program

SCRIPT = "SECTIONS { . = 0x10000; .text : { *(.text) } .comment 0 : { *(.comment) } }\n"
SOURCE = '.globl _start\n_start: nop\n.section .comment,"MS",@progbits,1\n.asciz "GCC: (Debian 12) 12.2.0"\n'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("gnu", (GNU,)),
        ("lld=19", (Linker("lld", (19,)),)),
        ("gnu=2.40, lld=16.0.6", (Linker("gnu", (2, 40)), Linker("lld", (16, 0, 6)))),
        ("both", (GNU, LLD)),
        ("both,gnu", (GNU, LLD)),
    ],
)
def test_words_for_linkers(text: str, wanted: tuple[Linker, ...]) -> None:
    assert read_linkers(text) == wanted


@pytest.mark.parametrize("text", ["", "ld", "gnu=", "lld=x", "both=2", "gnu,,lld", "lld=1.2.3.4.5", "gnu=\x1b[1m"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no linker|no version"):
        read_linkers(text)


def test_versions_are_compared_as_numbers() -> None:
    assert Linker("gnu", (2, 9)).is_before(2, 40)
    assert not Linker("gnu", (2, 40)).is_before(2, 40)
    assert not GNU.is_before(2, 40)
    assert GNU.may_be_before(2, 40)
    assert not Linker("lld", (21, 1)).may_be_before(21)


@pytest.mark.parametrize("program", as_params(ALL))
def test_what_was_linked_tells_its_linker(program: Program, tmp_path: Path) -> None:
    done = link(tmp_path, SCRIPT, [assemble(tmp_path, SOURCE)], linker=command(program))
    assert done.elf is not None, done.output
    by_elf, by_map = linker_of_elf(str(done.elf)), linker_of_map(str(done.map))
    # GNU ld does not sign what it links.
    assert by_map == Linker(program.kind)
    if program.kind == "lld":
        assert by_elf is not None
        assert by_elf.agrees(Linker("lld", (int(program.version),)))
        assert len(by_elf.version) == 3
    else:
        assert by_elf is None


def linked(tmp_path: Path) -> dict[str, str]:
    done = link(tmp_path, SCRIPT, [assemble(tmp_path, SOURCE)], linker="ld.lld-19")
    return {"elf": str(done.elf), "map": str(done.map)}


def script(tmp_path: Path, text: str = SCRIPT) -> str:
    path = tmp_path / "script.lds"
    path.write_text(text)
    return str(path)


def said(report: Report) -> str:
    """Which linker a report says was meant."""
    assert report.errors == ()
    (words,) = report.inputs["linker"]
    return words


def test_the_report_says_which_linker_is_meant_and_why(tmp_path: Path) -> None:
    name, evidence = script(tmp_path), linked(tmp_path)
    assert said(ldcheck.check([name])) == "GNU ld, as nothing says otherwise"
    assert said(ldcheck.check([name], linker="lld=16")) == "lld 16, as the configuration or --linker says"
    assert said(ldcheck.check([name], map=evidence["map"])) == f"lld, as the form of {evidence['map']} says"
    report = ldcheck.check([name], elf=evidence["elf"], map=evidence["map"])
    assert said(report) == f"lld 19.1.7, as .comment in {evidence['elf']} says"
    assert f"{name}: taken as linked by {said(report)}" in report.notes


def test_an_image_of_another_linker_contradicts(tmp_path: Path) -> None:
    name, evidence = script(tmp_path), linked(tmp_path)
    for linker in ("gnu", "lld=16", "gnu=2.40,lld=14"):
        report = ldcheck.check([name], elf=evidence["elf"], linker=linker)
        assert report.status == 2
        assert "the linker is contradictory" in report.errors[0].message
    for linker in ("both", "lld=19"):
        assert ldcheck.check([name], elf=evidence["elf"], linker=linker).errors == ()


def test_a_wrong_word_on_the_command_line_is_told(tmp_path: Path) -> None:
    report = ldcheck.check([script(tmp_path)], linker="bfd")
    assert report.status == 2
    assert report.errors[0].message == "`bfd` is no linker; there are gnu, lld and both, gnu=2.40 and lld=19"
    assert report.errors[0].location.file == "--linker"


def test_the_option_of_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", script(tmp_path), "--linker", "gnu=2.40,lld", "--verbose"])
    assert "architecture not known, GNU ld 2.40 and lld, policies" in capsys.readouterr().out


def test_a_target_says_its_linker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script(tmp_path)
    Path(".ldcheck.yaml").write_text("ldcheck: 1\ntargets: {a: {script: script.lds, linker: [gnu=2.40, lld]}}\n")
    assert said(ldcheck.check()) == "GNU ld 2.40 and lld, as the configuration or --linker says"
    assert said(ldcheck.check(linker="lld")) == "lld, as the configuration or --linker says"
    Path(".ldcheck.yaml").write_text("ldcheck: 1\ntargets: {a: {script: script.lds, linker: [gnu, link.exe]}}\n")
    report = ldcheck.check()
    assert report.status == 2
    assert report.errors[0].message.startswith("`linker`: `link.exe` is no linker")
    assert (report.errors[0].location.line, report.errors[0].location.column) == (2, 49)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("CONFIG_LD_IS_LLD=y\nCONFIG_LD_VERSION=0\nCONFIG_LLD_VERSION=190107\n", "lld 19.1.7, as"),
        ("CONFIG_LD_IS_BFD=y\nCONFIG_LD_VERSION=24000\nCONFIG_LLD_VERSION=0\n", "GNU ld 2.40, as"),
        ("#define CONFIG_LD_IS_BFD 1\n#define CONFIG_LD_VERSION 23502\n", "GNU ld 2.35.2, as"),
        ("# CONFIG_LD_IS_LLD is not set\n", "GNU ld, as nothing"),
    ],
)
def test_kconfig_tells_its_linker(text: str, wanted: str, tmp_path: Path) -> None:
    (tmp_path / ".config").write_text(text)
    assert said(ldcheck.check([script(tmp_path)], kconfig=str(tmp_path / ".config"))).startswith(wanted)


def test_the_language_is_that_of_the_linker_that_is_meant(tmp_path: Path) -> None:
    name = script(tmp_path, "SECTIONS { .text : { *(.text) } } OVERWRITE_SECTIONS { .x : { *(.x) } }\n")
    assert ldcheck.check([name], linker="lld").errors == ()
    for linker in ("gnu", "both"):
        assert ldcheck.check([name], linker=linker).status == 2


def test_rules_for_a_linker_apply_where_it_is_meant(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text("ldcheck: 1\nrules:\n  - {id: x, when: {linker: lld}, place: .data, in: .data}\n")
    name = script(tmp_path)
    verdicts = {}
    for linker in ("", "gnu", "lld", "both"):
        report = ldcheck.check([name], policies=[str(policy)], linker=linker)
        verdicts[linker] = report.rules[0].verdict.value
    assert verdicts == {"": "not applicable", "gnu": "not applicable", "lld": "violated", "both": "violated"}


def test_a_target_without_evidence_means_nobody() -> None:
    from ldcheck.judging.meant import meant_by

    assert meant_by(Target("a", "a.lds")).linkers == ()


COUNTED = """SECTIONS {
  . = 0x10000;
  .text : { *(.text .text.*) size = 0x40; . = 0x12000; }
  . = ALIGN(0x1000);
  .data : { _data = .; *(.data .data.*) }
}
"""
ALIGNED = "ldcheck: 1\nrules:\n  - id: aligned\n    align: _data\n    to: 4K\n"


# An offset to GNU ld, an address to lld: aligned where it is one of them.
NUMBER = COUNTED.replace("_data = .", "_data = 0x1000")
UNALIGNED = COUNTED.replace("_data = .", "_data = ABSOLUTE(0x1008)")
ZEROS = COUNTED.replace(" = ALIGN(0x1000)", " = 010000")
ONLY = COUNTED.replace(".text :", ".text : ONLY_IF_RO")
BOTH = COUNTED.replace("  . = ALIGN", "  .x : ONLY_IF_RO { *(.x) } .x : ONLY_IF_RW { *(.x) }\n  . = ALIGN")
OVERLAID = COUNTED.replace("  . = ALIGN", "  OVERLAY 0x20000 : AT(0x30000) { .x { *(.x) } .y { *(.y) } }\n  . = ALIGN")


@pytest.mark.parametrize(
    ("linker", "script", "verdict", "reason"),
    [
        ("gnu", COUNTED, "held", ""),
        ("lld", COUNTED, "held", ""),
        ("both", COUNTED, "held", ""),
        ("gnu", NUMBER, "held", ""),
        ("lld", NUMBER, "held", ""),
        ("gnu", NUMBER.replace("0x1000;", "0x1008;"), "violated", ""),
        ("both", UNALIGNED, "violated", ""),
        # 010000 is 4096 to GNU ld, and 10000 to lld.
        ("gnu", ZEROS.replace("_data = .", "_data = ABSOLUTE(010000)"), "held", ""),
        ("lld", ZEROS.replace("_data = .", "_data = 010000"), "violated", ""),
        ("both", ZEROS.replace("_data = .", "_data = ABSOLUTE(010000)"), "not checked", "lld does otherwise"),
        ("gnu", ONLY, "held", ""),
        ("lld", ONLY, "not checked", "for lld where ONLY_IF_RO may leave out an output section that stays (line 3)"),
        ("both", ONLY, "not checked", "for lld where ONLY_IF_RO may leave out an output section that stays (line 3)"),
        ("both", BOTH, "held", ""),
        ("both", OVERLAID, "held", ""),
        ("lld=14", OVERLAID.replace("ALIGN(0x1000)", "ALIGN(0x800)"), "violated", ""),
    ],
)
def test_addresses_are_those_of_the_linkers_that_are_meant(
    tmp_path: Path, linker: str, script: str, verdict: str, reason: str
) -> None:
    (tmp_path / "t.ld").write_text(script)
    (tmp_path / "p.yaml").write_text(ALIGNED)
    report = ldcheck.check([str(tmp_path / "t.ld")], policies=[str(tmp_path / "p.yaml")], linker=linker)
    (result,) = report.rules
    assert result.verdict.value == verdict
    assert reason in result.reason


def test_what_only_one_of_the_linkers_guarantees_is_told_for_the_other(tmp_path: Path) -> None:
    (tmp_path / "t.ld").write_text("SECTIONS { .a 0x20004 : { *(.a) _data = 0xffc; } }\n")
    (tmp_path / "p.yaml").write_text(ALIGNED)
    found = {}
    for linker in ("gnu", "lld=19", "gnu,lld=19", "lld=19,gnu"):
        report = ldcheck.check([str(tmp_path / "t.ld")], policies=[str(tmp_path / "p.yaml")], linker=linker)
        facts = [fact for finding in report.findings for fact in finding.facts]
        found[linker] = (report.rules[0].verdict.value, "so for lld 19, not for GNU ld" in facts)
    assert found == {
        "gnu": ("held", False),
        "lld=19": ("violated", False),
        "gnu,lld=19": ("violated", True),
        "lld=19,gnu": ("violated", False),
    }


@pytest.mark.parametrize(("linker", "found"), [("gnu", True), ("lld", False), ("both", True)])
def test_faults_of_gnu_ld_are_none_of_lld(tmp_path: Path, linker: str, found: bool) -> None:
    (tmp_path / "t.ld").write_text(COUNTED)
    report = ldcheck.check([str(tmp_path / "t.ld")], policies=["generic"], linker=linker)
    rules = {one.rule for one in report.findings}
    assert ("relative-number" in rules, "absolute-dot" in rules) == (found, found)
