#include <string>
#include <vector>

#include "basics/failure.h"
#include "check.h"
#include "text/deep_stack.h"
#include "vocabularies.h"

using namespace nudging;

namespace {

std::string repeat(std::string_view part, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += part;
  return text;
}

std::vector<Token> at_once(const llama_vocab* vocab, const std::string& text) {
  std::vector<Token> tokens(text.size() + 2);
  tokens.resize(static_cast<std::size_t>(llama_tokenize(vocab, text.data(), static_cast<int32_t>(text.size()), tokens.data(),
                                                        static_cast<int32_t>(tokens.size()), false, false)));
  return tokens;
}

}  // namespace

TEST("R2: a long text tokenised in pieces has the tokens of the whole") {
  const std::string text = repeat(
      "A harbor is a sheltered port where ships can take on or discharge cargo.\n\n1234 don't  \xE6\xB8\xAF\xE5\x8F\xA3 x y (z) "
      "\xF0\x9F\x99\x82, ",
      30'000);
  for (const auto& loaded : collections::vocabularies()) {
    if (loaded.vocabulary->tokenize(text) != at_once(loaded.vocab(), text)) CHECK_EQUAL(loaded.name, "");
  }
}

TEST("runs of one kind that would overflow the stack of std::regex are tokenised") {
  for (const auto& loaded : collections::vocabularies()) {
    if (loaded.name != "ggml-vocab-deepseek-llm" && loaded.name != "ggml-vocab-falcon" && loaded.name != "ggml-vocab-gpt-2") continue;
    for (const char* part : {"a", "!", "1"}) {
      const std::string text = repeat(part, 40'000);
      std::string shown;
      for (const Token token : loaded.vocabulary->tokenize(text)) shown += loaded.vocabulary->bytes(token);
      CHECK(shown == text);
    }
  }
}

TEST("a text of more than 2 MiB that cannot be cut is refused") {
  const auto code = [](const std::string& text) {
    try {
      collections::vocabularies().front().vocabulary->tokenize(text);
    } catch (const Failure& failure) {
      return std::string(failure_code(failure.kind()));
    }
    return std::string();
  };
  CHECK_EQUAL(code(std::string(2 * 1024 * 1024 + 1, '\n')), "ERR_PROMPT_TOO_LONG");
}

TEST("no text has fewer tokens than its bytes allow") {
  std::size_t bounded = 0;
  for (const auto& loaded : collections::vocabularies()) {
    bounded += loaded.vocabulary->least_tokens(1'000'000) > 0 ? 1 : 0;
    for (const char* part : {" ", "\n", "a", "=", "-", "word ", "\xE6\xB8\xAF", "\t", "\xF0\x9F\x99\x82"}) {
      const std::string text = repeat(part, 4'000);
      const std::size_t tokens = loaded.vocabulary->tokenize(text).size();
      if (tokens < loaded.vocabulary->least_tokens(text.size())) CHECK_EQUAL(loaded.name + part, std::to_string(tokens));
    }
  }
  CHECK(bounded > 10);
}

TEST("what is thrown on a deep stack arrives") {
  std::string said;
  try {
    on_deep_stack(8U << 20U, [] { throw Failure(FailureKind::internal, "from below"); });
  } catch (const Failure& failure) {
    said = failure.what();
  }
  CHECK_EQUAL(said, "from below");
}
