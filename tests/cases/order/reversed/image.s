  .section .init.text, "ax"
  .zero 16
