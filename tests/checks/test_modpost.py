"""`no-reference` with the stock policies for Linux, and Linux's own modpost: the same warnings on the same objects.

Where they differ by design: modpost takes a symbol of the compiler's (`.LANCHOR0`), or what it finds within 20 bytes,
for the name of what is meant; ldcheck looks up the place itself. So names of what is referred to are compared where the
symbol table has them.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from ldcheck.image.references import Reference, References
from ldcheck.policy.load import load_policies
from tests.support.build import TARGETS, compile_c
from tests.support.modpost import KERNELS, Mismatch, built_guest, built_kernel, mismatches
from tests.support.tools import tool

# Section and name of what refers, section and name of what is referred to; each is a class of modpost, or one of its
# names. Sections of code hold functions, all others data.
PLANTED = """
.text               kept_1           .init.text        early_1
.text               kept_2           .init.data        early_data_2
.text               kept_3           .init.rodata      early_constant_3
.text               kept_4           .exit.text        late_4
.text               kept_5           .exit.data        late_data_5
.text.unlikely      kept_6           .init.text        early_6
.text.hot           kept_7           .init.data        early_data_7
.sched.text         kept_8           .init.text        early_8
.kprobes.text       kept_9           .init.text        early_9
.cpuidle.text       kept_10          .exit.text        late_10
.noinstr.text       kept_11          .init.data        early_data_11
.data               kept_data_12     .init.text        early_12
.data               kept_data_13     .init.data        early_data_13
.data               kept_data_14     .exit.text        late_14
.data               kept_data_15     .exit.data        late_data_15
.init.text          early_16         .exit.text        late_16
.init.text          early_17         .exit.data        late_data_17
.init.data          early_data_18    .exit.text        late_18
.exit.text          late_19          .init.text        early_19
.exit.text          late_20          .init.data        early_data_20
.exit.data          late_data_21     .init.text        early_21
.pci_fixup_final    fixup_22         .init.text        early_22
.pci_fixup_early    fixup_23         .init.data        early_data_23
.data               __param_24       .init.text        early_24
.data               __param_25       .exit.data        late_data_25
.text               my_ops           .init.text        early_26
.text               z_console        .init.data        early_data_27
.data               ops_28           .init.text        early_28
.data               x_driver_29      .exit.text        late_29
.data               probe_30         .init.text        early_30
"""

# What one modpost forbids and the other does not, and what both forbid where a section has another name in each.
PLANTED_IN = {
    "6.1": """
.meminit.text       hot_1            .init.text        early_m1
.meminit.text       hot_2            .init.data        early_data_m2
.meminit.data       hot_data_3       .init.text        early_m3
.meminit.text       hot_4            .exit.text        late_m4
.text               kept_m5          .meminit.text     hot_5
.data               kept_data_m6     .meminit.data     hot_data_6
.exit.text          late_m7          .meminit.text     hot_7
___ksymtab+early_e1 __ksymtab_e1     .init.text        early_e1
___ksymtab_gpl+e2   __ksymtab_e2     .exit.text        late_e2
""",
    "6.12": """
.data               x_template       .init.text        early_n1
.data               x_timer          .init.data        early_data_n2
.data               x_sht            .exit.text        late_n3
.data               x_driver         .exit.text        late_n4
""",
}

LEGITIMATE = """
.text               calls_1          .text             callee_1
.text               reads_2          .data             data_2
.text               reads_3          .rodata           constant_3
.text               reads_4          .data..read_mostly data_4
.init.text          init_5           .init.text        init_callee_5
.init.text          init_6           .init.data        init_data_6
.init.text          init_7           .text             callee_7
.init.text          init_8           .data             data_8
.init.data          init_data_9      .init.text        init_9
.init.data          init_data_10     .text             callee_10
.exit.text          exit_11          .exit.data        exit_data_11
.exit.text          exit_12          .text             callee_12
.exit.data          exit_data_13     .exit.text        exit_13
.ref.text           start_14         .init.text        init_14
.ref.data           start_data_15    .init.text        init_15
.head.text          head_16          .init.text        init_16
.head.text          head_17          .init.data        init_data_17
.rodata             table_18         .init.text        init_18
.data..ro_after_init table_19        .init.text        init_19
.data               __param_20       .init.data        init_data_20
.data               __param_21       .init.rodata      init_constant_21
.data               __param_ops_22   .init.text        init_22
.data               x_ops            .init.text        init_23
.data               y_ops            .exit.text        exit_24
.data               x_probe          .init.text        init_25
.data               x_console        .init.data        init_data_26
.text               f.constprop.0    .init.data        init_data_27
.text.unlikely      g.constprop.3    .init.text        init_28
.exit.text          h.constprop.0    .init.data        init_data_29
.text               boundary_29      .init.text        __init_begin
.text               boundary_30      .init.text        _sinittext
.pci_fixup_final    fixup_31         .text             callee_31
.initcall6.init     initcall_32      .init.text        init_32
.init.setup         setup_33         .init.text        init_33
.con_initcall       con_34           .init.text        init_34
.altinstructions    alternative_35   .init.text        init_35
__ex_table          fault_36         .text             callee_36
__ex_table          fault_37         .init.text        init_37
__ex_table          fault_38         .fixup            mended_38
"""

LEGITIMATE_IN = {
    "6.1": """
