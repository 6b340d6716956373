"""Glob patterns as languages, and which pattern of a script takes which input section."""
