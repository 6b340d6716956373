"""Kconfig's choices, from a .config and from an autoconf.h."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.findings import CheckError
from ldcheck.preprocess.kconfig import read_config
from ldcheck.preprocess.run import preprocess
from ldcheck.project.target import Target
from tests.preprocess.support import tree, words

CONFIG = """\
#
# Automatically generated file; DO NOT EDIT.
# Xen/x86 4.17.5 Configuration
#
CONFIG_X86=y
# CONFIG_EFI is not set
CONFIG_NR_CPUS=256
CONFIG_ADDRESS=0xffff800000000000
CONFIG_COMMAND="a \\"b\\" # c"
CONFIG_EMPTY=""
CONFIG_DRIVER=m
CONFIG_OFF=n
"""
HEADER = """\
/*
 * Automatically generated file; DO NOT EDIT.
 */
#define CONFIG_X86 1
#define CONFIG_NR_CPUS 256
#define CONFIG_ADDRESS 0xffff800000000000
#define CONFIG_COMMAND "a \\"b\\" # c"
#define CONFIG_EMPTY ""
#define CONFIG_DRIVER_MODULE 1
"""
CHOICES = {
    "CONFIG_X86": "1",
    "CONFIG_NR_CPUS": "256",
    "CONFIG_ADDRESS": "0xffff800000000000",
    "CONFIG_COMMAND": '"a \\"b\\" # c"',
    "CONFIG_EMPTY": '""',
    "CONFIG_DRIVER_MODULE": "1",
}


@pytest.mark.parametrize("text", [CONFIG, HEADER, CONFIG.replace("\n", "\r\n"), "\n\n" + HEADER], ids=range(4))
def test_the_same_choices_from_either_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "choices"
    path.write_text(text, newline="")
    assert read_config(str(path)) == CHOICES


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("CONFIG_A=y\nrubbish\n", 2),
        ("CONFIG_A=y\n  CONFIG B=1\n", 2),
        ('CONFIG_A="open\n', 1),
        ("\0\0\n", 1),
        ("#define CONFIG_A 1\nint main;\n", 2),
        ("CONFIG_A=y z # c\nEFI=1\n", 1),
    ],
)
def test_garbage_is_an_error_at_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "choices"
    path.write_text(text)
    with pytest.raises(CheckError, match="not what Kconfig writes") as raised:
        read_config(str(path))
    assert raised.value.errors[0].location.line == line


def test_a_configuration_decides_every_config_symbol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = '#include "k.h"\n#ifdef CONFIG_X86\na = CONFIG_NR_CPUS;\n#endif\n#ifdef CONFIG_EFI\nb = 1;\n#endif\n'
    tree(
        tmp_path,
        {".config": CONFIG, "a.lds.S": script, "k.h": "#include <generated/autoconf.h>\n", "none.lds.S": script[15:]},
    )
    for name in ("a.lds.S", "none.lds.S"):
        for way in ("compiler", "pcpp"):
            (found,) = preprocess(Target("a", name, config=".config", preprocessor=way))
            assert words(found.source.text) == ["a", "=", "256", ";"]
            assert found.notes == ()


def test_an_autoconf_that_is_there_decides_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = "#include <generated/autoconf.h>\n#ifdef CONFIG_X86\na = 1;\n#endif\n#ifdef CONFIG_EFI\nb = 1;\n#endif\n"
    tree(tmp_path, {"include/generated/autoconf.h": HEADER, "a.lds.S": script})
    target = Target("a", "a.lds.S", includes=("include",))
    assert len(preprocess(target)) == 1


def test_a_build_knows_better_than_a_pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = (
        "#include <generated/autoconf.h>\n#ifdef CONFIG_EFI\nb = 1;\n#endif\nn = CONFIG_NR_CPUS;\n#ifdef ID\n#endif\n"
    )
    tree(tmp_path, {".config": CONFIG, "include/generated/autoconf.h": HEADER, "a.lds.S": script})
    pin = {"CONFIG_EFI": "1", "CONFIG_NR_CPUS": "4", "ID": "1"}
    for config, includes, number in ((".config", (), "256"), ("", ("include",), "256"), ("", (), "4")):
        (found,) = preprocess(Target("a", "a.lds.S", includes=includes, config=config, pin=pin))
        assert words(found.source.text)[-2:] == [number, ";"]
        assert ("b" in words(found.source.text)) == (number == "4")
        assert found.defined[0]["ID"] == "1"


@pytest.mark.parametrize("way", ["compiler", "pcpp"])
def test_what_is_varied_wins_over_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.chdir(tmp_path)
    script = "#include <generated/autoconf.h>\n#ifdef CONFIG_X86\na = 1;\n#endif\nn = CONFIG_NR_CPUS;\n"
    tree(tmp_path, {".config": CONFIG, "include/generated/autoconf.h": HEADER, "a.lds.S": script})
    vary = {"CONFIG_X86": (None, "1"), "CONFIG_NR_CPUS": ("1", "64")}
    for config in (".config", "include/generated/autoconf.h"):
        target = Target("a", "a.lds.S", includes=("include",), config=config, vary=vary, preprocessor=way)
        found = {" ".join(words(script.source.text)) for script in preprocess(target)}
        assert found == {"n = 1 ;", "n = 64 ;", "a = 1 ; n = 1 ;", "a = 1 ; n = 64 ;"}
