#include "lanes/branches.h"

#include <algorithm>
#include <utility>

namespace nudging {

namespace {

/// What branches off further away is no neighbour: its tokens would make the pass a prompt's.
constexpr std::size_t most_missing = 8;

std::size_t common_prefix(std::span<const Token> a, std::span<const Token> b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

void Branches::ask(std::vector<std::vector<Token>> contexts) {
  questions_.clear();
  for (std::vector<Token>& context : contexts) questions_.push_back({std::move(context), {}});
}

std::vector<std::vector<float>> Branches::take() {
  std::vector<std::vector<float>> logits;
  for (Question& question : std::exchange(questions_, {})) logits.push_back(std::move(question.logits));
  return logits;
}

std::optional<Branches::Stem> Branches::longest(llama_seq_id sequence, std::span<const Token> wanted) const {
  std::optional<Stem> stem;
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const std::size_t length = common_prefix(held_[i], wanted);
    if (length > (stem ? stem->length : 0)) stem = {lane_.branch(sequence, i), length};
  }
  return stem;
}

void Branches::cut(llama_seq_id sequence, std::span<const Token> wanted) {
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const std::size_t length = common_prefix(held_[i], wanted);
    if (length == held_[i].size()) continue;
    held_[i].resize(length);
    lane_.edit({MemoryEdit::Kind::cut, lane_.branch(sequence, i), length});
  }
}

std::optional<Branches::Planned> Branches::plan(std::size_t which, llama_seq_id sequence, std::span<const Token> cached, std::size_t kept,
                                                std::size_t room) {
  if (which >= lane_.branches()) return std::nullopt;
  const std::span<const Token> context = questions_[which].context;
  // Of what is in the same pass nothing can be shared before it.
  const std::size_t from = std::min({common_prefix(context, cached.first(kept)), context.size() - 1});
  if (context.size() - from > std::min(room, most_missing)) return std::nullopt;
  if (held_.size() <= which) held_.resize(which + 1);
  std::vector<Token>& held = held_[which];
  const llama_seq_id own = lane_.branch(sequence, which);
  if (held.size() > from) {
    held.resize(from);
    lane_.edit({MemoryEdit::Kind::cut, own, from});
  }
  if (held.size() < from) lane_.edit({MemoryEdit::Kind::graft, own, from, sequence, held.size()});
  held.assign(context.begin(), context.end());
  return Planned{own, from, context};
}

}  // namespace nudging
