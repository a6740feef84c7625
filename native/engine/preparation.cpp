#include "engine/preparation.h"

#include <utility>

#include "text/give_up.h"

namespace nudging {

namespace {

/// Up to so many bytes are tokenised in the time of a forward pass or two, which is less than a thread and a tick are worth.
constexpr std::size_t most_bytes_at_once = 4096;

std::size_t bytes_of(const PromptSource& source) {
  std::size_t bytes = source.prefill.size();
  if (const auto* chat = std::get_if<Chat>(&source.text)) {
    for (const Message& message : chat->messages) bytes += message.content.size();
    return bytes + chat->variables.size() + (chat->chat_template ? chat->chat_template->size() : 0);
  }
  for (const Segment& segment : std::get<std::vector<Segment>>(source.text)) bytes += segment.text.size();
  return bytes;
}

std::size_t bytes_of(const Request& request) {
  if (const auto* inspection = std::get_if<Inspection>(&request.work)) return bytes_of(inspection->prompt) + inspection->text.size();
  std::size_t bytes = 0;
  if (const auto* counting = std::get_if<Counting>(&request.work)) {
    for (const auto& prompt : counting->prompts) bytes += prompt ? bytes_of(*prompt) : 0;
  } else {
    for (const PromptSource& prompt : std::get<Generation>(request.work).prompts) bytes += bytes_of(prompt);
  }
  return bytes;
}

}  // namespace

bool Preparation::pays(const Request& request) { return bytes_of(request) > most_bytes_at_once; }

Preparation::Preparation(std::shared_ptr<const Request> request, const Lanes& lanes, std::function<void()> on_done)
    : request_(std::move(request)), on_done_(std::move(on_done)), thread_([this, lanes] { main(lanes); }) {}

Preparation::~Preparation() {
  give_up();
  thread_.join();
}

void Preparation::main(const Lanes& lanes) {
  const GiveUpScope scope(&given_up_);
  try {
    prompts_ = compile_prompts(*request_, lanes);
  } catch (...) {
    failure_ = std::current_exception();
  }
  done_.store(true, std::memory_order_release);
  on_done_();
}

Prompts Preparation::take() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  return std::move(prompts_);
}

}  // namespace nudging
