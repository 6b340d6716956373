"""The files of policies: where those are that names mean, and the documents in them."""

from __future__ import annotations

import os
from contextlib import suppress

from ldcheck.documents.files import read_source
from ldcheck.documents.nodes import shown
from ldcheck.documents.parser import Document, parse_document
from ldcheck.findings import CheckError, InputError
from ldcheck.source import Location, Source
from ldcheck.words import did_you_mean

_SUFFIXES = (".yaml", ".yml")


def stock_folder() -> str:
    """The folder of the stock policies: at the top of a checkout, inside the package where it is installed."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    installed = os.path.join(package, "policies")
    return installed if os.path.isdir(installed) else os.path.join(os.path.dirname(package), "policies")


def stock_names() -> tuple[str, ...]:
    """The names of the stock policies, sorted."""
    folder = stock_folder()
    found = []
    for place, _, files in os.walk(folder):
        relative = os.path.relpath(place, folder)
        prefix = "" if relative == "." else relative.replace(os.sep, "/") + "/"
        found += [prefix + name.removesuffix(".yaml") for name in files if name.endswith(".yaml")]
    return tuple(sorted(found))


def find_policy(name: str, base: str = "") -> str:
    """The file of a policy. Raises CheckError with what there is for a name that leads nowhere."""
    here = os.path.join(base, name)
    if name.endswith(_SUFFIXES) or name.startswith((".", "/", "~")) or os.path.isabs(name):
        return here
    stock = os.path.join(stock_folder(), *name.split("/")) + ".yaml"
    if ".." not in name.split("/") and os.path.isfile(stock):
        # Errors show the file as a person would name it from where they are.
        near = os.path.relpath(stock)
        return stock if near.startswith("..") else near
    if os.path.exists(here):
        return here
    stocks = stock_names()
    advice = did_you_mean(name, stocks, f"the stock policies are {', '.join(stocks)}; a file ends in .yaml")
    raise CheckError(InputError(f"there is no policy {shown(name)}", Location(name), help=advice))


def document_of(path: str, tests: bool, text: str | None) -> Document:
    """A policy's document; that of a stock policy without a YAML parser, where it was compiled from this very text.

    `text` stands for what the file holds.
    """
    if text is not None:
        return parse_document(Source(path, text))
    source = read_source(path, "policy")
    if os.path.realpath(path).startswith(os.path.join(os.path.realpath(stock_folder()), "")):
        from ldcheck.documents.compiled import SUFFIX, load_compiled

        with suppress(OSError), open(path + SUFFIX, "rb") as stream:
            compiled = load_compiled(source, stream.read(), "" if tests else "tests")
            if compiled is not None:
                return compiled
    return parse_document(source)
