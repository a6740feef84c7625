#include "nudge/thinking_part.h"

#include "check.h"
#include "nudge/answer.h"

using namespace nudging;
using State = ThinkingPart::State;

namespace {

const ThinkingMarks marks{"<think>", "</think>"};

struct Found {
  std::string answer;
  std::size_t begin;
  State state;
};

/// Reads `text` in pieces of `size` bytes.
Found found(const std::string& text, std::size_t size, State start = State::undecided) {
  ThinkingPart part(marks, start);
  std::string answer;
  for (std::size_t at = 0; at < text.size(); at += size) answer += part.read(text.substr(at, size));
  return {answer, part.begin(), part.state()};
}

/// An answer with a stop string, told token by token.
Answer answered(const std::vector<std::string>& tokens, const std::string& stop, State start = State::undecided) {
  Limits limits;
  limits.stop = {stop};
  limits.thinking = marks;
  limits.thinking_start = start;
  Answer answer(limits);
  answer.open_round(By::none);
  for (const std::string& token : tokens) {
    if (!answer.ended()) answer.add_token(token, Source::base, 1);
  }
  return answer;
}

}  // namespace

TEST("the answer begins behind the thinking part and the white space after it, however the text is cut") {
  const std::string text = " \n<think>\na </thin</thi </think>\n\nYes. </think> <think>";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    const Found result = found(text, size);
    CHECK_EQUAL(result.answer, "Yes. </think> <think>");
    CHECK_EQUAL(result.begin, text.find("Yes"));
    CHECK(result.state == State::answer);
  }
}

TEST("a text that does not begin with the mark is an answer from its first byte") {
  for (const std::string text : {"Yes.", "  \nYes <think>", "<thin", "<thin>", "x<think>a</think>"}) {
    for (std::size_t size = 1; size <= text.size(); ++size) {
      const Found result = found(text + "!", size);
      CHECK_EQUAL(result.answer, text + "!");
      CHECK_EQUAL(result.begin, 0U);
    }
  }
}

TEST("what the prompt began goes on") {
  CHECK_EQUAL(found("hm</think> Yes", 3, State::thinking).answer, "Yes");
  CHECK_EQUAL(found("hm</think> Yes", 3, State::thinking).begin, 11U);
  CHECK_EQUAL(found(" \n Yes", 1, State::gap).answer, "Yes");
  CHECK_EQUAL(found("<think>", 2, State::answer).answer, "<think>");
  CHECK(found("<think>hm", 2).state == State::thinking);
  CHECK(found("<think>hm</think>\n", 2).state == State::gap);
  CHECK(found(" <th", 2).state == State::undecided);
}

TEST("without marks every text is an answer") {
  ThinkingPart part(std::nullopt);
  CHECK_EQUAL(part.read("<think>"), "<think>");
}

TEST("a stop string in the thinking part does not end the answer, one behind it does, and exactly there") {
  const Answer answer = answered({"<thi", "nk>a\n", "\nb</th", "ink>\n\nYes", "\n\nNo"}, "\n\n");
  CHECK(answer.ended() == StopReason::stop);
  CHECK_EQUAL(answer.text(), "<think>a\n\nb</think>\n\nYes");
}

TEST("a stop string that begins in the thinking part and ends behind it is none") {
  CHECK(!answered({"<think>a", "</think>", "b"}, ">b").ended());
  CHECK(answered({"a>b"}, ">b").ended() == StopReason::stop);
}

TEST("a stop string in what was taken for the beginning of the mark is found") {
  const Answer answer = answered({" \n", "<th", "en"}, "\n<");
  CHECK(answer.ended() == StopReason::stop);
  CHECK_EQUAL(answer.text(), " ");
  CHECK(answered({"<thi"}, "<").ended() == std::nullopt);
}

TEST("pieces that may yet be cut are held back while it is undecided") {
  Answer answer = answered({" ", "<th"}, "\n");
  CHECK_EQUAL(answer.reportable(), 0U);
  answer.add_token("ink>hm", Source::base, 1);
  CHECK_EQUAL(answer.reportable(), 3U);
  answer.finish();
  CHECK_EQUAL(answered({"hm</think>", "\n", "Yes"}, "\n", State::thinking).reportable(), 3U);
}
