#include "lanes/remote_decoder.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "basics/failure.h"
#include "check.h"
#include "models/model.h"

using namespace nudging;

namespace {

const Vocabulary& vocabulary() {
  static const Model model({.path = std::string(NUDGING_DEMO_MODELS) + "/base.gguf", .weights = Model::Weights::elsewhere},
                           [](float) { return true; });
  return model.vocabulary();
}

/// Notes what is asked, and answers nothing by itself.
struct Line final : RemoteLine {
  std::vector<RemoteQuestion> asked;
  std::vector<RemoteCall> given_up;
  RemoteCall ask(RemoteQuestion question) override {
    question.call = static_cast<RemoteCall>(asked.size()) + 1;
    asked.push_back(std::move(question));
    return asked.back().call;
  }
  void give_up(RemoteCall call) override { given_up.push_back(call); }
};

/// A pass that puts `tokens` behind the first `from` of its sequence, and asks about the last `wanted` of them.
Pass pass(std::size_t from, const std::vector<Token>& tokens, std::size_t wanted = 1, std::size_t run = 0) {
  Pass made;
  for (std::size_t i = 0; i < tokens.size(); ++i)
    made.tokens.push_back({tokens[i], from + i, 0, i + wanted >= tokens.size() ? Wanted::top1 : Wanted::nothing});
  made.run = {run, 0.4F};
  return made;
}

RemoteAnswers says(RemoteCall call, const std::vector<Token>& tokens, bool over = false) {
  RemoteAnswers answers{call, {}, over, nullptr};
  for (const Token token : tokens) answers.answers.push_back({token, std::log(0.5), std::log(0.25)});
  return answers;
}

std::vector<Token> said(const PassResult& result) {
  std::vector<Token> tokens;
  for (const PassResult::Said& one : result.said) tokens.push_back(one.unsaid ? -1 : one.top1.token);
  return tokens;
}

std::string failure_of(const PassResult& result) {
  try {
    if (result.failure) std::rethrow_exception(result.failure);
  } catch (const Failure& failure) {
    return failure_code(failure.kind());
  }
  return "";
}

using Tokens = std::vector<Token>;

}  // namespace

TEST("remote: a question and its guesses are one call, with all tokens of the sequence") {
  Line line;
  RemoteDecoder decoder(vocabulary(), line);
  decoder.start(pass(0, {11, 12, 13, 14}, 2));
  CHECK(!decoder.done());
  CHECK_EQUAL(line.asked.size(), 1U);
  CHECK(line.asked[0].tokens == Tokens({11, 12, 13, 14}));
  CHECK_EQUAL(line.asked[0].asked, 2U);
  CHECK(decoder.take(says(1, {14})));
  CHECK(!decoder.done());
  CHECK(decoder.take(says(1, {15}, true)));
  CHECK(decoder.done());
  const PassResult result = decoder.collect();
  CHECK(said(result) == Tokens({14, 15}));
  CHECK(result.measured);
  CHECK(std::abs(result.said[0].top1.probability - 0.5F) < 1e-6F);
  CHECK(std::abs(result.said[0].top1.margin - std::log(2.0F)) < 1e-6F);
  CHECK(std::abs(*result.said[0].top1.runner_up - 0.25F) < 1e-6F);

  // What is behind a cut is another context.
  decoder.start(pass(3, {20}));
  CHECK(line.asked[1].tokens == Tokens({11, 12, 13, 20}));
  CHECK_EQUAL(line.asked[1].asked, 1U);
}

TEST("remote: what the model says beyond the question answers the next ones, without a call") {
  Line line;
  RemoteDecoder decoder(vocabulary(), line);
  decoder.start(pass(0, {11, 12}, 1, 8));
  decoder.take(says(1, {13, 14, 15}));
  CHECK(said(decoder.collect()) == Tokens({13}));
  decoder.start(pass(2, {13}, 1, 8));
  CHECK(decoder.done());
  PassResult result = decoder.collect();
  CHECK(said(result) == Tokens({14}));
  // It took no time that says what a call takes.
  CHECK(!result.measured);
  decoder.start(pass(3, {14}, 1, 8));
  CHECK(said(decoder.collect()) == Tokens({15}));

  // Here the call is still talking.
  decoder.start(pass(4, {15}, 1, 8));
  CHECK(!decoder.done());
  CHECK_EQUAL(line.asked.size(), 1U);
  decoder.take(says(1, {16}, true));
  CHECK(said(decoder.collect()) == Tokens({16}));

  // And here it has ended.
  decoder.start(pass(5, {16}, 1, 8));
  CHECK_EQUAL(line.asked.size(), 2U);
  CHECK(line.asked[1].tokens == Tokens({11, 12, 13, 14, 15, 16}));
  CHECK(line.given_up.empty());
}

