"""The configuration file: what it says, what is wrong in it, and which targets a file belongs to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ldcheck.findings import CheckError
from ldcheck.preprocess.reached import reached
from ldcheck.project.keys import KEYS, schema
from ldcheck.project.read import read_project
from ldcheck.project.selection import find_project, targets_for
from ldcheck.project.target import Project
from tests.preprocess.support import tree

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tree(
        tmp_path,
        {
            "xen/a.lds.S": "#include <xen.lds.h>\n#ifdef CONFIG_A\n#include <rare.h>\n#endif\n",
            "xen/b.lds.S": "",
            "xen/include/xen.lds.h": "",
            "xen/include/rare.h": "#include <xen.lds.h>\n",
            "xen/include/other.h": "",
            "xen/first.h": "",
            "policy.yaml": "",
            "xen/one.o": "",
            "xen/two.o": "",
        },
    )


def read(text: str, folder: str = ".") -> Project:
    Path(folder, ".ldcheck.yaml").write_text(text)
    return read_project(os.path.join(folder, ".ldcheck.yaml"))


def errors(text: str) -> list[tuple[int, int, str, str]]:
    """What is wrong with a configuration as a whole, or with its targets one by one."""
    try:
        found = tuple(wrong for target in read(text).targets for wrong in target.errors)
    except CheckError as raised:
        found = raised.errors
    return [(wrong.location.line, wrong.location.column, wrong.message, wrong.help) for wrong in found]


def test_what_a_target_names_and_is_not_there_concerns_that_target_alone() -> None:
    text = TARGET + "  b: { script: xen/b.lds.S, includes: [gone] }\n"
    targets = {target.name: target.errors for target in read(text).targets}
    assert targets["a"] == ()
    assert [wrong.message for wrong in targets["b"]] == ["there is no gone"]


def test_a_pattern_of_folders_may_match_nothing() -> None:
    text = TARGET + "  b: { script: xen/b.lds.S, includes: [xen/incl*, xen/gone-*] }\n"
    target = read(text).targets[-1]
    assert target.errors == ()
    assert target.includes == ("xen/include",)


ELF_ARM64 = b"\x7fELF\x02\x01\x01" + bytes(11) + b"\xb7\x00" + bytes(100)


def test_products_of_another_architecture_are_not_there() -> None:
    Path("xen-syms").write_bytes(ELF_ARM64)
    Path("dot-config").write_text("# Xen/arm\nCONFIG_ARM_64=y\nCONFIG_ARM=y\n")
    text = """\
ldcheck: 1
defaults: { config: dot-config, image: xen-syms }
targets:
  arm64: { script: xen/a.lds.S, arch: arm64 }
  x86: { script: xen/a.lds.S, arch: x86_64 }
  any: { script: xen/a.lds.S }
  mine: { script: xen/a.lds.S, arch: x86_64, image: xen-syms }
"""
    found = {target.name: target for target in read(text).targets}
    assert (found["arm64"].config, found["arm64"].image) == ("dot-config", "xen-syms")
    assert (found["x86"].config, found["x86"].image) == ("", "")
    assert found["x86"].notes == ("config dot-config is arm64's", "image xen-syms is arm64's")
    assert (found["any"].config, found["any"].image) == ("dot-config", "xen-syms")
    assert found["mine"].image == "xen-syms"


FULL = """\
ldcheck: 1
defaults:
  definitions: { __XEN__: true, LINKER_SCRIPT: true }
  includes: xen/include
  pin: { EFI: false }
targets:
  xen/a:
    script: xen/a.lds.S
    arch: aarch64
    include-first: [xen/first.h]
    definitions: { SIZE: 0x200000, LINKER_SCRIPT: false, EMPTY:, TEXT: "a b" }
    compiler: [aarch64-linux-gnu-gcc, gcc]
    command-file: xen/.a.lds.cmd
    config: xen/first.h
    generated: ["board/*.h"]
    vary: { CONFIG_LEVELS: [2, 3], CONFIG_B: [false, true] }
    pin: [BUILD_ID, NAME=x=1]
    limit: 8
    image: xen/xen-syms
    objects: ["xen/*.o", xen/three.o]
    policies: [policy.yaml, xen/arm]
  b:
    script: xen/b.lds.S
    includes: [xen]
    vary: CONFIG_C
    preprocessor: pcpp
