  .section .boot, "ax"
  .zero 5000
  .section .init.data, "aw"
  .zero 100
