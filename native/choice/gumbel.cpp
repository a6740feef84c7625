#include "choice/gumbel.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "choice/philox.h"
#include "choice/token_filters.h"

namespace nudging {

namespace {

/// What a counter is for; beside the lane, in the same word.
enum class Drawn : std::uint32_t { token = 0, block = 0x80000000 };

PhiloxWords words_of(const Draw& draw, Drawn drawn, std::size_t index) {
  const PhiloxWords counter = {static_cast<std::uint32_t>(index), draw.sampling.lane | static_cast<std::uint32_t>(drawn),
                               static_cast<std::uint32_t>(draw.context), static_cast<std::uint32_t>(draw.context >> 32)};
  return philox4x32(counter, draw.sampling.seed);
}

/// Uniform in (0, 1), in steps of 2^-64; never so close to 1 that it rounds to it.
double uniform(const PhiloxWords& words) {
  const std::uint64_t bits = (std::uint64_t{words[0]} << 32) | words[1];
  return std::min((static_cast<double>(bits) + 0.5) * 0x1p-64, 1 - 0x1p-53);
}

/// Exponential with mean 1. At least the uniform number that it comes from.
double exponential(const PhiloxWords& words) { return -std::log1p(-uniform(words)); }

/// The noise of a block of tokens. Gumbel noise is -log(e) with e exponential. Of n such e the least is an exponential divided by n, any of
/// the n has it, and what the others have more is exponential again (it has no memory). So one draw for a block bounds the noise of all its
/// tokens.
struct BlockNoise {
  PhiloxWords words;

  /// At most `least()`, and quicker.
  double bound() const { return uniform(words) / static_cast<double>(filter_block); }
  double least() const { return exponential(words) / static_cast<double>(filter_block); }
  std::size_t place() const { return words[2] % filter_block; }
};

/// The highest logit of every block.
std::vector<float> maxima_of(std::span<const float> logits) {
  // Loops over independent lanes become vector instructions, as in top1.cpp.
  constexpr std::size_t width = 16;
  std::vector<float> maxima((logits.size() + filter_block - 1) / filter_block);
  for (std::size_t block = 0; block < maxima.size(); ++block) {
    const std::span<const float> part = logits.subspan(block * filter_block, std::min(filter_block, logits.size() - block * filter_block));
    std::array<float, width> highest;
    highest.fill(-std::numeric_limits<float>::infinity());
    std::size_t i = 0;
    for (; i + width <= part.size(); i += width) {
      for (std::size_t k = 0; k < width; ++k) highest[k] = std::max(highest[k], part[i + k]);
    }
    for (std::size_t k = 0; i + k < part.size(); ++k) highest[k] = std::max(highest[k], part[i + k]);
    maxima[block] = *std::max_element(highest.begin(), highest.end());
  }
  return maxima;
}

/// The tokens seen so far, by their scores: (logit - highest) / T + noise.
struct Ranking {
  struct Outsider {
    double score;
    float logit;
  };
  float lowest;
  Token token;
  float logit;
  double first;
  double second = -std::numeric_limits<double>::infinity();
  /// Tokens that the filters cut by little and that would have won then.
  std::vector<Outsider> outsiders = {};

  void add(Token candidate, float its_logit, double score) {
    if (its_logit < lowest) {
      if (score > first) outsiders.push_back({score, its_logit});
    } else if (score > first) {
      second = first;
      first = score;
      token = candidate;
      logit = its_logit;
    } else {
      second = std::max(second, score);
    }
  }
};

/// How far the decision is from another one, in logits.
float margin_of(const Ranking& ranking, const Kept& kept, double temperature, Token most_likely) {
  const float cut = ranking.token == most_likely ? kept.next : std::max(kept.next, kept.least);
  double margin = std::min((ranking.first - ranking.second) * temperature, static_cast<double>(ranking.logit) - static_cast<double>(cut));
  for (const auto& outsider : ranking.outsiders) {
    if (outsider.score > ranking.first) margin = std::min(margin, static_cast<double>(kept.limit) - static_cast<double>(outsider.logit));
  }
  return static_cast<float>(std::max(0.0, margin));
}

}  // namespace

double gumbel(const Draw& draw, Token token) {
  const auto index = static_cast<std::size_t>(token);
  const BlockNoise block{words_of(draw, Drawn::block, index / filter_block)};
  const double more = index % filter_block == block.place() ? 0 : exponential(words_of(draw, Drawn::token, index));
  return -std::log(block.least() + more);
}

void sample(std::span<const float> logits, const Draw& draw, Top1& top1) {
  const double temperature = draw.sampling.temperature;
  const std::vector<float> maxima = maxima_of(logits);
  const Kept kept = kept_tokens(logits, maxima, draw.sampling, top1);
  // Nor are tokens looked at that cannot come: minus infinity.
  const double from = std::max(static_cast<double>(kept.limit - filter_reach), static_cast<double>(std::numeric_limits<float>::lowest()));
  const double highest = static_cast<double>(logits[static_cast<std::size_t>(top1.token)]);

  Ranking ranking{kept.lowest, top1.token, logits[static_cast<std::size_t>(top1.token)], gumbel(draw, top1.token)};
  // The logit that a token needs to come in second with a noise of `most`, less what rounding may do.
  const auto needed = [&](double most) {
    const double score = ranking.second - most;
    return std::max(from, highest + temperature * (score - 1e-9 * std::abs(score)));
  };

  for (std::size_t block = 0; block < maxima.size(); ++block) {
    if (static_cast<double>(maxima[block]) < from) continue;
    const double most = -std::log(BlockNoise{words_of(draw, Drawn::block, block)}.bound());
    double need = needed(most);
    if (static_cast<double>(maxima[block]) < need) continue;
    const std::size_t begin = block * filter_block;
    const std::size_t end = std::min(begin + filter_block, logits.size());
    for (std::size_t i = begin; i < end; ++i) {
      const auto token = static_cast<Token>(i);
      const auto logit = static_cast<double>(logits[i]);
      if (logit < need || token == top1.token) continue;
      ranking.add(token, logits[i], (logit - highest) / temperature + gumbel(draw, token));
      need = needed(most);
    }
  }
  top1.margin = margin_of(ranking, kept, temperature, top1.token);
  top1.token = ranking.token;
}

}  // namespace nudging
