#include "nudge/stop_strings.h"

#include <algorithm>
#include <chrono>
#include <random>

#include "check.h"
#include "nudge/answer.h"

using namespace nudging;

namespace {

constexpr std::size_t none = std::string::npos;

/// What StopStrings says, by looking everywhere.
struct Slow {
  std::vector<std::string> strings;
  std::string text;

  std::size_t read(const std::string& more) {
    const std::size_t before = text.size();
    text += more;
    std::size_t first = none;
    for (const std::string& string : strings) {
      for (std::size_t at = text.find(string); at != none; at = text.find(string, at + 1)) {
        if (at + string.size() > before) first = std::min(first, at);
      }
    }
    return first;
  }

  std::size_t begun() const {
    for (std::size_t length = text.size(); length > 0; --length) {
      const std::string end = text.substr(text.size() - length);
      if (std::any_of(strings.begin(), strings.end(), [&](const std::string& string) { return string.starts_with(end); })) return length;
    }
    return 0;
  }
};

}  // namespace

TEST("stop strings are found where a search through the whole text finds them") {
  std::mt19937 random(7);
  const auto letters = [&](std::size_t most) {
    std::string made(1 + random() % most, ' ');
    for (char& letter : made) letter = static_cast<char>('a' + random() % 2);
    return made;
  };
  std::size_t found = 0;
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::string> strings(random() % 5);
    for (std::string& string : strings) string = letters(6) + (random() % 3 == 0 ? "c" : "");
    StopStrings quick(strings);
    Slow slow{strings, {}};
    for (int step = 0; step < 8; ++step) {
      const std::string more = random() % 6 == 0 ? "c" : letters(4);
      const std::size_t expected = slow.read(more);
      const std::size_t actual = quick.read(more).value_or(none);
      found += actual != none ? 1 : 0;
      CHECK_EQUAL(actual, expected);
      CHECK_EQUAL(quick.begun(), slow.begun());
    }
  }
  CHECK(found > 1000);
}

TEST("ten thousand stop strings that all begin alike cost little a token") {
  Limits limits;
  limits.max_tokens = 100'000;
  for (int i = 0; i < 10'000; ++i) limits.stop.push_back(std::string(40, 'a') + std::to_string(i));
  const auto start = std::chrono::steady_clock::now();
  Answer answer(limits);
  answer.open_round(By::none);
  for (int i = 0; i < 5'000; ++i) {
    answer.add_token(i % 50 == 0 ? "b" : "aaaa", Source::base, 1);
    CHECK(answer.reportable() <= answer.pieces().size());
  }
  // Looking for each of them took a second for every hundred tokens.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
  answer.add_token("b", Source::base, 1);
  answer.add_token(std::string(40, 'a') + "77", Source::base, 1);
  CHECK(answer.ended() == StopReason::stop);
  CHECK(answer.text().ends_with("b"));
}
