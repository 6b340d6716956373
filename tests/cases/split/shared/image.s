	.file "a.c"
	.text
	.type one, %function
one:	.byte 0
	.size one, . - one
	.type two, %function
two:	.byte 0
	.size two, . - two
