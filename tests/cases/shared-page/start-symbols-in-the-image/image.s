.globl _start
.text
_start: .fill 100
.section .table.a, "a"
.quad 1
.data
.long 1
