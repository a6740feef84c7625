#pragma once

#include <optional>
#include <span>

#include "lanes/model_context.h"

namespace nudging {

/// What came of having the likeliest tokens found both ways: where the output layer is, and by the host, to which all logits come then.
struct Top1Trial {
  /// Whether the device finds what the host does.
  bool alike = false;
  /// A pass over some tokens, all of which are asked about, with what the host reads of it.
  double device_ms = 0;
  double host_ms = 0;

  bool pays() const { return alike && device_ms <= host_ms; }
};

/// Whether both say the same, but for rounding and for tokens on the edge. NaNs are never alike.
bool are_alike(std::span<const PassResult::Said> device, std::span<const PassResult::Said> host);

/// Tries it, with a context that finds them on the device and has decoded nothing yet; then it does what pays. It takes eight small passes.
/// Nothing: the model does not say numbers, and the host is to look. Throws Failure(device_failed).
std::optional<Top1Trial> try_device_top1(ModelContext& context, const Model& model);

}  // namespace nudging
