#include "text/give_up.h"

#include "basics/failure.h"
#include "src/unicode.h"

namespace nudging {

namespace {

thread_local const std::atomic<bool>* wanted = nullptr;

bool is_given_up(const void* flag) { return static_cast<const std::atomic<bool>*>(flag)->load(std::memory_order_relaxed); }

void install(const std::atomic<bool>* given_up) {
  wanted = given_up;
  // llama.cpp asks as well, on the same thread.
  unicode_set_give_up(given_up == nullptr ? nullptr : is_given_up, given_up);
}

}  // namespace

GiveUpScope::GiveUpScope(const std::atomic<bool>* given_up) : before_(wanted) { install(given_up); }
GiveUpScope::~GiveUpScope() { install(before_); }

const std::atomic<bool>* GiveUpScope::current() { return wanted; }

void GiveUpScope::check() {
  if (wanted != nullptr && is_given_up(wanted)) throw Failure(FailureKind::internal, "it was given up");
}

}  // namespace nudging
