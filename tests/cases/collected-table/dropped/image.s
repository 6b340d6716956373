.section .text.start,"ax"
.globl _start
_start: ret
.section .text.unused,"ax"
ret
.section .hooks,"a"
.quad 1,2
.section .init_array,"aw",@init_array
.quad _start
.section .late,"a"
.quad 3
