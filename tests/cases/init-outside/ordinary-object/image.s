  # What a compiler makes of a file with some init functions: .text is there, and empty.
  .section .init.text, "ax"
  .zero 16
  .section .text.domain_create, "ax"
  .zero 100
