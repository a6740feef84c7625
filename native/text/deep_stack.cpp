#include "text/deep_stack.h"

#include <exception>
#include <string>

#include "basics/failure.h"

#if defined(__GLIBCXX__) && __has_include(<pthread.h>)
#include <pthread.h>
#define NUDGING_HAS_DEEP_STACK
#endif

namespace nudging {

#ifdef NUDGING_HAS_DEEP_STACK

namespace {

struct Call {
  const std::function<void()>& work;
  std::exception_ptr thrown;
};

extern "C" void* nudging_call_on_deep_stack(void* argument) {
  Call& call = *static_cast<Call*>(argument);
  try {
    call.work();
  } catch (...) {
    call.thrown = std::current_exception();
  }
  return nullptr;
}

class Attributes {
 public:
  explicit Attributes(std::size_t stack)
      : good_(pthread_attr_init(&attributes_) == 0 && pthread_attr_setstacksize(&attributes_, stack) == 0) {}
  ~Attributes() { pthread_attr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  bool good() const { return good_; }
  const pthread_attr_t* get() const { return &attributes_; }

 private:
  pthread_attr_t attributes_;
  bool good_;
};

}  // namespace

void on_deep_stack(std::size_t bytes, const std::function<void()>& work) {
  constexpr std::size_t page = 64 * 1024;
  const Attributes attributes((bytes + page - 1) / page * page);
  Call call{work, nullptr};
  pthread_t thread{};
  if (!attributes.good() || pthread_create(&thread, attributes.get(), nudging_call_on_deep_stack, &call) != 0) {
    throw Failure(FailureKind::out_of_memory,
                  "no room for a stack of " + std::to_string(bytes) + " bytes, which a text this long needs: shorten the prompt");
  }
  pthread_join(thread, nullptr);
  if (call.thrown) std::rethrow_exception(call.thrown);
}

#else

void on_deep_stack(std::size_t, const std::function<void()>& work) { work(); }

#endif

}  // namespace nudging
