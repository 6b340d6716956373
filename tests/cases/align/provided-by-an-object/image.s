.globl x, y, e
.text
.long 1
x:
.long 1
y:
.long 1
.data
.long 1
e:
.long 1