"""


def test_everything_that_it_may_say() -> None:
    a, b = read(FULL).targets
    assert (a.name, a.script, a.arch, a.limit, a.preprocessor) == ("xen/a", "xen/a.lds.S", "arm64", 8, "auto")
    assert a.definitions == {"__XEN__": "1", "LINKER_SCRIPT": None, "SIZE": "0x200000", "EMPTY": "", "TEXT": "a b"}
    assert a.pin == {"EFI": None, "BUILD_ID": "1", "NAME": "x=1"}
    assert a.vary == {"CONFIG_LEVELS": ("2", "3"), "CONFIG_B": (None, "1")}
    assert (a.includes, a.include_first, a.generated) == (("xen/include",), ("xen/first.h",), ("board/*.h",))
    assert a.compiler == ("aarch64-linux-gnu-gcc", "gcc")
    assert (a.command_file, a.config, a.image, a.map) == ("", "xen/first.h", "", "")
    assert a.objects == ("xen/one.o", "xen/two.o")
    assert a.policies == ("policy.yaml", "xen/arm")
    assert a.notes == (
        "command-file xen/.a.lds.cmd is not there",
        "image xen/xen-syms is not there",
        "objects xen/three.o: nothing there",
    )
    assert (a.location.line, a.location.column) == (7, 3)
    assert (b.includes, b.vary, b.preprocessor) == (("xen",), {"CONFIG_C": (None, "1")}, "pcpp")
    assert b.definitions == {"__XEN__": "1", "LINKER_SCRIPT": "1"}


def test_paths_count_from_the_file_and_are_told_from_here(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "ldcheck: 1\ntargets: { a: { script: a.lds.S, includes: [include] } }\n"
    (target,) = read(text, "xen").targets
    assert (target.script, target.includes, target.root) == ("xen/a.lds.S", ("xen/include",), "xen")
    monkeypatch.chdir(here / "xen" / "include")
    (target,) = read_project("../.ldcheck.yaml").targets
    assert (target.script, target.includes, target.root) == ("../a.lds.S", (".",), "..")


TARGET = "ldcheck: 1\ntargets:\n  a:\n    script: xen/a.lds.S\n"
WRONG = {
    "no version": (
        "targets: {}\n",
        (1, 1, "the configuration does not say for which ldcheck it is", "begin it with `ldcheck: 1`"),
    ),
    "another version": ("ldcheck: 2\ntargets: {}\n", (1, 10, "this ldcheck reads configurations of version 1", "")),
    "no targets": ("ldcheck: 1\n", (1, 1, "the configuration has no `targets`", "each is `name: {script: path}`")),
    "a key": (
        "ldcheck: 1\ntarget: {}\ntargets: {}\n",
        (2, 1, "unknown key `target` in the configuration", "did you mean `targets`?"),
    ),
    "a key of a target": (
        TARGET + "    include: x\n",
        (5, 5, "unknown key `include` in the target a", "did you mean `includes`?"),
    ),
    "a key of the defaults": (
        "ldcheck: 1\ndefaults: { script: x }\ntargets: {}\n",
        (2, 13, "unknown key `script` in `defaults`", None),
    ),
    "no script": ("ldcheck: 1\ntargets: { a: { arch: x86_64 } }\n", (2, 12, "the target a has no `script`", "")),
    "a missing script": (
        "ldcheck: 1\ntargets: { a: { script: xen/c.lds.S } }\n",
        (2, 25, "there is no xen/c.lds.S", None),
    ),
    "a missing header": (
        TARGET + "    include-first: [xen/first.h, xen/frist.h]\n",
        (5, 34, "there is no xen/frist.h", "did you mean `first.h`?"),
    ),
    "a missing folder": (
        TARGET + "    includes: [xen/inc]\n",
        (5, 16, "there is no xen/inc", "did you mean `include`?"),
    ),
    "a missing policy": (
        TARGET + "    policies: polcy.yaml\n",
        (5, 15, "there is no polcy.yaml", "did you mean `policy.yaml`?"),
    ),
    "an architecture": (
        TARGET + "    arch: x86_46\n",
        (5, 11, "`arch` is `x86_46`, which is no architecture that ldcheck knows", "did you mean `x86_64`?"),
    ),
    "a name of a macro": (
        TARGET + "    pin: { A B: 1 }\n",
        (5, 12, "`pin` holds `A B`, which is no name of a macro", ""),
    ),
    "a value of several lines": (
        TARGET + '    definitions: { A: "1\\n#include x" }\n',
        (5, 23, "the value of a macro is one line", ""),
    ),
    "a list for a value": (
        TARGET + "    pin: { A: [1] }\n",
        (5, 15, "A in `pin` must be a text, a number, true or false", ""),
    ),
    "no values": (TARGET + "    vary: { A: [] }\n", (5, 16, "A in `vary` has no values", "")),
    "both": (TARGET + "    vary: [A]\n    pin: { A: 1 }\n", (6, 12, "A is both pinned and varied", "")),
    "a number": (TARGET + "    limit: 0\n", (5, 12, "`limit` is 0 and must be from 1 to 4096", "")),
    "a word": (
        TARGET + "    preprocessor: gcc\n",
        (5, 19, "`preprocessor` is `gcc` and must be one of auto, recorded, compiler, pcpp", ""),
    ),
    "a flag": (TARGET + "    optional: maybe\n", (5, 15, "`optional` is `maybe` and must be true or false", "")),
    "a duplicate": (TARGET + "    script: xen/b.lds.S\n", (5, 5, "the key `script` stands twice", None)),
    "a duplicate target": (TARGET + "  a: { script: xen/b.lds.S }\n", (5, 3, "the key `a` stands twice", None)),
    "no mapping": ("ldcheck: 1\ntargets: [a]\n", (2, 10, "`targets` is a list and must be a mapping (key: value)", "")),
}


@pytest.mark.parametrize(("text", "wanted"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_at_its_place(text: str, wanted: tuple[int, int, str, str | None]) -> None:
    found = errors(text)
    assert len(found) == 1, found
    line, column, message, advice = found[0]
    assert (line, column) == wanted[:2]
    assert message == wanted[2] or wanted[3] is None
    assert advice == wanted[3] or wanted[3] is None


def test_all_errors_are_told_and_those_of_the_defaults_once() -> None:
    text = "ldcheck: 1\ndefaults: { limit: x }\ntargets:\n  a: { script: xen/a.lds.S }\n  b: { script: gone, arc: x }\n"
    assert [wrong[:2] for wrong in errors(text)] == [(2, 20), (5, 22), (5, 16)]


def test_an_optional_target_without_its_script_is_left_out_and_named() -> None:
    text = TARGET + "  gone: { script: xen/gone.lds.S, includes: [gone], optional: true }\n"
    project = read(text)
    assert [target.name for target in project.targets] == ["a"]
    assert project.left_out == ("gone: xen/gone.lds.S is not in this tree",)


SELECT = """\
ldcheck: 1
defaults: { includes: [xen/include] }
targets:
  a: { script: xen/a.lds.S, policies: [policy.yaml] }
  a-efi: { script: xen/a.lds.S, definitions: [EFI] }
  b: { script: xen/b.lds.S, include-first: [xen/first.h] }
