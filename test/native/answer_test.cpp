#include "nudge/answer.h"

#include "check.h"

using namespace nudging;

namespace {

Answer with_stops(std::vector<std::string> stops) {
  Limits limits;
  limits.stop = std::move(stops);
  Answer answer(limits);
  answer.open_round(By::none);
  return answer;
}

}  // namespace

TEST("pieces that a stop string could still cut are held back") {
  Answer answer = with_stops({"END", "\n\n"});
  answer.add_token("a", Source::base, 1);
  CHECK_EQUAL(answer.reportable(), 1U);
  answer.add_token("bE", Source::base, 1);
  CHECK_EQUAL(answer.reportable(), 1U);
  answer.add_token("N", Source::base, 1);
  CHECK_EQUAL(answer.reportable(), 1U);
  answer.add_token("x", Source::base, 1);
  CHECK_EQUAL(answer.reportable(), 4U);
  answer.add_token("\n", Source::base, 1);
  CHECK_EQUAL(answer.reportable(), 4U);
  answer.finish();
  CHECK_EQUAL(answer.reportable(), 5U);
}

TEST("a stop string over three pieces cuts exactly there, in pieces and rounds") {
  Answer answer = with_stops({"END"});
  answer.add_words("ab", std::nullopt);
  answer.add_token("cE", Source::base, 1);
  answer.open_round(By::agree);
  answer.add_words("N", std::nullopt);
  answer.add_token("De", Source::base, 1);
  CHECK(answer.ended() == StopReason::stop);
  CHECK_EQUAL(answer.text(), "abc");
  CHECK_EQUAL(answer.pieces().size(), 2U);
  CHECK_EQUAL(answer.pieces().back().text, "c");
  CHECK_EQUAL(answer.rounds()[0].words + answer.rounds()[0].base, "abc");
  CHECK_EQUAL(answer.rounds()[1].words + answer.rounds()[1].base, "");
  CHECK_EQUAL(answer.reportable(), 2U);
}

TEST("a stop string as the whole answer leaves nothing") {
  Answer answer = with_stops({"ab"});
  answer.add_words("ab", std::nullopt);
  CHECK_EQUAL(answer.text(), "");
  CHECK(answer.pieces().empty());
}

TEST("a stop wins over the budget when both come with one token") {
  Limits limits;
  limits.max_tokens = 1;
  limits.stop = {"b"};
  Answer answer(limits);
  answer.open_round(By::none);
  answer.add_token("ab", Source::base, 1);
  answer.spend(1, Source::base);
  CHECK(answer.ended() == StopReason::stop);
}
