"""What of Xen that stays refers to init memory: built from Debian's source, every finding read in it by hand."""

from __future__ import annotations

import pytest

import ldcheck
from ldcheck.findings import Severity, Verdict
from tests.support.xen import built_objects

# The functions that stay and lack an annotation, or a condition that says why they may call what is freed. In 4.17:
# * register_one_rmrr, xgene_storm_init and the gicv*_make_hwdom_dt_node are called at boot only, and not marked __init;
#   so are the gicv*_iomem_deny_access;
# * ns16550_setup_preirq runs on resume as well, and compares with the address of a table that is gone then;
# * fam10h_check_enable_mmcfg has an init function inlined, which it would run again for a processor that comes later.
FOUND = {
    ("x86_64", "xen/x86"): {
        ("register_one_rmrr", "pci_device_detect"),
        ("ns16550_setup_preirq", "uart_param"),
        ("fam10h_check_enable_mmcfg", "e820_add_range"),
    },
    ("arm64", "xen/arm"): {
        ("gicv2_iomem_deny_access", "dbase"),
        ("gicv3_iomem_deny_access", "dbase"),
        ("gicv2_make_hwdom_dt_node", "fdt_begin_node"),
        ("gicv2_make_hwdom_dt_node", "fdt_end_node"),
        ("gicv2_make_hwdom_dt_node", "fdt_property"),
        ("gicv3_make_hwdom_dt_node", "fdt_property"),
        ("xgene_storm_init", "dt_find_interrupt_controller"),
    },
}


@pytest.mark.sweep
@pytest.mark.parametrize(("target", "wanted"), FOUND.items(), ids=[arch for arch, _ in FOUND])
def test_every_finding_is_known(target: tuple[str, str], wanted: set[tuple[str, str]]) -> None:
    arch, policy = target
    report = ldcheck.check(objects=[str(built_objects(arch))], policies=[policy], select=["init-not-referenced"])
    assert [result.verdict for result in report.rules] == [Verdict.VIOLATED]
    found = [finding for finding in report.findings if finding.severity is not Severity.NOTE]
    assert {tuple(finding.route.split("/")) for finding in found} == wanted
    # An exception that nothing here needs would be told.
    assert len(found) == len(report.findings)
