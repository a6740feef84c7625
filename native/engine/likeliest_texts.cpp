#include "engine/likeliest_texts.h"

#include "choice/top1.h"
#include "lanes/sequence_lane.h"

namespace nudging {

std::vector<LikelyText> LikeliestTexts::of(Lane& lane) {
  auto& own = static_cast<SequenceLane&>(lane);
  const Stopwatch watch(own.stats().top1_ms);
  std::vector<LikelyText> texts;
  for (const auto& [token, probability] : most_likely(own.last_logits(), count_)) {
    const std::string_view bytes = own.loaded().vocabulary().bytes(token);
    if (!bytes.empty()) texts.push_back({bytes, probability});
  }
  return texts;
}

}  // namespace nudging
