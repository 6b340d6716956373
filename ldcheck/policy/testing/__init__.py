"""Runs the tests inside policies."""