TEST("remote: a call that ends while it is waited for is followed by another one") {
  Line line;
  RemoteDecoder decoder(vocabulary(), line);
  decoder.start(pass(0, {11}, 1, 8));
  decoder.take(says(1, {12}));
  decoder.collect();
  decoder.start(pass(1, {12}, 1, 8));
  CHECK_EQUAL(line.asked.size(), 1U);
  decoder.take(says(1, {}, true));
  CHECK(!decoder.done());
  CHECK_EQUAL(line.asked.size(), 2U);
  CHECK(line.asked[1].tokens == Tokens({11, 12}));
  decoder.take(says(2, {13}, true));
  CHECK(said(decoder.collect()) == Tokens({13}));
}

TEST("remote: whoever goes another way gives the call up, and late answers of it are not taken") {
  Line line;
  RemoteDecoder decoder(vocabulary(), line);
  decoder.start(pass(0, {11, 12}, 1, 8));
  decoder.take(says(1, {13, 14}));
  decoder.collect();
  decoder.start(pass(2, {20}, 1, 8));
  CHECK(line.given_up == std::vector<RemoteCall>({1}));
  CHECK(line.asked[1].tokens == Tokens({11, 12, 20}));
  CHECK(!decoder.take(says(1, {15})));
  decoder.take(says(2, {21}, true));
  CHECK(said(decoder.collect()) == Tokens({21}));
}

TEST("remote: what stands in front of a call that is talking is asked in another one") {
  Line line;
  RemoteDecoder decoder(vocabulary(), line);
  decoder.start(pass(0, {11, 12, 13}, 1, 8));
  decoder.take(says(1, {14}));
  decoder.collect();
  // Nobody has asked yet what follows the first token.
  decoder.start(pass(0, {11}, 1, 8));
  CHECK_EQUAL(line.asked.size(), 2U);
  CHECK(line.asked[1].tokens == Tokens({11}));
  CHECK(line.given_up == std::vector<RemoteCall>({1}));
  decoder.take(says(2, {12}, true));
  CHECK(said(decoder.collect()) == Tokens({12}));
}

TEST("remote: guesses beside a call that is talking are not asked about, and what is known of a path is not asked again") {
  Line line;
  RemoteDecoder decoder(vocabulary(), line);
  decoder.start(pass(0, {11}, 1, 8));
  decoder.take(says(1, {12}));
  decoder.collect();
  decoder.start(pass(1, {12, 30, 31}, 3, 8));
  decoder.take(says(1, {13}));
  CHECK(said(decoder.collect()) == Tokens({13, -1, -1}));
  // Back to where the first question was.
  decoder.start(pass(0, {11}, 1, 8));
  CHECK(said(decoder.collect()) == Tokens({12}));
  CHECK_EQUAL(line.asked.size(), 1U);
}

TEST("remote: a call that fails fails its pass, and the next one asks again") {
  Line line;
  RemoteDecoder decoder(vocabulary(), line);
  decoder.start(pass(0, {11}));
  RemoteAnswers broken{1, {}, true, std::make_exception_ptr(Failure(FailureKind::remote_timeout, "late"))};
  decoder.take(broken);
  CHECK_EQUAL(failure_of(decoder.collect()), "ERR_REMOTE_TIMEOUT");
  decoder.start(pass(0, {11}));
  CHECK_EQUAL(line.asked.size(), 2U);
  decoder.take(says(2, {}, true));
  CHECK_EQUAL(failure_of(decoder.collect()), "ERR_REMOTE_PROTOCOL");
  decoder.start(pass(0, {11}));
  decoder.take(says(3, {static_cast<Token>(vocabulary().size())}));
  CHECK_EQUAL(failure_of(decoder.collect()), "ERR_REMOTE_PROTOCOL");
  CHECK(line.given_up == std::vector<RemoteCall>({3}));
}

TEST("remote: once nobody waits, calls are given up and a pass that is under way ends") {
  Line line;
  RemoteDecoder decoder(vocabulary(), line);
  decoder.rest();
  CHECK(line.given_up.empty());
  decoder.start(pass(0, {11}, 1, 8));
  decoder.take(says(1, {12}));
  decoder.collect();
  decoder.rest();
  CHECK(line.given_up == std::vector<RemoteCall>({1}));
  decoder.start(pass(1, {12}));
  decoder.rest();
  CHECK(line.given_up == std::vector<RemoteCall>({1, 2}));
  CHECK(decoder.done());
  CHECK(decoder.collect().failure != nullptr);
  // A stretch of a prompt that asks nothing is no call.
  Pass silent = pass(0, {1, 2}, 0);
  decoder.start(std::move(silent));
  CHECK(decoder.done());
  CHECK_EQUAL(line.asked.size(), 2U);
}
