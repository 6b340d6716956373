    .text
    .space 0x2000
    .data
    .space 0x1800
