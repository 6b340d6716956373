.globl _start
.text
_start: ret
.section .tdata,"awT"
.quad 1
