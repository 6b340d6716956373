.text
.skip 16
.section .rodata
.skip 16
