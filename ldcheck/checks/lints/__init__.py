"""The lints: checks without parameters, switched on with `lint: <name>`."""
