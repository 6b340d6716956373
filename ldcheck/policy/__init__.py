"""The policy language: from YAML to rules, with the place of every value. How a check works is not known here."""

from __future__ import annotations
