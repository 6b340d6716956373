"""`.ldcheck.yaml`: the targets of a project, their keys, and which target a file belongs to."""
