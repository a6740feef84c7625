#include "engine/mailbox.h"

#include <iterator>

namespace nudging {

void Mailbox::submit(Request request) {
  const std::scoped_lock lock(mutex_);
  inbox_.submitted.push_back({std::move(request), Clock::now()});
  changed_.notify_one();
}

void Mailbox::cancel(RequestId id) {
  const std::scoped_lock lock(mutex_);
  inbox_.cancelled.push_back(id);
  changed_.notify_one();
}

void Mailbox::park(RequestId id, bool parked) {
  const std::scoped_lock lock(mutex_);
  inbox_.parked.emplace_back(id, parked);
  changed_.notify_one();
}

void Mailbox::answer(RemoteAnswers answers) {
  const std::scoped_lock lock(mutex_);
  inbox_.answered.push_back(std::move(answers));
  changed_.notify_one();
}

void Mailbox::close(bool abandon) {
  if (abandon) stopping_.store(true, std::memory_order_relaxed);
  const std::scoped_lock lock(mutex_);
  inbox_.closing = true;
  inbox_.woken = true;
  changed_.notify_one();
}

void Mailbox::wake() {
  const std::scoped_lock lock(mutex_);
  inbox_.woken = true;
  changed_.notify_one();
}

std::vector<Event> Mailbox::drain() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(outbox_, {});
}

Mailbox::Inbox Mailbox::receive(Clock::time_point until) {
  std::unique_lock lock(mutex_);
  const auto something = [this] {
    return inbox_.woken || !inbox_.submitted.empty() || !inbox_.cancelled.empty() || !inbox_.parked.empty() || !inbox_.answered.empty();
  };
  if (until == Clock::time_point::max()) {
    changed_.wait(lock, something);
  } else if (until > Clock::time_point::min()) {
    changed_.wait_until(lock, until, something);
  }
  // `closing` stays set: it is a state, not a message.
  const bool closing = inbox_.closing;
  Inbox received = std::exchange(inbox_, {});
  inbox_.closing = received.closing = closing;
  return received;
}

void Mailbox::emit(std::vector<Event> events) {
  if (events.empty()) return;
  {
    const std::scoped_lock lock(mutex_);
    if (outbox_.empty()) {
      outbox_ = std::move(events);
    } else {
      outbox_.insert(outbox_.end(), std::make_move_iterator(events.begin()), std::make_move_iterator(events.end()));
    }
  }
  notify_();
}

void Mailbox::emit(Event event) {
  std::vector<Event> events;
  events.push_back(std::move(event));
  emit(std::move(events));
}

}  // namespace nudging
