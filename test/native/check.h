#pragma once

#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

/// A minimal test registry: the algorithm's tests need no model, no N-API and no dependency.
namespace check {

struct Test {
  std::string file;
  std::string name;
  std::function<void()> body;
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

inline int failures = 0;

struct Registration {
  Registration(const char* file, const char* name, std::function<void()> body) { tests().push_back({file, name, std::move(body)}); }
};

template <typename T>
std::string shown(const T& value) {
  std::ostringstream out;
  if constexpr (std::is_enum_v<T>) {
    out << static_cast<int>(value);
  } else {
    out << value;
  }
  return out.str();
}
inline std::string shown(const std::string& value) { return '"' + value + '"'; }
inline std::string shown(const char* value) { return shown(std::string(value)); }
template <typename T>
std::string shown(const std::vector<T>& values) {
  std::string out = "[";
  for (const T& value : values) out += (out.size() > 1 ? ", " : "") + shown(value);
  return out + "]";
}

template <typename Actual, typename Expected>
void equal(const Actual& actual, const Expected& expected, const char* expression, const char* file, int line) {
  if (actual == expected) return;
  ++failures;
  std::cout << file << ":" << line << ": " << expression << "\n  is       " << shown(actual) << "\n  expected " << shown(expected) << "\n";
}

}  // namespace check

#define CHECK_JOIN_(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN_(a, b)
/// TEST("R3: what is tested") { … }
#define TEST(name)                                                                                                             \
  static void CHECK_JOIN(test_body_, __LINE__)();                                                                              \
  static const check::Registration CHECK_JOIN(test_registration_, __LINE__)(__FILE__, name, CHECK_JOIN(test_body_, __LINE__)); \
  static void CHECK_JOIN(test_body_, __LINE__)()
#define CHECK_EQUAL(actual, ...) check::equal((actual), (__VA_ARGS__), #actual, __FILE__, __LINE__)
#define CHECK(condition) check::equal(static_cast<bool>(condition), true, #condition, __FILE__, __LINE__)
