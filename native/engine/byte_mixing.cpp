#include "engine/byte_mixing.h"

#include "basics/failure.h"
#include "bytes/decode_bytes.h"
#include "engine/mixers.h"

namespace nudging {

namespace {

std::unique_ptr<const ByteMixture> mixture_for(const Generation& generation) {
  if (generation.mode == Mode::proxy_tuning) return std::make_unique<ProxyTunedLaw>(generation.alpha);
  return std::make_unique<MeanOfLaws>(mixing_weights(generation));
}

}  // namespace

ByteMixing::ByteMixing(const Generation& generation, const std::vector<SequenceLane*>& lanes, const Sampling& sampling)
    : mixture_(mixture_for(generation)),
      chooser_(*mixture_, sampling, mixing_tolerance(generation, lanes)),
      prompt_(lanes[0]->tokens()),
      budget_(generation.limits.max_tokens) {
  for (SequenceLane* lane : lanes) {
    const LoadedLane& loaded = lane->loaded();
    if (!loaded.vocabulary().spells()) {
      throw Failure(FailureKind::vocabularies_differ,
                    "`" + loaded.name() +
                        "` has a tokenizer that does not spell texts as they are, so it cannot be mixed byte by byte with another "
                        "vocabulary: take models of one family, or `mode: 'nudge'`, which joins any");
    }
    laws_.push_back(std::make_unique<ByteLaw>(*lane, *lane));
  }
}

Task<StopReason> ByteMixing::decode(Answer& answer, Record& record) {
  std::vector<ByteLaw*> laws;
  for (const auto& law : laws_) laws.push_back(law.get());
  return decode_bytes(std::move(laws), chooser_, std::move(prompt_), budget_, answer, record);
}

}  // namespace nudging
