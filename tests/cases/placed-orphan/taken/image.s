.globl _start
.text
_start: ret
.section .lbss,"awl",@nobits
.skip 4
.section .text.cold,"ax"
ret
.bss
.skip 4
