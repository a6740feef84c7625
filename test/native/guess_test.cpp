#include "nudge/guess.h"

#include "check.h"
#include "nudge/draft.h"

using namespace nudging;

TEST("guess: goes on behind what was said, and is over when something else was") {
  Guess guess(" b cd e", {{2, 0.5F}, {5, 0.25F}, {7, 0.125F}});
  CHECK_EQUAL(guess.text(), " b cd e");
  guess.said(" b");
  CHECK_EQUAL(guess.text(), " cd e");
  guess.said(" c");
  CHECK_EQUAL(guess.text(), "d e");
  guess.said("x");
  CHECK_EQUAL(guess.text(), "");
  CHECK_EQUAL(Guess().text(), "");
}

TEST("guess: how probable a stretch is, whatever pieces the reader cuts it into") {
  Guess guess(" b cd e", {{2, 0.5F}, {5, 0.25F}, {7, 0.125F}});
  CHECK_EQUAL(guess.probability(0, 2), 0.5F);
  CHECK_EQUAL(guess.probability(0, 7), 0.5F * 0.25F * 0.125F);
  // The second part begins in the first of these, and goes on in the second.
  CHECK_EQUAL(guess.probability(2, 4), 0.25F);
  CHECK_EQUAL(guess.probability(4, 5), 1.0F);
  guess.said(" b");
  CHECK_EQUAL(guess.probability(0, 3), 0.25F);
  CHECK_EQUAL(guess.probability(3, 100), 0.125F);
}

TEST("guess: what is left of a draft, with what the model gave each token") {
  Draft draft;
  draft.add({.probability = 0.5F, .bytes = "a"});
  draft.add({.probability = 0.25F, .bytes = " bc"});
  draft.add({.probability = 0.125F, .bytes = " d"});
  CHECK_EQUAL(draft.rest(1).text(), " bc d");
  CHECK_EQUAL(draft.rest(1).probability(0, 3), 0.25F);
  // From the middle of a token on: that one, and those behind it.
  CHECK_EQUAL(draft.rest(2).text(), "bc d");
  CHECK_EQUAL(draft.rest(2).probability(2, 4), 0.125F);
  CHECK_EQUAL(draft.rest(6).text(), "");
}
