.globl low, middle, high
low = 0x1000
middle = 0x1008
high = 0x9000
.text
.skip 16
.section .data.x,"aw"
.long 1
