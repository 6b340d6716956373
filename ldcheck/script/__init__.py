"""The linker script language: lexer, parser, syntax tree, printer, expressions and their value."""
