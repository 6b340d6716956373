  .section .rodata, "a"
  .zero 4096
  .section .data.read_mostly, "aw"
  .zero 8
