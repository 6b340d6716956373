"""`no-reference` on objects that real compilers made, one of which defines what the other refers to."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ldcheck import check
from ldcheck.findings import Verdict
from ldcheck.image.lines import Lines
from ldcheck.report.model import Report
from tests.support.tools import tool

INIT = """
#define INIT __attribute__((noinline, section(".init.text")))
extern int counter;
INIT int early(int n) { return n * counter; }
__attribute__((weak, alias("early"))) int also_early(int n);
"""
STAYS = """
int early(int), also_early(int), other(int);
int counter = 1;
int idle(void) { return early(2) + early(3); }
int (*table[])(int) = { early };
int busy(void) { return other(4); }
"""
COMPILERS = ["x86_64-linux-gnu-", "aarch64-linux-gnu-", "arm-linux-gnueabihf-", "riscv64-linux-gnu-", "mips-linux-gnu-"]


def judged(folder: Path, prefix: str, rule: str, *options: str) -> Report:
    """The report on both objects."""
    paths = []
    for name, text in {"init": INIT, "stays": STAYS}.items():
        source = folder / f"{name}.c"
        source.write_text(text)
        paths.append(str(folder / f"{name}.o"))
        command = [tool(f"{prefix}gcc"), "-O1", "-c", *options, "-o", paths[-1], str(source)]
        subprocess.run(command, check=True, timeout=60)
    policy = folder / "policy.yaml"
    policy.write_text(f"ldcheck: 1\nrules:\n  - id: it\n    no-reference: {rule}\n")
    return check(objects=paths, policies=[str(policy)])


RAM_CODE = """
int counter __attribute__((section(".data"))) = 1;
__attribute__((noinline)) int slow(int n) { return n + counter; }
__attribute__((noinline, section(".ramfunc"))) int fast(int n) { return slow(n) + 1; }
__attribute__((noinline, section(".ramfunc"))) int alone(int n) { return n * counter; }
int (*table[])(int) = { slow, fast };
"""
MEMORY = """
MEMORY { FLASH : ORIGIN = 0x8000000, LENGTH = 64K  RAM : ORIGIN = 0x20000000, LENGTH = 64K }
SECTIONS {
  .text : { *(.text .text.* .rodata .rodata.*) } > FLASH
  .ramcode : { ram_start = .; *(.ramfunc) ram_end = .; } > RAM AT> FLASH
  .data : { *(.data .data.*) } > RAM AT> FLASH
  /DISCARD/ : { *(.eh_frame .note.* .comment .ARM.* .riscv.*) }
}
"""


def on_image(
    folder: Path,
    prefix: str,
    rule: str,
    *,
    options: tuple[str, ...] = ("--emit-relocs",),
    compiler: tuple[str, ...] = (),
) -> Report:
    """The report on an image with code that runs from RAM, and on its script and map."""
    (folder / "a.c").write_text(RAM_CODE)
    (folder / "a.ld").write_text(MEMORY)
    policy = folder / "policy.yaml"
    policy.write_text(f"ldcheck: 1\nrules:\n  - id: it\n    no-reference: {rule}\n")
    for command in (
        [f"{prefix}gcc", "-O1", "-c", "-fno-pic", *compiler, "a.c"],
        [f"{prefix}ld", "-T", "a.ld", *options, "-Map=a.map", "-o", "a.elf", "a.o"],
    ):
        subprocess.run([tool(command[0]), *command[1:]], check=True, timeout=60, cwd=folder)
    script, elf, link_map = (str(folder / name) for name in ("a.ld", "a.elf", "a.map"))
    return check([script], policies=[str(policy)], elf=elf, map=link_map)


SIDES = [
    ("{ from: { section: .ramfunc }, to: { region: FLASH } }", ["`fast` (.ramfunc, a.o) refers to `slow` (.text)"]),
    (
        "{ from: { between: [ram_start, ram_end] }, to: { region: FLASH } }",
        ["`fast` (.ramfunc, a.o) refers to `slow` (.text)"],
    ),
    ("{ from: { region: FLASH }, to: { between: [ram_start, ram_end] } }", []),
    (
        "{ from: { outside: [ram_start, ram_end] }, to: { section: .text, region: FL* } }",
        ["`table` (.data, a.o) refers to `slow` (.text)"],
    ),
    (
        "{ from: { region: RAM }, to: { outside: [ram_start, ram_end], region: RAM } }",
        ["`alone` (.ramfunc, a.o) refers to `counter` (.data)"],
    ),
]


@pytest.mark.parametrize("prefix", [*COMPILERS[:4]])
@pytest.mark.parametrize(("rule", "wanted"), SIDES)
def test_ranges_and_regions_of_an_image(tmp_path: Path, prefix: str, rule: str, wanted: list[str]) -> None:
    report = on_image(tmp_path, prefix, rule)
    assert said(report) == wanted
    assert [result.verdict for result in report.rules] == [Verdict.VIOLATED if wanted else Verdict.HELD]


@pytest.mark.parametrize("prefix", [*COMPILERS[:4]])
def test_direct_calls_in_an_image_without_relocations(tmp_path: Path, prefix: str) -> None:
    """They break a rule, also through a stub or by two instructions, and do not hold it.

    Data and registers have addresses too.
    """
    found = on_image(tmp_path, prefix, SIDES[0][0], options=())
    assert said(found) == SIDES[0][1]
    (result,) = on_image(tmp_path, prefix, SIDES[2][0], options=()).rules
    reason = (
        "only an image that was linked with --emit-relocs, or objects and their map, tell from where to where, "
        "give --elf, or --objects and --map"
    )
    assert (result.verdict, result.reason) == (Verdict.NOT_CHECKED, f"no direct call does; {reason}")


def test_direct_calls_alone_neither_hold_a_limit_nor_make_an_exception_needless(tmp_path: Path) -> None:
    """The data that refer to the same place are not seen in an image without relocations."""
    sides = "from: { region: [FLASH, RAM] }, to: { section: .text, region: FLASH }"
    rule = tmp_path / "policy.yaml"
    (result,) = on_image(tmp_path, COMPILERS[0], f"{{ {sides} }}\n    at-most: 1", options=()).rules
    assert (result.verdict, result.reason.partition(";")[0]) == (Verdict.NOT_CHECKED, "1 direct call of at most 1")
    allowed = f"{{ {sides} }}\n    except: [{{ section: .data, reason: filled in later }}]"
    assert said(on_image(tmp_path, COMPILERS[0], allowed, options=())) == SIDES[0][1]
    seen = on_image(tmp_path, COMPILERS[0], f"{{ {sides} }}\n    at-most: 1")
    assert [one.verdict for one in seen.rules] == [Verdict.VIOLATED], rule.read_text()


@pytest.mark.parametrize("prefix", [*COMPILERS[:4]])
@pytest.mark.parametrize(("rule", "wanted"), SIDES)
def test_ranges_with_objects_and_their_map(tmp_path: Path, prefix: str, rule: str, wanted: list[str]) -> None:
    """The same as of an image with relocations, seen from another folder."""
    on_image(tmp_path, prefix, rule, options=())
    script, link_map, policy, path = (str(tmp_path / name) for name in ("a.ld", "a.map", "policy.yaml", "a.o"))
    report = check([script], objects=[path], policies=[policy], map=link_map)
    assert [message.replace(", a.o)", ")") for message in said(report)] == [
        message.replace(", a.o)", ")") for message in wanted
    ]
    assert [result.verdict for result in report.rules] == [Verdict.VIOLATED if wanted else Verdict.HELD]


RULE = "{ from: { between: [ram_start, ram_end] }, to: { region: FLASH } }"
CALLS = "int away(int); __attribute__((section(%s))) int user(int n) { return away(n); }\n"


def linked_objects(
    folder: Path, sources: dict[str, str], objects: list[str], *options: str, linker: str = "ld"
) -> Report:
    """The report on what the map of a link has of some objects."""
    (folder / "a.ld").write_text(MEMORY)
    policy = folder / "policy.yaml"
    policy.write_text(f"ldcheck: 1\nrules:\n  - id: it\n    no-reference: {RULE}\n")
    for name, text in sources.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).with_suffix(".c").write_text(text)
        command = [tool("gcc"), "-O1", "-c", "-fno-pic", "-fno-stack-protector", "-o", name, name.replace(".o", ".c")]
        subprocess.run(command, check=True, timeout=60, cwd=folder)
    link = [tool(linker), "-T", "a.ld", *options, "-Map=a.map", "-o", "a.elf", *sources]
    subprocess.run(link, check=True, timeout=60, cwd=folder)
    paths = [str(folder / name) for name in objects]
    return check(
        [str(folder / "a.ld")],
        objects=paths,
        map=str(folder / "a.map"),
        policies=[str(policy)],
        elf=str(folder / "a.elf"),
    )


def test_what_the_linker_left_out_refers_to_nothing(tmp_path: Path) -> None:
    sources = {"a.o": CALLS % '".ramfunc"', "b.o": "int away(int n) { return n; }"}
    kept = linked_objects(tmp_path, sources, [*sources], "-euser")
    assert said(kept) == ["`user` (.ramfunc, a.o) refers to `away` (.text, b.o)"]
    gone = linked_objects(tmp_path, sources, [*sources], "--gc-sections", "-eaway")
    assert [result.verdict for result in gone.rules] == [Verdict.HELD]


@pytest.mark.parametrize("linker", ["ld", "ld.lld"])
def test_merged_constants_are_where_those_of_another_file_are(tmp_path: Path, linker: str) -> None:
    text = '__attribute__((section(".ramfunc"))) const char *%s(void) { return "one text"; }\n'
    sources = {"a.o": text % "first", "b.o": text % "second"}
    report = linked_objects(tmp_path, sources, [*sources], "-efirst", linker=linker)
    assert said(report) == [
        '`first` (.ramfunc, a.o) refers to "one text" (.rodata.str1.1)',
        '`second` (.ramfunc, b.o) refers to "one text" (.rodata.str1.1)',
    ]


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    sources = {
        "one/a.o": CALLS % '".ramfunc"',
        "two/a.o": "int away(int n) { return n; }",
    }
    report = linked_objects(tmp_path, sources, [*sources], "-euser")
    assert said(report) == ["`user` (.ramfunc, a.o) refers to `away` (.text, a.o)"]
    # What is not of this link is nowhere in its map.
    (tmp_path / "other").mkdir()
    (tmp_path / "one/a.o").rename(tmp_path / "other/b.o")
    (result,) = check(
        [str(tmp_path / "a.ld")],
        objects=[str(tmp_path / "other/b.o"), str(tmp_path / "two/a.o")],
        map=str(tmp_path / "a.map"),
        policies=[str(tmp_path / "policy.yaml")],
    ).rules
    assert result.verdict is Verdict.NOT_CHECKED
    assert result.reason == "not all references could be read: the map has a.o, which is not among the objects"


@pytest.mark.parametrize("compiler", [("-g",), ("-g", "-gdwarf-4"), ("-g", "-gz")])
@pytest.mark.parametrize("prefix", COMPILERS[:4])
def test_lines_of_an_image(tmp_path: Path, prefix: str, compiler: tuple[str, ...]) -> None:
    (finding,) = on_image(tmp_path, prefix, SIDES[0][0], compiler=compiler).findings
    assert finding.facts[0] == "at a.c:4"


def test_lines_without_the_table_of_addresses(tmp_path: Path) -> None:
    """As clang leaves it out."""
    on_image(tmp_path, "x86_64-linux-gnu-", SIDES[0][0], compiler=("-g",))
    elf, without = tmp_path / "a.elf", tmp_path / "b.elf"
    subprocess.run([tool("objcopy"), "-R", ".debug_aranges", elf, without], check=True, timeout=60)
    symbols = subprocess.run([tool("nm"), elf], check=True, capture_output=True, text=True).stdout
    address = next(int(line.split()[0], 16) for line in symbols.splitlines() if line.endswith(" fast"))
    assert [Lines().at_address(str(path), address) for path in (elf, without)] == ["a.c:4", "a.c:4"]
    assert Lines().at_address(str(without), 0x10) == ""


def test_direct_calls_of_another_machine_are_not_looked_for(tmp_path: Path) -> None:
    (result,) = on_image(tmp_path, "s390x-linux-gnu-", SIDES[0][0], options=()).rules
    assert result.verdict is Verdict.NOT_CHECKED
    assert result.reason.endswith("; direct calls are looked for on x86-64, ARM and RISC-V only")


@pytest.mark.parametrize(
    ("rule", "missing"),
    [
        ("{ from: .ramfunc, to: { region: FLESH } }", "the script has no memory region FLESH"),
        ("{ from: .ramfunc, to: { between: [ram_strat, ram_end] } }", "nothing linked defines ram_strat"),
    ],
)
def test_a_range_that_is_not_there_is_an_error(tmp_path: Path, rule: str, missing: str) -> None:
    report = on_image(tmp_path, "x86_64-linux-gnu-", rule)
    assert [error.message for error in report.errors] == [f"{missing} [it]"]
    assert report.status == 2


def test_how_many_are_allowed(tmp_path: Path) -> None:
    rule = "{ from: [.text, .data*], to: .init.text }\n    at-most: "
    few = judged(tmp_path, "x86_64-linux-gnu-", rule + "2")
    assert (said(few), few.status) == ([], 0)
    many = judged(tmp_path, "x86_64-linux-gnu-", rule + "1")
    assert many.errors == ()
    (finding,) = many.findings
    assert finding.message.startswith("2 references from .text or .data* to .init.text")
    assert finding.facts == ("stays.o: 2 pairs",)


def said(report: Report) -> list[str]:
    """The messages, without what stands for the file."""
    assert not report.errors, report.errors
    return sorted(finding.message for finding in report.findings)


@pytest.mark.parametrize("prefix", COMPILERS)
@pytest.mark.parametrize("options", [(), ("-fPIC",), ("-ffunction-sections", "-fdata-sections"), ("-g",)])
def test_code_and_data_that_refer_to_another_object(tmp_path: Path, prefix: str, options: tuple[str, ...]) -> None:
    rule = "{ from: [.text, .text.*, .data, .data.*], to: .init.text }"
    messages = said(judged(tmp_path, prefix, rule, *options))
    assert len(messages) == 2, messages
    for message, start in zip(messages, ("`idle` (.text", "`table` (.data"), strict=True):
        assert message.startswith(start)
        assert "refers to `early` (.init.text, init.o)" in message


@pytest.mark.parametrize("prefix", COMPILERS)
@pytest.mark.parametrize("version", ["4", "5"])
def test_one_finding_for_a_pair_with_the_line(tmp_path: Path, prefix: str, version: str) -> None:
    options = ("-gdwarf-" + version, "-ffunction-sections", "-fno-pic")
    report = judged(tmp_path, prefix, "{ from: .text.*, to: .init.text }", *options)
    (finding,) = report.findings
    # MIPS takes two instructions for an address.
    assert finding.facts[:2] == ("at stays.c:4", "4 references" if prefix.startswith("mips") else "2 references")


@pytest.mark.parametrize("prefix", COMPILERS)
def test_common_symbols(tmp_path: Path, prefix: str) -> None:
    """They have a place at last: where something else defines them, that; else with the other common ones."""
    (tmp_path / "tentative.c").write_text("int counter, own; int stay(void) { return counter + own; }\n")
    path = str(tmp_path / "tentative.o")
    command = [tool(f"{prefix}gcc"), "-O1", "-c", "-fcommon", "-fno-pic", "-o", path, str(tmp_path / "tentative.c")]
    subprocess.run(command, check=True, timeout=60)
    policy = tmp_path / "policy.yaml"
    policy.write_text("ldcheck: 1\nrules:\n  - id: it\n    no-reference: { from: .text, to: COMMON }\n")
    place = "(.text, tentative.o)"
    alone = check(objects=[path], policies=[str(policy)])
    assert said(alone) == [f"`stay` {place} refers to `{name}` (COMMON)" for name in ("counter", "own")]
    judged(tmp_path, prefix, "{ from: .text, to: COMMON }", "-fno-pic")
    both = check(objects=[path, str(tmp_path / "stays.o")], policies=[str(policy)])
    assert said(both) == [f"`stay` {place} refers to `own` (COMMON)"]


def test_the_other_way_round(tmp_path: Path) -> None:
    report = judged(tmp_path, "x86_64-linux-gnu-", "{ from: .init.text, to: .data }")
    assert said(report) == ["`early` (.init.text, init.o) refers to `counter` (.data, stays.o)"]


def test_exceptions_and_what_needs_none(tmp_path: Path) -> None:
    rule = """{ from: [.text, ".data*"], to: .init.text }
    except:
      - { symbol: [idle, early], reason: it is the first to run }
      - { section: ".data*", reason: the table is freed as well }
      - { object: none.o, reason: there was one }"""
    report = judged(tmp_path, "x86_64-linux-gnu-", rule)
    assert [finding.severity.value for finding in report.findings] == ["note"]
    assert said(report) == ["nothing needs the exception in none.o"]
    assert report.status == 0


@pytest.mark.parametrize("rule", ["{ from: .txet, to: .init.text }", "{ from: .text, to: .int.text }"])
def test_a_name_that_no_object_has_is_not_held(tmp_path: Path, rule: str) -> None:
    report = judged(tmp_path, "x86_64-linux-gnu-", rule)
    assert [result.verdict for result in report.rules] == [Verdict.NOT_CHECKED]
    assert report.status == 2


def test_without_objects_it_is_not_checked(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("ldcheck: 1\nrules:\n  - id: it\n    no-reference: { from: .text, to: .init.text }\n")
    (result,) = check(["a.ld"], text="SECTIONS { .a : { *(.text) } }", policies=[str(policy)]).rules
    assert (result.verdict, result.reason) == (
        Verdict.NOT_CHECKED,
        "no objects and no ELF, give --objects or --elf",
    )


@pytest.mark.parametrize("linker", ["ld", "ld.lld-14"])
@pytest.mark.parametrize("options", [("--emit-relocs",), ()])
def test_what_takes_no_memory_is_not_where_code_is(tmp_path: Path, linker: str, options: tuple[str, ...]) -> None:
    """Debugging information is listed at address 0, and so may code be."""
    (tmp_path / "a.c").write_text(
        'void __attribute__((noinline, section(".init.text"))) early(void) { __asm__(""); }'
        "void _start(void) { early(); }"
    )
    (tmp_path / "a.ld").write_text(
        "SECTIONS { .text : { *(.text .text.*) } .init.text : { *(.init.text) }"
        " /DISCARD/ : { *(.comment .note* .eh_frame) } }"
    )
    (tmp_path / "p.yaml").write_text(
        "ldcheck: 1\nrules:\n  - id: it\n    no-reference: { from: [.text], to: [.init.text] }\n"
    )
    for command in (
        ["x86_64-linux-gnu-gcc", "-g", "-O1", "-fno-pie", "-ffreestanding", "-c", "a.c"],
        [
            linker if linker != "ld" else "x86_64-linux-gnu-ld",
            "-T",
            "a.ld",
            *options,
            "-Map=a.map",
            "-o",
            "a.elf",
            "a.o",
        ],
    ):
        subprocess.run([tool(command[0]), *command[1:]], check=True, timeout=60, cwd=tmp_path)
    script, elf, link_map, policy = (str(tmp_path / name) for name in ("a.ld", "a.elf", "a.map", "p.yaml"))
    assert said(check([script], policies=[policy], elf=elf, map=link_map)) == [
        "`_start` (.text, a.o) refers to `early` (.init.text)"
    ]


@pytest.mark.parametrize("register", ["r9", "r4"])
def test_the_number_of_a_register_is_no_address(tmp_path: Path, register: str) -> None:
    (tmp_path / "a.s").write_text(
        f'.text\nreset: blx {register}\n bl ok\n bx lr\n.section .vectors,"ax"\nvec: .space 16\nok: bx lr\n'
    )
    (tmp_path / "a.ld").write_text("SECTIONS { .vectors : { *(.vectors) } .text : { *(.text) } }")
    rule = "{ from: [.text], to: [.vectors] }\n    except: [{ symbol: [reset, ok], reason: meant }]"
    (tmp_path / "p.yaml").write_text(f"ldcheck: 1\nrules:\n  - id: it\n    no-reference: {rule}\n")
    for command in (
        ["arm-linux-gnueabihf-as", "-o", "a.o", "a.s"],
        ["arm-linux-gnueabihf-ld", "-T", "a.ld", "-Map=a.map", "-o", "a.elf", "a.o"],
    ):
        subprocess.run([tool(command[0]), *command[1:]], check=True, timeout=60, cwd=tmp_path)
    script, elf, link_map, policy = (str(tmp_path / name) for name in ("a.ld", "a.elf", "a.map", "p.yaml"))
    assert check([script], policies=[policy], elf=elf, map=link_map).findings == ()
