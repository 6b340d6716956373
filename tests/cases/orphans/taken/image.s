  .text
  nop
  .section .bss.counter, "aw", @nobits
  .zero 8
  .section .note.gnu.property, "a"
  .zero 16
