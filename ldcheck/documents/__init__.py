"""YAML that strangers wrote: nodes that know their places, and errors that help."""
