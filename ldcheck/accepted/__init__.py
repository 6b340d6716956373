"""What is not to be reported: baselines, allowances in sources, ignores in policies, lines that did not change."""
