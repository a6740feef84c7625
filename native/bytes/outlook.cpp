#include "bytes/outlook.h"

#include <numeric>

namespace nudging {

Outlook::Outlook(const TokenOrder& order, const CoverTree& tree)
    : order_(order), strands_(tree.strands()), ended_(tree.weights().open), open_(ended_) {
  tally();
}

void Outlook::go_on(unsigned char byte) {
  ended_ = 0;
  for (CoverTree::Strand& strand : strands_) {
    const TokenOrder::Range range = order_.narrow(strand.range, strand.depth, byte);
    strand.probabilities = strand.probabilities.subspan(range.begin - strand.range.begin, range.size());
    strand.range = range;
    ++strand.depth;
    // Those that end here stand in front of all longer ones.
    while (!strand.range.empty() && order_.length(strand.range.begin) == strand.depth) {
      ended_ += strand.weight * strand.probabilities[0];
      strand.probabilities = strand.probabilities.subspan(1);
      ++strand.range.begin;
    }
  }
  tally();
}

double Outlook::ended() const {
  const double known = std::accumulate(masses_.begin(), masses_.end(), 0.0);
  return known > 0 ? ended_ / known : 0;
}

double Outlook::ended(double others) const {
  const double all = std::accumulate(masses_.begin(), masses_.end(), open_);
  return all > 0 ? (ended_ + open_ * others) / all : others;
}

void Outlook::tally() {
  masses_.fill(0);
  masses_[end_symbol] = ended_;
  for (const CoverTree::Strand& strand : strands_) {
    for (std::size_t i = 0; i < strand.range.size(); ++i) {
      masses_[order_.byte(strand.range.begin + i, strand.depth)] += strand.weight * strand.probabilities[i];
    }
  }
}

}  // namespace nudging
