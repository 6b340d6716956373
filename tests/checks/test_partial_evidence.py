"""`no-reference` where what was given is not all of the link: it holds by what was looked at, and by nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ldcheck import check
from ldcheck.findings import Verdict
from ldcheck.report.model import Report
from tests.support.build import TARGETS, LinkResult, compile_c, link
from tests.support.tools import tool

SCRIPT = """
ENTRY(_start)
SECTIONS {
  . = 0x200000;
  .text : { *(.text .text.*) }
  .init : { init_start = .; *(.init.*) init_end = .; }
  .rela.plt : { *(.rela.plt .rela.iplt .rel.plt .rel.iplt) }
  .plt : { *(.plt .iplt) }
  .got : { *(.got .got.plt .igot .igot.plt) }
  .data : { *(.data .data.* .sdata .bss .sbss) }
  /DISCARD/ : { *(.comment .note* .eh_frame .ARM.* .riscv.*) }
}
"""
BY_NAME = "{from: [.text, .text.*], to: [.init.*]}"
BY_RANGE = "{from: {section: [.text, .text.*]}, to: {between: [init_start, init_end]}}"
RULES = pytest.mark.parametrize("rule", [BY_NAME, BY_RANGE])
INIT = '__attribute__((section(".init.text"), noinline, noipa)) int %s(void) { return 2; }\n'


def judged(folder: Path, rule: str, objects: list[Path], elf: str = "", mapped: str = "") -> Report:
    """The report on one rule."""
    policy = folder / "policy.yaml"
    policy.write_text(f"ldcheck: 1\nrules:\n  - {{id: r, no-reference: {rule}}}\n")
    return check(policies=[str(policy)], objects=[str(path) for path in objects], elf=elf, map=mapped)


def with_map(done: LinkResult) -> dict[str, str]:
    """What a link left, as it is given."""
    assert done.elf is not None, done.output
    return {"elf": str(done.elf), "mapped": str(done.map)}


INDIRECT = """
static int one(void) { return 1; }
static void *choose(void) { return one; }
int chosen(void) __attribute__((ifunc("choose")));
int (*hook)(void);
int _start(void) { hook = secret; return chosen(); }
"""


@RULES
@pytest.mark.parametrize("arch", ["x86_64", "arm64", "riscv64"])
def test_what_is_loaded_for_the_start_of_an_image_is_no_relocation_of_its_code(tmp_path, arch, rule):
    done = link(tmp_path, SCRIPT, [compile_c(tmp_path, INIT % "secret" + INDIRECT, arch)], arch)
    (result,) = judged(tmp_path, rule, [], **with_map(done)).rules
    assert result.verdict is Verdict.NOT_CHECKED


@pytest.mark.parametrize("arch", ["x86_64", "arm32"])
def test_code_whose_relocations_were_taken_out_is_not_checked(tmp_path, arch):
    source = INIT % "secret" + "void *table = 0; void *other = &table; int _start(void) { table = secret; return 0; }"
    a = compile_c(tmp_path, source, arch)
    done = link(tmp_path, SCRIPT, [a], arch, ["--emit-relocs"])
    assert [one.verdict for one in judged(tmp_path, BY_NAME, [], **with_map(done)).rules] == [Verdict.VIOLATED]
    objcopy = tool(f"{TARGETS[arch].prefix}objcopy")
    subprocess.run([objcopy, "--remove-relocations=.text", "a.elf"], check=True, cwd=tmp_path)
    (result,) = judged(tmp_path, BY_NAME, [], **with_map(done)).rules
    assert result.verdict is Verdict.NOT_CHECKED
    assert "no relocations for .text" in result.reason
    # The objects tell what the image does not.
    (result,) = judged(tmp_path, BY_RANGE, [a], **with_map(done)).rules
    assert result.verdict is Verdict.VIOLATED


FIRST = INIT % "first" + '__attribute__((section("named"))) int datum = 1;'
CALLS = "int other_name(void); int _start(void) { return other_name() + 1; }"


@RULES
@pytest.mark.parametrize("linker", ["ld", "ld.lld-19"])
def test_an_alias_that_the_script_makes_is_what_it_stands_for(tmp_path, linker, rule):
    objects = [compile_c(tmp_path, CALLS), compile_c(tmp_path, INIT % "real", name="b.o")]
    done = link(tmp_path, SCRIPT + "between = real; other_name = between;", objects, linker=linker)
    linked = with_map(done)
    (found,) = judged(tmp_path, rule, objects, **linked).findings
    assert found.message == "`_start` (.text, a.o) refers to `other_name` (.init.text, b.o)"
    assert [one.verdict for one in judged(tmp_path, rule, objects, mapped=linked["mapped"]).rules] == [Verdict.VIOLATED]
    if rule == BY_NAME:
        assert [one.verdict for one in judged(tmp_path, rule, objects, elf=linked["elf"]).rules] == [Verdict.VIOLATED]


@pytest.mark.parametrize("linker", ["ld", "ld.lld-19"])
def test_a_symbol_that_is_computed_from_a_function_is_where_it_is_or_not_known(tmp_path, linker):
    objects = [compile_c(tmp_path, CALLS), compile_c(tmp_path, INIT % "real", name="b.o")]
    done = link(tmp_path, SCRIPT + "other_name = real + 1;", objects, linker=linker)
    linked = with_map(done)
    assert [one.verdict for one in judged(tmp_path, BY_NAME, objects, **linked).rules] == [Verdict.VIOLATED]
    # A map of lld does not have the value.
    told = Verdict.VIOLATED if linker == "ld" else Verdict.NOT_CHECKED
    assert [one.verdict for one in judged(tmp_path, BY_NAME, objects, mapped=linked["mapped"]).rules] == [told]


@RULES
@pytest.mark.parametrize("linker", ["ld", "ld.lld-19"])
@pytest.mark.parametrize("mark", ["init_start", "init_end", "start_again", "number", "__start_named"])
def test_a_place_that_the_script_marks_is_no_name_of_what_begins_there(tmp_path, linker, mark, rule):
    user = f"extern char {mark}[]; int _start(void) {{ return {mark}[1]; }}"
    objects = [compile_c(tmp_path, user), compile_c(tmp_path, FIRST, name="b.o")]
    done = link(tmp_path, SCRIPT + "start_again = init_start; number = 0x200020;", objects, linker=linker)
    linked = with_map(done)
    for given in (linked, {"mapped": linked["mapped"]}, {"elf": linked["elf"]} if rule == BY_NAME else linked):
        assert [one.verdict for one in judged(tmp_path, rule, objects, **given).rules] == [Verdict.HELD]


WEAK = """
__attribute__((weak)) int hook(void) { return 1; }
int plain(void);
int _start(void) { return hook() + plain(); }
"""


@RULES
@pytest.mark.parametrize("linker", ["ld", "ld.lld-19"])
def test_a_weak_function_is_what_the_link_took_for_it(tmp_path, linker, rule):
    objects = [
        compile_c(tmp_path, WEAK),
        compile_c(tmp_path, INIT % "hook", name="b.o"),
        compile_c(tmp_path, "int plain(void) { return 3; }" + INIT % "other", name="c.o"),
    ]
    linked = with_map(link(tmp_path, SCRIPT, objects, linker=linker))
    for given in (linked, {"mapped": linked["mapped"]}):
        (found,) = judged(tmp_path, rule, [objects[0], objects[2]], **given).findings
        assert found.message == "`_start` (.text, a.o) refers to `hook` (.init.text, b.o)"


@RULES
@pytest.mark.parametrize("linker", ["ld", "ld.lld-19"])
def test_a_file_of_the_map_that_was_not_given_is_not_held_to_refer_to_nothing(tmp_path, linker, rule):
    sources = {
        "a.o": "int _start(void) { return 1; }",
        "b.o": "int secret(void); int user(void) { return secret(); }",
        "c.o": INIT % "secret",
        "d.o": "int number = 1; int room;",
    }
    objects = {name: compile_c(tmp_path, text, name=name) for name, text in sources.items()}
    linked = with_map(link(tmp_path, SCRIPT, objects.values(), linker=linker))
    (result,) = judged(tmp_path, rule, [objects["a.o"], objects["c.o"]], mapped=linked["mapped"]).rules
    assert result.verdict is Verdict.NOT_CHECKED
    assert "the map has b.o, which is not among the objects" in result.reason
    # The other way round, there is nothing in it that the rule asks for.
    back = (
        "{from: .init.text, to: .text}" if rule == BY_NAME else "{from: {between: [init_start, init_end]}, to: .text}"
    )
    (result,) = judged(tmp_path, back, [objects["a.o"], objects["c.o"]], **linked).rules
    assert result.verdict is Verdict.HELD


@RULES
def test_what_link_time_optimisation_made_is_not_told_by_the_objects(tmp_path, rule):
    options = ["-flto", "-ffat-lto-objects"]
    source = "int secret(void); __attribute__((noinline)) int user(void) { return secret(); }"
    start = "int user(void); int _start(void) { return user(); }"
    objects = [
        compile_c(tmp_path, source + start, options=options),
        compile_c(tmp_path, INIT % "secret", name="b.o", options=options),
    ]
    (tmp_path / "a.lds").write_text(SCRIPT)
    command = [tool("x86_64-linux-gnu-gcc"), *options, "-nostdlib", "-static", "-no-pie", "-T", "a.lds"]
    command += ["-Wl,-Map=a.map", "-Wl,--build-id=none", "-o", "a.elf", "a.o", "b.o"]
    subprocess.run(command, check=True, cwd=tmp_path)
    (result,) = judged(tmp_path, rule, objects, mapped=str(tmp_path / "a.map")).rules
    # Names are those of the objects, which have their code as well.
    assert result.verdict is (Verdict.VIOLATED if rule == BY_NAME else Verdict.NOT_CHECKED)
    (result,) = judged(
        tmp_path,
        BY_RANGE.replace("init_start, init_end", "init_end, init_end"),
        objects,
        mapped=str(tmp_path / "a.map"),
    ).rules
    assert result.verdict is Verdict.NOT_CHECKED
    assert "link-time optimisation" in result.reason
