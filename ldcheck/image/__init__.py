"""What was built: ELF files, link maps of GNU ld and lld, object files and archives. Knows nothing of scripts."""
