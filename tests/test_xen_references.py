"""What of Xen that stays refers to init memory: built from Debian's source, every finding read in it by hand."""

from __future__ import annotations

import pytest

import ldcheck
from ldcheck.findings import Severity, Verdict
from tests.support.xen import built_objects

# The functions that stay and lack an annotation, or a condition that says why they may call what is freed. In 4.17:
# * register_one_rmrr, xgene_storm_init, exynos5_cpu_up and the gicv*_make_hwdom_dt_node are called at boot only, and
#   not marked __init; so are the gicv*_iomem_deny_access;
# * ns16550_setup_preirq runs on resume as well, and compares with the address of a table that is gone then;
# * fam10h_check_enable_mmcfg has an init function inlined, which it would run again for a processor that comes later;
# * init_intel and mwait_idle_cpu_init call what is gone, for a processor of a few old models that comes later.
# In 4.20 moreover:
# * vm_init and fdt_property_u32 are inline functions of which the compiler made one, beside the init code that calls
#   it;
# * unflatten_dt_node is called at boot only, where there are no overlays;
# * one of the two places in init_intel is for boot, and the compiler put it apart.
FOUND = {
    ("x86_64", "4.17"): {
        ("fam10h_check_enable_mmcfg", "e820_add_range"),
        ("init_intel", "setup_force_cpu_cap"),
        ("mwait_idle_cpu_init", "setup_clear_cpu_cap"),
        ("ns16550_setup_preirq", "uart_param"),
        ("register_one_rmrr", "pci_device_detect"),
    },
    ("arm64", "4.17"): {
        ("gicv2_iomem_deny_access", "dbase"),
        ("gicv3_iomem_deny_access", "dbase"),
        ("gicv2_make_hwdom_dt_node", "fdt_begin_node"),
        ("gicv2_make_hwdom_dt_node", "fdt_end_node"),
        ("gicv2_make_hwdom_dt_node", "fdt_property"),
        ("gicv3_make_hwdom_dt_node", "fdt_property"),
        ("xgene_storm_init", "dt_find_interrupt_controller"),
    },
    ("arm32", "4.17"): {
        ("exynos5_cpu_up", "cpu_up_send_sgi"),
        ("gicv2_iomem_deny_access", "dbase"),
        ("gicv2_make_hwdom_dt_node", "fdt_begin_node"),
        ("gicv2_make_hwdom_dt_node", "fdt_end_node"),
        ("gicv2_make_hwdom_dt_node", "fdt_property"),
    },
    ("x86_64", "4.20"): {
        ("fam10h_check_enable_mmcfg", "e820_add_range"),
        ("init_intel", "setup_force_cpu_cap"),
        ("init_intel.cold", "setup_force_cpu_cap"),
        ("mwait_idle_cpu_init", "setup_clear_cpu_cap"),
        ("ns16550_setup_preirq", "uart_param"),
        ("vm_init", "arch_vmap_virt_end"),
        ("vm_init", "vm_init_type"),
    },
    ("arm64", "4.20"): {
        ("fdt_property_u32", "fdt_property"),
        ("gicv2_iomem_deny_access", "dbase"),
        ("gicv3_iomem_deny_access", "dbase"),
        ("gicv2_make_hwdom_dt_node", "fdt_begin_node"),
        ("gicv2_make_hwdom_dt_node", "fdt_end_node"),
        ("gicv2_make_hwdom_dt_node", "fdt_property"),
        ("gicv3_make_hwdom_dt_node", "fdt_property"),
        ("unflatten_dt_node", "fdt_string"),
        ("xgene_storm_init", "dt_find_interrupt_controller"),
    },
    ("arm32", "4.20"): {
        ("exynos5_cpu_up", "cpu_up_send_sgi"),
        ("fdt_property_u32", "fdt_property"),
        ("gicv2_iomem_deny_access", "dbase"),
        ("gicv2_make_hwdom_dt_node", "fdt_begin_node"),
        ("gicv2_make_hwdom_dt_node", "fdt_end_node"),
        ("gicv2_make_hwdom_dt_node", "fdt_property"),
        ("unflatten_dt_node", "fdt_string"),
    },
}
POLICIES = {"x86_64": "xen/x86", "arm64": "xen/arm", "arm32": "xen/arm"}


@pytest.mark.sweep
@pytest.mark.parametrize(("built", "wanted"), FOUND.items(), ids=["-".join(built) for built in FOUND])
def test_every_finding_is_known(built: tuple[str, str], wanted: set[tuple[str, str]]) -> None:
    """Those of 4.20 are built where its repository is at hand."""
    arch, release = built
    path = str(built_objects(arch, release))
    report = ldcheck.check(objects=[path], policies=[POLICIES[arch]], select=["init-not-referenced"])
    assert [result.verdict for result in report.rules] == [Verdict.VIOLATED]
    found = [finding for finding in report.findings if finding.severity is not Severity.NOTE]
    assert {tuple(finding.route.split("/")) for finding in found} == wanted
    # An exception that nothing here needs would be told.
    assert len(found) == len(report.findings)
