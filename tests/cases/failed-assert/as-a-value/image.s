  .text
  .zero 100
