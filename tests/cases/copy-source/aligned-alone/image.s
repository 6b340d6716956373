.globl _start
.text
_start: ret
.section .tdata, "awT"
.byte 1
.data
.byte 2
