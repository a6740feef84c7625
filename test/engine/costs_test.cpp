#include "lanes/costs.h"

#include "check.h"

using namespace nudging;

namespace {

/// A machine on which a batch of n costs one token and `slope` for each further one.
Costs measured(double slope, std::size_t largest) {
  Costs costs;
  for (std::size_t n = 1; n <= largest; n *= 2) costs.note(n, 10 * (1 + slope * static_cast<double>(n - 1)));
  return costs;
}

/// So many guesses, each right so often if those before it were.
std::vector<double> guesses(std::size_t count, double rate) { return std::vector<double>(count, rate); }

}  // namespace

TEST("costs: nothing is guessed before a single token was measured") { CHECK_EQUAL(guesses_worth(Costs(), guesses(8, 1)), 0U); }

TEST("costs: sizes between measured ones are interpolated, beyond them extrapolated") {
  const Costs costs = measured(0.5, 8);
  CHECK_EQUAL(costs.of(1), 10.0);
  CHECK_EQUAL(costs.of(3), 20.0);
  CHECK_EQUAL(costs.of(12), 65.0);
}

TEST("costs: cheap batches and good guesses are used in full") { CHECK_EQUAL(guesses_worth(measured(0.05, 16), guesses(15, 0.98)), 15U); }

TEST("costs: dear batches are not tried again once they were measured") {
  Costs costs;
  costs.note(1, 10);
  CHECK_EQUAL(guesses_worth(costs, guesses(16, 0.6)), 1U);
  costs.note(2, 17);
  CHECK_EQUAL(guesses_worth(costs, guesses(16, 0.6)), 0U);
}

TEST("costs: bad guesses never pay") { CHECK_EQUAL(guesses_worth(measured(0.05, 16), guesses(15, 0.02)), 0U); }

TEST("costs: what a guess costs to draft counts") {
  CHECK(guesses_worth_drafting(measured(0.3, 16), guesses(15, 0.8), 0, {1, 1}) > 0);
  CHECK_EQUAL(guesses_worth_drafting(measured(0.3, 16), guesses(15, 0.8), 5, {1, 1}), 0U);
}

TEST("costs: nobody waits for guesses to be drafted while others are answered") {
  const Costs costs = measured(0.05, 32);
  CHECK_EQUAL(guesses_worth_drafting(costs, guesses(8, 0.98), 0.1, {1, 1}), 8U);
  CHECK_EQUAL(guesses_worth_drafting(costs, guesses(8, 0.98), 0.1, {2, 2}), 0U);
}

TEST("costs: an unused size is forgotten, one slow decode hardly counts") {
  Costs costs = measured(0.5, 2);
  costs.note(1, 1000);
  CHECK(costs.of(1) < 13);
  for (int i = 0; i < 600; ++i) costs.note(1, 10);
  CHECK_EQUAL(costs.largest(), 1U);
}

TEST("costs: a batch that others share pays for guesses by what the whole of it makes") {
  // Four sequences: a guess more costs as much as for one alone, but the time that it adds is shared.
  const Costs costs = measured(0.5, 32);
  CHECK_EQUAL(guesses_worth(costs, guesses(8, 0.7)), 1U);
  CHECK_EQUAL(guesses_worth(costs, guesses(8, 0.7), {8, 8}), 0U);
  CHECK_EQUAL(guesses_worth(measured(0.05, 32), guesses(8, 0.98), {8, 8}), 8U);
}

TEST("costs: what may join a decode without making it longer than wanted") {
  CHECK_EQUAL(Costs().room(1, 4), 0U);
  CHECK_EQUAL(measured(0.5, 16).room(1, 4), 6U);
  // Beyond the measured sizes: by the slope.
  CHECK_EQUAL(measured(0.01, 64).room(1, 4), 300U);
}

TEST("costs: guesses stop where they become unlikely") {
  CHECK_EQUAL(guesses_worth(measured(0.3, 16), std::vector{0.95, 0.95, 0.95, 0.1, 0.95, 0.95}), 3U);
  CHECK_EQUAL(guesses_worth(measured(0.3, 16), std::vector{0.1, 0.95, 0.95, 0.95, 0.95, 0.95}), 0U);
}

TEST("acceptance: follows what happens") {
  Acceptance acceptance;
  for (int i = 0; i < 40; ++i) acceptance.note(0, 0.9F, true);
  CHECK(acceptance.rate(0) > 0.95);
  for (int i = 0; i < 200; ++i) acceptance.note(0, 0.9F, false);
  CHECK(acceptance.rate(0) < 0.05);
}

TEST("acceptance: each place has its own, and an unknown one that of the place before") {
  Acceptance acceptance;
  for (int i = 0; i < 40; ++i) acceptance.note(0, 0.9F, true);
  CHECK(acceptance.rate(5) > 0.95);
  for (int i = 0; i < 40; ++i) acceptance.note(3, 0.9F, false);
  CHECK(acceptance.rate(2) > 0.95);
  CHECK(acceptance.rate(3) < 0.05);
  CHECK(acceptance.rate(1000) < 0.05);
}

TEST("acceptance: a few that come true by chance do not make a bad guess a good one") {
  Acceptance acceptance;
  for (int i = 0; i < 100; ++i) acceptance.note(0, 0.9F, i % 2 == 0);
  for (int i = 0; i < 6; ++i) acceptance.note(0, 0.9F, true);
  CHECK(acceptance.rate(0) < 0.6);
}

TEST("acceptance: how sure the aligned model was says more than the place, once enough was seen") {
  Acceptance acceptance;
  for (int i = 0; i < 40; ++i) {
    acceptance.note(0, 0.999F, true);
    acceptance.note(0, 0.6F, false);
  }
  CHECK(acceptance.rate(0, 1.0F) > 0.95);
  CHECK(acceptance.rate(0, 0.7F) < 0.05);
  // Nothing was seen of these: at its word, or what its place is worth.
  CHECK_EQUAL(acceptance.rate(0, 0.25F), 0.25);
  CHECK_EQUAL(acceptance.rate(0, 0.92F), acceptance.rate(0));
}
