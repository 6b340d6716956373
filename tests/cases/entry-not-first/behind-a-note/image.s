.section .head,"ax"
.globl _start
_start: ret
.data
.long 1
