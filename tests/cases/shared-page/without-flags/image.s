.globl _start
.text
_start: ret
.section .rodata,"a"
.long 3
.data
.long 1