"""


@pytest.mark.parametrize(
    ("files", "targets", "others"),
    [
        ((), "a a-efi b", ()),
        (("xen/a.lds.S",), "a a-efi", ()),
        (("./xen/../xen/b.lds.S",), "b", ()),
        (("xen/include/xen.lds.h",), "a a-efi", ()),
        (("xen/include/rare.h",), "a a-efi", ()),
        (("xen/first.h",), "b", ()),
        (("policy.yaml", "xen/include/other.h"), "a", ("xen/include/other.h",)),
        ((".ldcheck.yaml", "xen/b.lds.S"), "a a-efi b", ()),
        (("gone.h", "xen/b.lds.S"), "b", ("gone.h",)),
    ],
)
def test_the_targets_of_files(files: tuple[str, ...], targets: str, others: tuple[str, ...]) -> None:
    found = targets_for(read(SELECT), files, reached)
    assert ([target.name for target in found.targets], found.others) == (targets.split(), others)


def test_a_recorded_command_tells_which_headers_were_read() -> None:
    Path("xen/.b.lds.cmd").write_text(
        "cmd_b.lds := gcc -E -Iinclude -o b.lds b.lds.S\n\ndeps_b.lds := \\\n  include/other.h \\\n\n"
    )
    project = read("ldcheck: 1\ntargets: { b: { script: xen/b.lds.S, command-file: xen/.b.lds.cmd } }\n")
    assert [target.name for target in targets_for(project, ["xen/include/other.h"], reached).targets] == ["b"]


def test_the_file_is_found_above_and_not_beyond_the_repository(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(SELECT)
    monkeypatch.chdir(here / "xen" / "include")
    assert find_project() == "../../.ldcheck.yaml"
    (here / "xen" / ".git").mkdir()
    assert find_project() == ""


def test_the_schema_and_the_loader_know_the_same_keys() -> None:
    target = schema()["properties"]["targets"]["additionalProperties"]
    assert list(target["properties"]) == [key.name for key in KEYS]
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(schema())
    import yaml

    validator.validate(yaml.safe_load(FULL))
    for path in sorted(EXAMPLES.glob("*/.ldcheck.yaml")):
        validator.validate(yaml.safe_load(path.read_text()))
    for text in (WRONG["a key of a target"][0], WRONG["no script"][0], WRONG["a word"][0], WRONG["no values"][0]):
        assert not validator.is_valid(yaml.safe_load(text))


def test_a_huge_or_broken_file_is_refused() -> None:
    for text in ("", "a: [", "\0", "ldcheck: 1\ntargets: *x\n", "# " + "x" * (2 << 20)):
        with pytest.raises(CheckError):
            read(text)
