.text
.skip 16
.data
.skip 16
