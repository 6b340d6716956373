"""Xen's own linker scripts, from Debian's source package: with no build and no Kconfig at hand, and with both."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from ldcheck.preprocess.configurations import smallest_condition
from ldcheck.preprocess.reached import reached
from ldcheck.preprocess.run import Preprocessed, preprocess
from ldcheck.project.read import read_project
from ldcheck.project.selection import targets_for
from ldcheck.project.target import Target
from ldcheck.record import replace
from ldcheck.script.parser import parse
from ldcheck.sections.left import State
from ldcheck.sections.reach import reaches
from ldcheck.sections.rules import input_rules
from tests.preprocess.conditions import wrong_conditions
from tests.preprocess.support import same_by_pcpp, words
from tests.support.debian import source_package
from tests.support.xen import xen

EXAMPLE = Path(__file__).parents[2] / "examples" / "xen" / ".ldcheck.yaml"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Xen's source as a current folder, with the example's configuration in it."""
    package = source_package("xen", only=["xen/arch/*/xen.lds.S", "xen/include/*", "xen/arch/*/include/*"])
    (tmp_path / "xen").symlink_to(package / "xen")
    shutil.copy(EXAMPLE, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def target(name: str) -> Target:
    return next(target for target in read_project(".ldcheck.yaml").targets if target.name == name)


def condition(scripts: Sequence[Preprocessed], chosen: Sequence[Preprocessed]) -> str:
    every = [configuration for script in scripts for configuration in script.configurations]
    return smallest_condition(every, [configuration for script in chosen for configuration in script.configurations])


def dead_patterns(script: Preprocessed) -> set[tuple[str, int, str]]:
    """File, line and text of every pattern that a rule ahead of it leaves nothing, and which rule that is."""
    tree = parse(script.source, origin=script.origin)
    found = set()
    for reach in reaches(input_rules(tree.tree)):
        if reach.state is State.DEAD and reach.rule.pattern is not None:
            place = tree.sources.locate(reach.rule.pattern.start, reach.rule.pattern.end)
            taken_by = {rule.pattern.pattern.text for rule in reach.earlier if rule.pattern is not None}
            if ".text.*" in taken_by:
                found.add((place.file, place.line, place.excerpt[place.column - 1 : place.end_column - 1]))
    return found


# What stands behind `*(.text.*)`, which is there with split sections only.
DEAD = {
    "xen/x86": {
        ("xen/arch/x86/xen.lds.S", ".text.__x86_indirect_thunk_*"),
        ("xen/arch/x86/xen.lds.S", ".text.startup"),
        ("xen/include/xen/xen.lds.h", ".text.exit"),
    },
    "xen/arm64": {("xen/include/xen/xen.lds.h", ".text.exit")},
    "xen/arm32": {("xen/include/xen/xen.lds.h", ".text.exit")},
}


def with_lines(patterns: set[tuple[str, str]]) -> set[tuple[str, int, str]]:
    """The patterns with the one line of their file that has them."""
    found = set()
    for file, pattern in patterns:
        lines = Path(file).read_text().splitlines()
        (number,) = (number for number, line in enumerate(lines, 1) if f"*({pattern})" in line)
        found.add((file, number, pattern))
    return found


@pytest.mark.parametrize("name", DEAD)
def test_split_sections_make_patterns_dead_and_nothing_else_does(tree: Path, name: str) -> None:
    # Above the limit every pair of values is covered, which is enough to tell one symbol from all others.
    scripts = preprocess(replace(target(name), limit=8))
    by_script = [dead_patterns(script) for script in scripts]
    wanted = with_lines(DEAD[name])
    assert set().union(*by_script) == wanted
    for pattern in wanted:
        chosen = [script for script, found in zip(scripts, by_script, strict=True) if pattern in found]
        assert condition(scripts, chosen) == "only with CONFIG_CC_SPLIT_SECTIONS"


def test_a_finding_in_a_macro_points_into_the_header(tree: Path) -> None:
    script = preprocess(replace(target("xen/x86"), limit=1))[0]
    at = script.source.text.index(".debug_info")
    place = script.origin.locate(script.source, at, at + len(".debug_info"))
    assert (place.file, place.excerpt[place.column - 1 : place.end_column - 1]) == (
        "xen/include/xen/xen.lds.h",
        ".debug_info",
    )
    assert "DECL_DEBUG2(.debug_info, .gnu.linkonce.wi.*, 1)" in place.excerpt
    (use,) = script.origin.related(script.source, at, at + 1)
    assert use.label == "DWARF2_DEBUG_SECTIONS is used here"
    assert (use.location.file, use.location.excerpt.strip()) == ("xen/arch/x86/xen.lds.S", "DWARF2_DEBUG_SECTIONS")


def test_what_a_build_would_have_made_is_named(tree: Path) -> None:
    found = target("xen/x86")
    assert "config xen/.config is not there" in found.notes
    notes = preprocess(found)[0].notes
    assert "the generated header generated/autoconf.h is missing and taken as empty" in notes
    assert any("symbols decide in more than" in note and "CONFIG_CC_SPLIT_SECTIONS" in note for note in notes)


def test_a_header_belongs_to_the_targets_that_include_it(tree: Path) -> None:
    project = read_project(".ldcheck.yaml")

    def names(*files: str) -> list[str]:
        return [target.name for target in targets_for(project, files, reached).targets]

    assert names("xen/include/xen/xen.lds.h") == ["xen/x86", "xen/x86-efi", "xen/arm64", "xen/arm32"]
    assert names("xen/arch/arm/include/asm/page.h") == ["xen/arm64", "xen/arm32"]
    assert names("xen/arch/x86/xen.lds.S", "xen/arch/arm/xen.lds.S") == [
        "xen/x86",
        "xen/x86-efi",
        "xen/arm64",
        "xen/arm32",
    ]
    assert targets_for(project, ["xen/include/xen/sched.h"], reached) == ((), ("xen/include/xen/sched.h",))
    assert [note.partition(":")[0] for note in project.left_out] == ["xen/riscv", "xen/ppc"]


@pytest.mark.parametrize("name", ["xen/x86", "xen/arm64"])
def test_compiler_and_pcpp_agree(tree: Path, name: str) -> None:
    found = target(name)
    pinned = {"CONFIG_CC_SPLIT_SECTIONS": "1", "CONFIG_HAS_VPCI": None, "CONFIG_KEXEC": "1", "CONFIG_HYPFS": "1"}
    # One configuration with all that is left given, and one without.
    given = {"BUILD_ID": "1", "XEN_BUILD_EFI": "1", "CONFIG_PVH_GUEST": "1", "CONFIG_HYPERV_GUEST": "1"}
    rest = ("CONFIG_DEBUG_LOCK_PROFILE", "CONFIG_LD_IS_GNU", "CONFIG_XEN_ALIGN_2M")
    pins = {**found.pin, **pinned, **given, **dict.fromkeys(rest, "1")}
    assert same_by_pcpp(replace(found, pin=pins)) > 1000


@pytest.mark.sweep
@pytest.mark.parametrize("name", ["xen/x86", "xen/x86-efi", "xen/arm64", "xen/arm32"])
def test_compiler_and_pcpp_agree_in_every_configuration(tree: Path, name: str) -> None:
    assert same_by_pcpp(target(name)) > 10_000


def record(folder: Path, arch: str, options: Sequence[str] = ()) -> Path:
    """The file that Kbuild would have left for Debian's build in a folder of its own, and what it was made of."""
    package = xen(arch)
    compiler, *rest = package.command
    tree = package.tree
    absolute = [
        f"-I{tree / option[2:]}" if option.startswith("-Ia") or option == "-Iinclude" else option
        for option in rest[:-1]
    ]
    absolute[absolute.index("-include") + 1] = str(tree / "include/xen/config.h")
    made = "arch/x86/xen.lds" if arch == "x86_64" else "arch/arm/xen.lds"
    command = [Path(compiler).name, "-P", "-MMD", "-MP", "-MF", "arch/.xen.lds.d", *absolute, *options, "-MQ", made]
    path = folder / made.replace("xen.lds", ".xen.lds.cmd")
    path.parent.mkdir(parents=True)
    path.write_text(f"cmd_{made} := {' '.join(command)} -o {made} {package.script}\n\ndeps_{made} := \\\n  x.h \\\n\n")
    return path


@pytest.mark.parametrize(("arch", "name"), [("x86_64", "xen/x86"), ("arm64", "xen/arm64")])
def test_the_recorded_command_gives_what_the_build_made(tree: Path, arch: str, name: str) -> None:
    path = record(tree / "build", arch)
    found = replace(target(name), command_file=str(path.relative_to(tree)), preprocessor="recorded")
    (script,) = preprocess(found)
    assert words(script.source.text) == [
        word
        for line in xen(arch).preprocessed.read_text().splitlines()
        if not line.startswith("#")
        for word in words(line)
    ]
    assert script.defined[0]["LINKER_SCRIPT"] == "1"
    assert not script.notes


@pytest.mark.parametrize(("arch", "name"), [("x86_64", "xen/x86"), ("arm32", "xen/arm32")])
def test_the_configuration_gives_what_the_build_made(tree: Path, arch: str, name: str) -> None:
    given = {option[2:] for option in xen(arch).command if option.startswith("-D")}
    build = {name: "1" if name in given else None for name in ("BUILD_ID", "BUILD_ID_EFI", "XEN_BUILD_EFI")}
    for preprocessor in ("compiler", "pcpp"):
        found = replace(target(name), config=str(xen(arch).config), preprocessor=preprocessor)
        (script,) = preprocess(replace(found, pin={**found.pin, **build}))
        lines = xen(arch).preprocessed.read_text().splitlines()
        wanted = [word for line in lines if not line.startswith("#") for word in words(line)]
        assert words(script.source.text) == wanted
        assert script.defined[0]["CONFIG_NR_CPUS"]
        assert not script.notes


@pytest.mark.parametrize(
    "name",
    [
        "xen/x86",
        "xen/arm64",
        *(pytest.param(name, marks=pytest.mark.sweep) for name in ("xen/x86-efi", "xen/arm32")),
    ],
)
def test_each_condition_that_a_finding_names_is_right(tree: Path, name: str) -> None:
    """With it the preprocessor gives a script that has the finding, and without it one that has not."""
    asked = replace(target(name), policies=("generic", *target(name).policies))
    assert list(wrong_conditions(asked)) == []
