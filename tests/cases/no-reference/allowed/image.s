	.section .init.text,"ax",%progbits
	.globl	early_cpu
	.type	early_cpu, %function
early_cpu:
	.byte	0
	.size	early_cpu, . - early_cpu
	.type	early_data, %object
early_data:
	.byte	0
	.size	early_data, . - early_data

	.text
	.globl	idle_loop
	.type	idle_loop, %function
idle_loop:
	.quad	early_cpu
	.quad	early_cpu
	.size	idle_loop, . - idle_loop

	.data
	.globl	operations
	.type	operations, %object
operations:
	.quad	early_data
	.size	operations, . - operations
