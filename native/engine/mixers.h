#pragma once

#include <memory>
#include <span>
#include <vector>

#include "choice/sampling.h"
#include "engine/request.h"
#include "lanes/sequence_lane.h"
#include "nudge/mixture.h"

namespace nudging {

/// Whether a generation goes token by token: `ensemble`, `proxy_tuning`, or a rule of single tokens.
bool goes_by_token(const Generation& generation);

/// The lanes, by their places, that a generation by several models together asks; empty for other modes. The first one's context gives the
/// noise of what is sampled (R31).
std::vector<std::size_t> mixing_lanes(const Generation& generation);

/// How much each of these lanes counts in an ensemble; together 1.
std::vector<double> mixing_weights(const Generation& generation);

/// How far other company moves what these lanes say together, in logits.
float mixing_tolerance(const Generation& generation, std::span<SequenceLane* const> lanes);

/// Whether these lanes write an answer byte by byte: an ensemble or proxy tuning that wants to, or whose vocabularies are not one.
bool goes_by_bytes(const Generation& generation, std::span<SequenceLane* const> lanes);

/// Checks that these lanes have one vocabulary. Throws Failure(vocabularies_differ), which names the two that do not, and where.
void check_one_vocabulary(std::span<SequenceLane* const> lanes);

/// With which settings a lane of such a generation draws its own tokens: where a mixture is drawn from, and not what each says, with none.
Sampling own_sampling(const Generation& generation, const Sampling& of_lane);

/// What mixes for a generation. `lanes` are those of `mixing_lanes`, which must outlive it.
std::unique_ptr<Mixer> mixer_for(const Generation& generation, std::vector<SequenceLane*> lanes, const Sampling& sampling);

}  // namespace nudging
