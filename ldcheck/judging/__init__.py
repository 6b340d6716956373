"""From rules and evidence to verdicts: one target through all of its rules."""
