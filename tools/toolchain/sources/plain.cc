// What C++ adds: groups for inline functions and templates, tables of virtual functions, guards, exception tables.
struct tc_base {
  virtual ~tc_base();
  virtual int tc_virtual(int n) { return n + 1; }
};
struct tc_derived : tc_base {
  int tc_virtual(int n) override;
  int tc_field = 3;
};
extern void tc_may_throw(int);
extern tc_base *tc_make(int);

tc_base::~tc_base() {}
int tc_derived::tc_virtual(int n) { return n * tc_field; }

template <typename T> T tc_template(T x) {
  static T tc_counter = x;
  return tc_counter += x;
}
template <typename T> struct tc_constants {
  static const T tc_table[4];
};
template <typename T> const T tc_constants<T>::tc_table[4] = {1, 2, 3, 4};

inline int tc_inline(int n) {
  static int tc_inline_counter[20] = {1};
  static int tc_inline_zeroed[20];
  return tc_inline_counter[n]++ + tc_inline_zeroed[n]++;
}

int tc_use(int n) {
  static tc_derived tc_guarded;
  return tc_inline(n) + tc_template(n) + tc_constants<int>::tc_table[n & 3] + tc_guarded.tc_virtual(n) +
         tc_template(2.5) > 3;
}

// Initialised before main, with and without a priority.
int tc_computed = tc_use(3);
tc_derived tc_object;

#if defined(__EXCEPTIONS) || defined(__cpp_exceptions)
struct tc_cleaned {
  ~tc_cleaned() { tc_may_throw(0); }
};
int tc_catch(int n) {
  tc_cleaned tc_local;
  try {
    tc_may_throw(n);
  } catch (tc_derived *) {
    return 1;
  } catch (...) {
    return 2;
  }
  return 3;
}
inline int tc_inline_catch(int n) {
  try {
    tc_may_throw(n);
  } catch (...) {
    return 2;
  }
  return 3;
}
int tc_use_catch(int n) { return tc_inline_catch(n); }
#endif

// With a priority, which not every target has.
#ifndef __AVR__
tc_derived tc_early __attribute__((init_priority(2000)));
#endif