.data               x_template       .init.text        init_n1
.data               x_timer          .init.data        init_data_n2
.data               x_sht            .exit.text        exit_n3
.data               x_driver         .exit.text        exit_n4
.data               y_driver         .meminit.text     hot_n5
.meminit.text       hot_n6           .meminit.data     hot_data_n6
.meminit.text       k.constprop.1    .init.text        init_n7
""",
    "6.12": """
.export_symbol      __export_symbol_callee_e1 .text callee_e1
""",
}


# What modpost does not see, by kernel and machine.
UNSEEN = {
    ("6.1", "arm32"): "the two halves of an address (movw, movt)",
}
# Sections that stand for exported symbols, in 6.1 and in 6.12.
EXPORTS = ("___ksymtab", ".export_symbol")
OPTIONS = ["-O1", "-fno-toplevel-reorder"]


def rows(text: str) -> list[tuple[str, str, str, str]]:
    """The lines of a table."""
    found = []
    for line in filter(None, text.splitlines()):
        section, source, target_section, target = line.split()
        found.append((section, source, target_section, target))
    return found


def is_code(section: str) -> bool:
    """Whether a section of that name holds functions."""
    return "text" in section or section == ".fixup"


def source_of(table: list[tuple[str, str, str, str]], local: bool) -> str:
    """C in which each of the table's references stands once."""
    parts = ['__asm__(".pushsection .modinfo,\\"a\\"; .asciz \\"license=GPL\\"; .popsection");']
    for number, (section, source, target_section, target) in enumerate(table):
        kept = "static" if local and not target.startswith("_") else ""
        constant = "const" if "rodata" in target_section else ""
        at = f'__attribute__((section("{target_section}"), used))'
        if is_code(target_section):
            parts.append(f'{at} __attribute__((noinline)) {kept} void {target}(void) {{ __asm__ volatile (""); }}')
            meant = target
        else:
            # Far apart, so that modpost knows them by their places.
            parts.append(f"{at} {kept} {constant} volatile char {target}[64] = {{ 1 }};")
            meant = f"&{target}"
        named = f'__asm__("{source}")'
        kind = "const" if section.startswith((".rodata", "__ex", "___ksym", ".export", ".pci", ".alt", ".con")) else ""
        at = f'__attribute__((section("{section}"), used))'
        if not is_code(section):
            parts.append(
                f"extern {kind} void *source_{number} {named}; {at} {kind} void *source_{number} = (void *){meant};"
            )
            continue
        body = f"{target}();" if is_code(target_section) else f"return {target}[3];"
        parts.append(f"int source_{number}(void) {named}; {at} int source_{number}(void) {{ {body} return 0; }}")
    return "\n".join(parts)


def said_by_ldcheck(version: str, path: Path) -> set[Mismatch]:
    """What the rules of the stock policy find in one object, each pair of names once."""
    return set(map(_mismatch, found_by_ldcheck(version, path)))


def found_by_ldcheck(version: str, path: Path) -> list[Reference]:
    """The references that the rules of the stock policy forbid in one object."""
    import ldcheck.checks as checks
    from ldcheck.checks.no_reference import forbidden

    policies = load_policies(["linux" if version == "6.12" else f"linux-{version}"], declarations=checks)
    assert policies.errors == ()
    references = References([str(path)])
    rules = [rule for rule in policies.rules if rule.check == "no-reference"]
    return [one for rule in rules for one in forbidden(rule, references)]


def _mismatch(one: Reference) -> Mismatch:
    source, target = ("".join(names[:1]) for names in (one.source, one.target))
    return Mismatch(one.section, source, one.target_section, target)


def as_modpost_tells(found: set[Mismatch]) -> set[Mismatch]:
    """The same of an export: of that, modpost says what is exported, in 6.12 with a word for its section."""
    return {
        Mismatch("", "", one.target_section, one.target) if one.section.startswith("___ksymtab") else one
        for one in found
    }


@pytest.mark.parametrize("name", ["vmlinux.o", "module.o"])
@pytest.mark.parametrize("version", KERNELS)
def test_the_same_set_of_warnings(tmp_path: Path, version: str, name: str) -> None:
    planted = rows(PLANTED + PLANTED_IN[version])
    source = source_of([*planted, *rows(LEGITIMATE + LEGITIMATE_IN[version])], local=False)
    path = compile_c(tmp_path, source, name=name, options=OPTIONS)
    warned = set(mismatches(version, path))
    assert as_modpost_tells(said_by_ldcheck(version, path)) == warned
    assert warned == as_modpost_tells({Mismatch(*row) for row in planted})


