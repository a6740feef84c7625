#include "nudge/paper.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "nudge/guard.h"
#include "nudge/utf8.h"

namespace nudging {

namespace {

/// One place of a model's window.
struct Position {
  Top1 said;
  std::vector<LikelyText> likeliest;
};

/// A model's window: what it says after the text, token by token, as far as anybody asks.
class Window {
 public:
  Window(Lane& lane, Likeliest& likeliest, std::string_view text) : lane_(lane), likeliest_(likeliest) { lane_.set_text(text); }

  /// The place `at`, which must be the next one; nothing where the model has ended.
  Task<std::optional<Position>> next() {
    if (ended_) co_return std::nullopt;
    co_await lane_.distribution();
    const Top1 said = lane_.last_top1();
    if (said.ends) {
      ended_ = true;
      co_return std::nullopt;
    }
    Position position{said, likeliest_.of(lane_)};
    lane_.push(said.token);
    co_return std::move(position);
  }

 private:
  Lane& lane_;
  Likeliest& likeliest_;
  bool ended_ = false;
};

/// A model's probability of a text; nothing if it is not among its likeliest.
std::optional<double> probability_in(const Position& position, std::string_view text) {
  for (const LikelyText& one : position.likeliest) {
    if (one.bytes == text) return static_cast<double>(one.probability);
  }
  return std::nullopt;
}

/// The ensemble: the highest p + q among all that either finds likely.
std::string_view by_sum(const std::vector<Position>& positions) {
  std::string_view best;
  double highest = 0;
  for (const Position& position : positions) {
    for (const LikelyText& one : position.likeliest) {
      double sum = 0;
      for (const Position& each : positions) sum += probability_in(each, one.bytes).value_or(0);
      if (sum > highest) {
        highest = sum;
        best = one.bytes;
      }
    }
  }
  return best;
}

/// Proxy tuning: the highest p · q / a among what all three find likely.
std::string_view by_ratio(const std::vector<Position>& positions) {
  std::string_view best;
  double highest = 0;
  for (const LikelyText& one : positions[0].likeliest) {
    const auto aligned = probability_in(positions[1], one.bytes);
    const auto reference = probability_in(positions[2], one.bytes);
    if (!aligned || !reference || *reference <= 0) continue;
    const double score = static_cast<double>(one.probability) * *aligned / *reference;
    if (score > highest) {
      highest = score;
      best = one.bytes;
    }
  }
  return best;
}

/// What a window adds to the answer.
struct Taken {
  std::string bytes;
  std::size_t tokens = 0;
  float probability = 0;
  void add(std::string_view text) {
    bytes += text;
    ++tokens;
  }
};

std::string shown(std::string_view bytes) {
  std::string text;
  Utf8Stream().feed(bytes, text);
  return text;
}

/// Commits what a window has brought, as far as the budget goes.
void commit(const Taken& taken, Answer& answer) {
  answer.add_token(shown(taken.bytes), Source::mix, taken.probability);
  answer.spend(taken.tokens, Source::mix);
}

}  // namespace

Task<StopReason> decode_as_in_paper(std::vector<Lane*> lanes, Likeliest& likeliest, std::size_t lookahead, Answer& answer, Record& record) {
  const bool tunes = lanes.size() > 2;
  answer.open_round(By::none);
  while (true) {
    const std::string text(answer.text());
    // The aligned model's window is needed whole, for its end.
    std::vector<Position> aligned;
    Window of_aligned(*lanes[1], likeliest, text);
    bool ends = false;
    while (!ends && aligned.size() < std::min(lookahead, answer.left())) {
      auto position = co_await of_aligned.next();
      ends = !position;
      if (position) aligned.push_back(std::move(*position));
    }
    Taken taken;
    if (ends) {
      for (const Position& position : aligned) taken.add(position.said.bytes);
      commit(taken, answer);
      co_return answer.ended().value_or(StopReason::end);
    }

    std::vector<Window> others;
    others.emplace_back(*lanes[0], likeliest, text);
    if (tunes) others.emplace_back(*lanes[2], likeliest, text);
    std::string_view first_of_base;
    for (std::size_t at = 0; at < aligned.size(); ++at) {
      std::vector<Position> here;
      for (Window& window : others) {
        auto position = co_await window.next();
        if (!position) break;
        here.push_back(std::move(*position));
      }
      if (here.size() < others.size()) break;
      here.insert(here.begin() + 1, aligned[at]);
      record.mixed(record.is_tie(Source::base, here[0].said) || record.is_tie(Source::nudge, here[1].said));
      const std::string_view own = here[0].said.bytes;
      if (first_of_base.empty()) first_of_base = own;
      if (at == 0) taken.probability = here[0].said.probability;
      const auto says = [&](std::string_view spelled) {
        return std::all_of(here.begin(), here.end(), [&](const Position& position) { return position.said.bytes == spelled; });
      };
      // The ensemble takes what both say without looking further.
      std::string_view winner = !tunes && says(own) ? own : tunes ? by_ratio(here) : by_sum(here);
      if (winner.empty()) winner = own;
      taken.add(winner);
      if (!says(winner)) break;
    }
    if (shown(taken.bytes).empty()) {
      taken = {std::string(first_of_base), 1, taken.probability};
      // A character may take several tokens.
      for (std::size_t at = 0; at < aligned.size() && shown(taken.bytes).empty(); ++at) {
        if (at == 0) taken = {{}, 0, taken.probability};
        taken.add(aligned[at].said.bytes);
      }
    }
    const std::size_t before = answer.text().size();
    commit(taken, answer);
    co_await checked(answer);
    if (answer.ended()) co_return *answer.ended();
    if (answer.text().size() == before) co_return StopReason::stalled;
  }
}

}  // namespace nudging
