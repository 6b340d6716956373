"""What toolchains emit: compiles small sources with every compiler at hand, and writes the catalogue from it.

`python -m tools.toolchain` writes ldcheck/sections/toolchain_table.py anew; the module's head names the compilers and
linkers that it was written with, and it should have at least those. What they do not show is in `handwritten`, each
entry with its source. A test holds the table to what the compilers of the machine at hand emit.
"""