@pytest.mark.sweep
@pytest.mark.parametrize("target", [name for name, target in TARGETS.items() if not target.rare and name != "ppc64"])
@pytest.mark.parametrize("version", KERNELS)
def test_other_machines(tmp_path: Path, version: str, target: str) -> None:
    """Not on 64-bit PowerPC with function descriptors: modpost warns of the descriptors, and finds no functions."""
    planted = rows(PLANTED + PLANTED_IN[version])
    source = source_of([*planted, *rows(LEGITIMATE + LEGITIMATE_IN[version])], local=False)
    path = compile_c(tmp_path, source, target, "vmlinux.o", OPTIONS)
    warned = set(mismatches(version, path, target))
    found = as_modpost_tells(said_by_ldcheck(version, path))
    assert found == as_modpost_tells({Mismatch(*row) for row in planted})
    assert found > warned if (version, target) in UNSEEN else found == warned


@pytest.mark.parametrize("version", KERNELS)
def test_local_names(tmp_path: Path, version: str) -> None:
    """A local name is a section and a number in the table: modpost guesses by what is near, ldcheck looks it up."""
    planted = rows(PLANTED + PLANTED_IN[version])
    path = compile_c(
        tmp_path, source_of(planted, local=True), name="vmlinux.o", options=["-O1", "-fno-toplevel-reorder"]
    )
    found = as_modpost_tells(said_by_ldcheck(version, path))
    assert {one[:3] for one in found} == {one[:3] for one in mismatches(version, path)}
    assert found == as_modpost_tells({Mismatch(*row) for row in planted})


# Sections that may refer to init, under names of sections that may not: a kernel has hardly a mismatch of its own.
RENAMED = {
    ".ref.text": ".text.ref",
    ".head.text": ".text.head",
    ".rodata": ".data.rel",
    "__param": ".text.param",
    ".init.setup": ".text.setup",
    ".initcall4.init": ".text.initcall4",
    ".initcall6.init": ".text.initcall6",
}


# What stays and what goes changes places, so that nearly all that init code does is a mismatch.
SWAPPED = {".init.text": ".text.was_init", ".text": ".init.text", ".data": ".init.data"}
NAMES: Mapping[str, Mapping[str, str]] = {"as-built": {}, "renamed": RENAMED, "swapped": SWAPPED}


@pytest.mark.sweep
@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("version", KERNELS)
def test_a_kernel(tmp_path: Path, version: str, names: str) -> None:
    path = tmp_path / "vmlinux.o"
    copied(built_kernel(version), path, NAMES[names])
    assert compared(version, path) >= (50 if names != "as-built" else 0)


@pytest.mark.sweep
@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("version", KERNELS)
def test_a_kernel_for_guests(tmp_path: Path, version: str, names: str) -> None:
    """The kernel and its modules, which have no tables of what to call at boot."""
    kernel, modules = built_guest(version)
    path = tmp_path / "vmlinux.o"
    copied(kernel, path, NAMES[names])
    assert compared(version, path) >= (100 if names != "as-built" else 0)
    assert len(modules) > 20
    warned = 0
    for module in modules:
        path = tmp_path / module.name
        copied(module, path, NAMES[names])
        warned += compared(version, path)
    assert warned >= (100 if names == "swapped" else 0)


def copied(built: Path, path: Path, names: Mapping[str, str]) -> None:
    """Copy an object, with other names for some of its sections."""
    renamed = [f"--rename-section={old}={new}" for old, new in names.items()]
    subprocess.run([tool("objcopy"), *renamed, built, path], check=True, timeout=120)


# Labels within functions: modpost has what is nearest ahead, and ldcheck the function.
LABELS = ("int3_selftest_ip",)


def compared(version: str, path: Path) -> int:
    """How many warnings there are, the same ones by sections and what refers; of exports, by what is exported.

    Of several names for one place, modpost has one, and not always the first.
    """
    said = mismatches(version, path)
    # Where no name is near, modpost of 6.12 tells how far into the section it is.
    unnamed = re.compile(r"0x[0-9a-f]+|\(unknown\)")
    warned = {
        (one.section, unnamed.sub("", one.source), one.target_section)
        for one in said
        if one.section and one.source not in LABELS
    }
    references = found_by_ldcheck(version, path)
    exports = [one for one in references if one.section.startswith(EXPORTS)]
    found = [one for one in references if not one.section.startswith(EXPORTS)]
    names = [{(one.section, name, one.target_section) for name in one.source or ("",)} for one in found]
    assert warned - set().union(*names) == set()
    assert [sorted(one) for one in names if not one & warned] == []
    exported = {one.target for one in said if not one.section}
    assert exported - {name for one in exports for name in one.target} == set()
    assert [one.target for one in exports if not exported & set(one.target)] == []
    return len(warned) + len(exported)
