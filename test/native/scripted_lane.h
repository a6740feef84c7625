#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "nudge/lane.h"

namespace nudging {

/// A model that says what the test wrote down for each context, and nothing else: an unexpected question fails the test.
/// Tokens are numbered as they appear in the script.
class ScriptedLane final : public Lane {
 public:
  static constexpr const char* end_of_text = "<end>";
  static constexpr const char* control = "<control>";

  /// After `text`, the model says `bytes` with `probability`. `end_of_text` is an EOG token, `control` one that shows nothing.
  /// `margin` is how far its token is in front of the next best.
  ScriptedLane& after(const std::string& text, const std::string& bytes, float probability = 0.9F, float margin = 10) {
    // A model is a function of its context: a script that contradicts itself is a mistake in the test.
    const auto before = script_.find(text);
    if (before != script_.end()) {
      if (spelled_[static_cast<std::size_t>(before->second.token)] != bytes) throw std::logic_error("said twice after \"" + text + "\"");
      return *this;
    }
    auto& entry = script_[text];
    entry.token = static_cast<Token>(spelled_.size());
    spelled_.push_back(bytes);
    entry.probability = probability;
    entry.margin = margin;
    return *this;
  }

  /// What is measured after a text that is in the script (R20, R21).
  ScriptedLane& measured(const std::string& text, std::optional<float> runner_up, std::optional<float> entropy) {
    Entry& entry = script_.at(text);
    entry.runner_up = runner_up;
    entry.entropy = entropy;
    return *this;
  }

  /// After `text`, the model goes on with these tokens, each at `probability`.
  ScriptedLane& says(std::string text, const std::vector<std::string>& tokens, float probability = 0.9F) {
    for (const std::string& token : tokens) {
      after(text, token, probability);
      if (token != end_of_text && token != control) text += token;
      if (token == control) text += control;
    }
    return *this;
  }

  void set_text(std::string_view text) override {
    context_ = text;
    lengths_.clear();
    texts.emplace_back(text);
  }
  void push(Token token) override {
    lengths_.push_back(context_.size());
    context_ += spelled_.at(static_cast<std::size_t>(token));
  }
  void pop(std::size_t tokens) override {
    for (; tokens > 0; --tokens) {
      context_.resize(lengths_.at(lengths_.size() - 1));
      lengths_.pop_back();
    }
  }

  /// What the marks between two turns of the assistant's are in the script.
  static constexpr const char* turn = "<turn>";

  void step_aside(std::string_view text) override {
    aside_ = {context_, lengths_};
    context_ = text.empty() ? "" : std::string(text) + turn;
    asides.push_back(context_);
  }
  void step_back() override { std::tie(context_, lengths_) = aside_; }

  void expect(const Guess& guess) override { expected.emplace_back(guess.text()); }
  bool trusts(float probability) const override { return probability >= least_trusted; }
  std::size_t guesses_wanted() override { return guesses; }
  std::size_t room() override { return room_left; }

  /// What the lane answers to `guesses_wanted` and `room`.
  std::size_t guesses = 0;
  std::size_t room_left = 100;
  /// The lowest probability that it trusts.
  float least_trusted = 0;
  /// Every continuation that the lane was told to expect.
  std::vector<std::string> expected;

  /// Called when it is asked, before it answers.
  std::function<void()> on_question = [] {};

  /// Every context that the lane stepped aside to.
  std::vector<std::string> asides;
  /// Every context the lane was asked about, and every text that it was given.
  std::vector<std::string> questions;
  std::vector<std::string> texts;

 protected:
  bool answered(Wanted) override { return true; }
  void ask(Wanted, std::coroutine_handle<>) override { throw std::logic_error("scripted lanes answer at once"); }
  std::span<const float> logits() override { throw std::logic_error("scripted lanes have no logits"); }
  Top1 answer() override {
    questions.push_back(context_);
    on_question();
    const auto found = script_.find(context_);
    if (found == script_.end()) throw std::runtime_error("not in the script: \"" + context_ + "\"");
    const std::string& bytes = spelled_[static_cast<std::size_t>(found->second.token)];
    Top1 top1;
    top1.token = found->second.token;
    top1.probability = found->second.probability;
    top1.margin = found->second.margin;
    top1.runner_up = found->second.runner_up;
    top1.entropy = found->second.entropy;
    top1.ends = bytes == end_of_text;
    if (!top1.ends && bytes != control) top1.bytes = bytes;
    return top1;
  }

 private:
  struct Entry {
    Token token;
    float probability;
    float margin;
    std::optional<float> runner_up = std::nullopt;
    std::optional<float> entropy = std::nullopt;
  };
  std::map<std::string, Entry> script_;
  // A deque: views into its strings stay good while it grows.
  std::deque<std::string> spelled_;
  std::string context_;
  /// Of the context in front of each token that was pushed.
  std::vector<std::size_t> lengths_;
  std::pair<std::string, std::vector<std::size_t>> aside_;
};

}  // namespace nudging
