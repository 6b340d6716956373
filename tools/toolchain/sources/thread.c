/* Thread-local variables. */
__thread int tc_local = 3;
__thread int tc_local_zeroed;
static __thread int tc_static_local[20] = {1}, tc_static_local_zeroed[20];
int tc_sum(int n) { return tc_local + tc_local_zeroed + tc_static_local[n]++ + tc_static_local_zeroed[n]++; }
