#include "lanes/remote_decoder.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "basics/failure.h"

namespace nudging {

namespace {

[[noreturn]] void refuse_token(Token token, std::size_t size) {
  throw Failure(FailureKind::remote_protocol, "the server says token " + std::to_string(token) + ", and `tokenizer` has " +
                                                  std::to_string(size) + ": name a GGUF file of the model that is served");
}

Top1 top1_of(const RemoteAnswer& answer, const Vocabulary& vocabulary) {
  if (answer.token < 0 || static_cast<std::size_t>(answer.token) >= vocabulary.size()) refuse_token(answer.token, vocabulary.size());
  Top1 top1;
  top1.token = answer.token;
  top1.probability = static_cast<float>(std::exp(answer.logprob));
  if (answer.next_logprob) {
    // Logits differ as their logarithms of probabilities do.
    top1.margin = static_cast<float>(std::max(answer.logprob - *answer.next_logprob, 0.0));
    top1.runner_up = static_cast<float>(std::exp(*answer.next_logprob));
  }
  top1.ends = vocabulary.ends(answer.token);
  top1.bytes = vocabulary.bytes(answer.token);
  return top1;
}

}  // namespace

void RemoteDecoder::start(Pass pass) {
  under_way_ = true;
  called_ = false;
  run_ = pass.run;
  request_ = pass.request;
  begin_ = Clock::now();
  held_.resize(std::min(held_.size(), pass.tokens.front().position));
  first_ = 0;
  for (const Pass::Entry& entry : pass.tokens) {
    held_.push_back(entry.token);
    if (entry.wanted != Wanted::nothing && first_ == 0) first_ = held_.size();
    if (entry.wanted == Wanted::distribution) {
      fail(std::make_exception_ptr(Failure(FailureKind::internal, "a remote model was asked for a whole distribution")));
      return;
    }
  }
  last_ = held_.size();
  // A stretch of a prompt: what is asked comes with its last one.
  if (first_ == 0) return settle();

  const std::size_t common = in_common();
  if (talk_) {
    const bool same_way = common >= std::min(held_.size(), talk_->next);
    if (!same_way || (!knows(first_) && first_ != talk_->next)) hang_up();
  }
  if (!talk_) {
    path_.resize(common);
    said_.resize(std::min(said_.size(), common + 1));
    path_ = held_;
    said_.resize(path_.size() + 1);
    if (!knows(first_)) ask();
  }
  settle();
}

/// How many tokens of the path the sequence holds.
std::size_t RemoteDecoder::in_common() const {
  return static_cast<std::size_t>(std::mismatch(held_.begin(), held_.end(), path_.begin(), path_.end()).first - held_.begin());
}

void RemoteDecoder::ask() {
  called_ = true;
  RemoteQuestion question{0, request_, held_, last_ - first_ + 1, run_};
  talk_ = Talk{line_.ask(std::move(question)), first_};
}

bool RemoteDecoder::take(const RemoteAnswers& answers) {
  if (!talk_ || talk_->call != answers.call) return false;
  try {
    for (const RemoteAnswer& answer : answers.answers) hear(answer);
  } catch (...) {
    hang_up();
    fail(std::current_exception());
    return true;
  }
  if (answers.over) talk_.reset();
  settle();
  if (answers.failure && under_way_ && !result_) fail(answers.failure);
  if (answers.over && under_way_ && !result_) {
    // It has ended before it said what was asked; perhaps it had ended before that.
    if (called_) {
      fail(std::make_exception_ptr(
          Failure(FailureKind::remote_protocol, "the server's answer ends before it says what was asked: look at the server's log")));
    } else {
      path_ = held_;
      said_.resize(path_.size() + 1);
      ask();
    }
  }
  return true;
}

void RemoteDecoder::hear(const RemoteAnswer& answer) {
  const std::size_t at = talk_->next++;
  if (said_.size() <= at) said_.resize(at + 1);
  said_[at] = top1_of(answer, vocabulary_);
  // Behind what it was asked about, it goes on with what it said.
  if (at == path_.size()) path_.push_back(answer.token);
}

/// Ends the pass, if what it asks first is known and nothing more is on its way.
void RemoteDecoder::settle() {
  if (!under_way_ || result_) return;
  if (first_ > 0) {
    if (!knows(first_)) return;
    const bool more = talk_ && called_ && talk_->next <= last_;
    if (more) return;
  }
  PassResult result;
  result.begin = begin_;
  result.end = Clock::now();
  result.measured = called_;
  if (first_ > 0) {
    const std::size_t common = in_common();
    for (std::size_t length = first_; length <= last_; ++length) {
      PassResult::Said said;
      said.unsaid = length > common || !knows(length);
      if (!said.unsaid) said.top1 = *said_[length];
      result.said.push_back(std::move(said));
    }
  }
  result_ = std::move(result);
}

PassResult RemoteDecoder::collect() {
  under_way_ = false;
  return *std::exchange(result_, std::nullopt);
}

void RemoteDecoder::rest() {
  hang_up();
  if (under_way_ && !result_) fail(std::make_exception_ptr(Failure(FailureKind::internal, "nobody waits for this pass")));
}

void RemoteDecoder::fail(std::exception_ptr failure) {
  if (!under_way_ || result_) return;
  PassResult result;
  result.failure = std::move(failure);
  result.begin = begin_;
  result.end = Clock::now();
  result_ = std::move(result);
}

void RemoteDecoder::hang_up() {
  if (talk_) line_.give_up(talk_->call);
  talk_.reset();
}

}  // namespace nudging
