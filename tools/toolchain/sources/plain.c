/* What C puts into sections: each definition is there for one name. Freestanding, without headers. All that a section may be called after begins
   with "tc_". */

typedef void function(void);

extern function tc_elsewhere;
extern void tc_never(void) __attribute__((noreturn, cold));
extern int tc_far[];
extern void tc_take(const void *);

int tc_initialised[64] = {1};
int tc_small = 1;
int tc_zeroed[64];
int tc_small_zeroed;
static int tc_static[64], tc_small_static;
const int tc_constant[64] = {1};
const int tc_small_constant = 1;
extern const int tc_alias_of_constant __attribute__((alias("tc_small_constant")));
int tc_tentative;

/* Constants with relocations: to what may be elsewhere, and to what is local. */
int *tc_pointer[16] = {tc_far};
static int *tc_local_pointer[16] = {tc_initialised};
int *tc_small_pointer = &tc_static[1];
int *const tc_constant_pointer[16] = {tc_far};
static int *const tc_local_constant_pointer[16] = {tc_static};
static const char *const tc_names[] = {"tc_one", "tc_two", "tc_three"};
const char *tc_named = "tc_four";
const volatile unsigned tc_volatile_constant = 3;
const char tc_text[] = "tc_five";

int tc_plain(int n) { return n + tc_static[n & 63]++ + tc_small_static++; }
const char *tc_name(int n) { return tc_names[n]; }
void *tc_addresses(int n) { return n ? (void *) tc_local_pointer[n] : (void *) tc_local_constant_pointer[n]; }
const void *tc_wide(int n) { return n ? (const void *) L"tc_wide" : (const void *) u"tc_two bytes"; }
double tc_literal(double x) { return x * 3.14159 + 2.5; }
float tc_float_literal(float x) { return x * 3.14159f; }

#ifdef __SIZEOF_INT128__
typedef int tc_vector __attribute__((vector_size(16)));
void tc_vectors(tc_vector *at) { *at += (tc_vector) {1, 2, 3, 4}; }
#endif
typedef int tc_wide_vector __attribute__((vector_size(32)));
void tc_wide_vectors(tc_wide_vector *at) { *at += (tc_wide_vector) {1, 2, 3, 4, 5, 6, 7, 8}; }
void tc_initialise(long long *at) {
  static const long long tc_template[4] = {1, 22, 333, 4444};
  for (int i = 0; i < 4; i++) at[i] = tc_template[i];
}

int tc_switch(int n, int *at) {
  switch (n) {
    case 0: return at[3] * 3;
    case 1: tc_elsewhere(); return 7;
    case 2: tc_take(at); return 9;
    case 3: return at[5] - 4;
    case 4: tc_take(at + 1); return at[1];
    case 5: return tc_plain(3);
    case 6: tc_elsewhere(); tc_elsewhere(); return 0;
    case 7: return *at;
    default: return -1;
  }
}
int tc_switch_of_values(int n) {
  switch (n) {
    case 0: return 7;
    case 1: return 99;
    case 2: return 1234;
    case 3: return -5;
    case 4: return 17;
    case 5: return 23;
    default: return 0;
  }
}
int tc_switch_of_names(int n, const char **at) {
  switch (n) {
    case 0: *at = "tc_red"; return 1;
    case 1: *at = "tc_green"; return 1;
    case 2: *at = "tc_blue"; return 1;
    case 3: *at = "tc_black"; return 1;
    case 4: *at = "tc_white"; return 1;
    default: return 0;
  }
}

__attribute__((cold)) void tc_cold(void) { tc_take("tc_cold"); }
__attribute__((hot)) int tc_hot(int n) { return n * 3; }
int tc_with_cold_part(int n, int *at) {
  for (int i = 0; i < n; i++) {
    if (__builtin_expect(at[i] < 0, 0)) {
      tc_take("tc_negative");
      tc_take(at + i);
      tc_never();
    }
    at[i] += tc_plain(at[i]);
  }
  return at[0];
}

__attribute__((constructor)) static void tc_construct(void) { tc_elsewhere(); }
__attribute__((destructor)) static void tc_destruct(void) { tc_elsewhere(); }

int main(void) {
  char local[200];
  tc_take(local);
  return tc_plain(tc_tentative);
}
