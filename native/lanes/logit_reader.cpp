#include "lanes/logit_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "basics/failure.h"
#include "choice/gumbel.h"
#include "choice/measures.h"
#include "choice/top1.h"
#include "src/llama-ext.h"

namespace nudging {

PassResult::Said LogitReader::read(std::span<float> logits, Wanted wanted, const Pass::Reading& reading) {
  const Clock::time_point begin = Clock::now();
  const Vocabulary& vocabulary = model_.vocabulary();
  if (reading.changes) changer_.apply(*reading.changes, reading.recent, vocabulary, logits);
  PassResult::Said said;
  Top1& top1 = said.top1 = most_likely(logits);
  if (std::isnan(top1.probability)) {
    const auto is_banned = [](float logit) { return logit == -std::numeric_limits<float>::infinity(); };
    if (reading.changes && std::all_of(logits.begin(), logits.end(), is_banned)) {
      throw Failure(FailureKind::decode_failed,
                    "\"" + model_.path() + "\" has nothing to say that `logitBias` does not ban: ban fewer tokens");
    }
    fail_for_no_numbers();
  }
  measure(logits, reading.measures, top1);
  if (!reading.draw.sampling.greedy()) sample(logits, reading.draw, top1);
  name(top1);
  if (wanted == Wanted::distribution) said.logits.assign(logits.begin(), logits.end());
  said.ms = milliseconds(Clock::now() - begin);
  return said;
}

PassResult::Said LogitReader::read(const llama_top& found, const Pass::Reading& reading) const {
  const Clock::time_point begin = Clock::now();
  if (std::isnan(found.prob)) fail_for_no_numbers();
  PassResult::Said said;
  said.top1.token = found.token;
  said.top1.probability = found.prob;
  said.top1.margin = found.logit - found.logit_next;
  if (reading.measures.runner_up) said.top1.runner_up = found.prob * std::exp(-said.top1.margin);
  name(said.top1);
  said.ms = milliseconds(Clock::now() - begin);
  return said;
}

void LogitReader::fail_for_no_numbers() const {
  throw Failure(FailureKind::decode_failed,
                "\"" + model_.path() + "\" produced logits that are not numbers: the file is damaged or its quantisation overflows");
}

void LogitReader::name(Top1& top1) const {
  top1.ends = model_.vocabulary().ends(top1.token);
  top1.bytes = model_.vocabulary().bytes(top1.token);
}

}  // namespace nudging
