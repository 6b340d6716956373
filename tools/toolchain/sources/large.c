/* Objects that are larger than the medium code models' threshold. */
char tc_large[100000] = {1};
char tc_large_zeroed[100000];
const char tc_large_constant[100000] = {1};
static char tc_large_static[100000];
extern char tc_far[];
char *const tc_large_pointers[20000] = {tc_far};
char tc_one(long n) { return tc_large_static[n]++ + tc_large[n] + tc_large_zeroed[n]; }
