  .section .rodata, "a"
  .zero 4000
  .section .data.read_mostly, "aw"
  .zero 8
