	.file "a.c"
	.text
	.section .text.one,"ax",%progbits
	.type one, %function
one:	.byte 0
	.size one, . - one
	.section .text.two,"ax",%progbits
	.type two, %function
two:	.byte 0
	.size two, . - two
