  .text
  .zero 3000
  .data
  .fill 800, 1, 1
  .bss
  .zero 200
