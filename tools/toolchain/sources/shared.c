/* The library that link.c is linked with. */
int tc_shared = 3, tc_other = 4;
int tc_imported(int n) { return n; }
