#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace nudging {

/// A lazily started coroutine with a result. One request is one `Task`; it is suspended wherever it needs a model and resumed
/// on the scheduler's thread when the model has answered. Destroying a task destroys everything it awaits: that is how a
/// request is cancelled.
template <typename Result>
class Task {
 public:
  struct promise_type {
    std::optional<Result> result;
    std::exception_ptr failure;
    std::coroutine_handle<> awaiting = std::noop_coroutine();

    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct ResumeAwaiting {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(Handle handle) noexcept { return handle.promise().awaiting; }
        void await_resume() noexcept {}
      };
      return ResumeAwaiting{};
    }
    void return_value(Result value) { result.emplace(std::move(value)); }
    void unhandled_exception() { failure = std::current_exception(); }
  };
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  /// Runs until the first suspension. Only for the outermost task; inner ones are started by `co_await`.
  void start() { handle_.resume(); }
  bool done() const { return handle_.done(); }

  /// The result of a finished task. Rethrows what the coroutine threw.
  Result take() {
    if (handle_.promise().failure) std::rethrow_exception(handle_.promise().failure);
    return std::move(*handle_.promise().result);
  }

  /// `co_await task.joined()`: waits for a task that was started. Once.
  auto joined() {
    struct Joined {
      Task& task;
      bool await_ready() const noexcept { return task.done(); }
      void await_suspend(std::coroutine_handle<> awaiting) noexcept { task.handle_.promise().awaiting = awaiting; }
      Result await_resume() { return task.take(); }
    };
    return Joined{*this};
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().awaiting = awaiting;
    return handle_;
  }
  Result await_resume() { return take(); }

 private:
  explicit Task(Handle handle) : handle_(handle) {}

  Handle handle_;
};

}  // namespace nudging
