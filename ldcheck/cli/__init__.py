"""The command line: `main` is the frame, and each command is a module, imported only when asked for."""
