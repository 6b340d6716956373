.globl _start
.text
_start: ret
.data
.long 1
.section .itcm.f,"ax"
ret
.section .font,"a"
.long 1
