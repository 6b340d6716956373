.globl _start
.text
_start: ret
.section .tdata,"awT"
.quad 1
.section .tbss,"awT",@nobits
.skip 200
