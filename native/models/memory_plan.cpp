#include "models/memory_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <utility>

#include "basics/failure.h"
#include "models/placement.h"

namespace nudging {

namespace {

/// Parts of a place that numbers of our own choice may fill, and that further sequences may take of what the first leaves free.
constexpr double fillable = 0.9;
constexpr double spare_for_sequences = 0.5;

/// The largest number in [low, high] that `fits`, if `low` does and what does not fit does not fit with more either.
template <typename Fits>
std::uint32_t largest(std::uint32_t low, std::uint32_t high, const Fits& fits) {
  // Mostly all of it does.
  if (low >= high || fits(high)) return high;
  --high;
  while (low < high) {
    const std::uint32_t middle = low + (high - low + 1) / 2;
    if (fits(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/// Such as "a, b or c".
std::string listed(const std::vector<std::string>& items, const std::string& last) {
  std::string text = items.front();
  for (std::size_t i = 1; i < items.size(); ++i) text += (i + 1 < items.size() ? ", " : " " + last + " ") + items[i];
  return text;
}

class Planner {
 public:
  Planner(const MemoryRequest& request, const MeasureLane& measure) : request_(request), measure_(measure) {
    for (const MemoryRequest::Lane& lane : request.lanes) {
      std::vector<std::size_t>& gpus = gpus_.emplace_back(lane.gpus.value_or(std::vector<std::size_t>{}));
      for (std::size_t place = 1; !lane.gpus && place < request.places.size(); ++place) gpus.push_back(place);
      lanes_.push_back({0, lane.length.value_or(std::min(lane.longest, default_context)), request.parallel.value_or(1),
                        std::vector<std::uint32_t>(gpus.size(), 0)});
    }
  }

  MemoryPlan plan() {
    place_layers();
    choose_lengths();
    check();
    choose_parallel();
    MemoryPlan plan{lanes_, {}};
    for (std::size_t i = 0; i < lanes_.size(); ++i) plan.use.push_back(demand(i).use);
    return plan;
  }

 private:
  const LaneDemand& demand(std::size_t lane) {
    const auto key = std::pair(lane, lanes_[lane]);
    const auto known = measured_.find(key);
    return known != measured_.end() ? known->second : measured_.emplace(key, measure_(lane, lanes_[lane])).first->second;
  }

  /// True if an earlier lane has the same weights.
  bool shares_weights(std::size_t lane) const {
    for (std::size_t i = 0; i < lane; ++i) {
      if (request_.lanes[i].file == request_.lanes[lane].file && gpus_[i] == gpus_[lane] && lanes_[i].split == lanes_[lane].split)
        return true;
    }
    return false;
  }

  std::uint64_t weights(std::size_t place) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (!shares_weights(i)) sum += demand(i).weights[place];
    }
    return sum;
  }

  std::uint64_t needed(std::size_t place) {
    std::uint64_t sum = weights(place);
    for (std::size_t i = 0; i < lanes_.size(); ++i) sum += demand(i).context[place];
    return sum;
  }

  bool fits(std::size_t first_place) {
    for (std::size_t place = first_place; place < request_.places.size(); ++place) {
      if (static_cast<double>(needed(place)) > fillable * static_cast<double>(request_.places[place].available)) return false;
    }
    return true;
  }

  /// The lanes that stand where this one does: it, and for the base those of its file that nobody wants elsewhere, which share its weights.
  bool moves_with(std::size_t lane, std::size_t other) const {
    const MemoryRequest::Lane& one = request_.lanes[lane];
    const MemoryRequest::Lane& two = request_.lanes[other];
    return lane == other || (lane == base_lane && one.file == two.file && one.gpu_layers == two.gpu_layers && gpus_[lane] == gpus_[other]);
  }

  void set_layers(std::size_t lane, const std::vector<std::uint32_t>& split) {
    for (std::size_t other = 0; other < lanes_.size(); ++other) {
      if (!moves_with(lane, other)) continue;
      lanes_[other].split = split;
      lanes_[other].gpu_layers = std::accumulate(split.begin(), split.end(), 0U);
    }
  }

  /// Bytes of a place that are left beside the other lanes.
  double room(std::size_t lane, std::size_t place) {
    double left = fillable * static_cast<double>(request_.places[place].available);
    for (std::size_t other = 0; other < lanes_.size(); ++other) {
      if (moves_with(lane, other)) continue;
      left -= static_cast<double>(demand(other).context[place]);
      if (!shares_weights(other)) left -= static_cast<double>(demand(other).weights[place]);
    }
    return std::max(left, 0.0);
  }

  std::vector<float> rooms(std::size_t lane) {
    std::vector<float> all;
    for (const std::size_t place : gpus_[lane]) all.push_back(static_cast<float>(room(lane, place)));
    // Where there is none anywhere, the message that follows should be about all of them.
    if (std::ranges::all_of(all, [](float one) { return one == 0; })) std::ranges::fill(all, 1.0F);
    return all;
  }

  /// Puts so many layers of a lane on its GPUs.
  void put(std::size_t lane, std::uint32_t layers) {
    const MemoryRequest::Lane& wanted = request_.lanes[lane];
    const std::size_t count = gpus_[lane].size();
    if (count == 0) return;
    if (!wanted.split.empty() || count == 1) {
      set_layers(lane, count == 1 ? std::vector{layers} : share_layers(layers, wanted.split));
      return;
    }
    using Spread = MemoryRequest::Lane::Spread;
    if (wanted.spread == Spread::whole || (wanted.spread == Spread::automatic && lane != base_lane)) {
      const std::vector<float> left = rooms(lane);
      std::vector<std::uint32_t> split(count, 0);
      split[static_cast<std::size_t>(std::ranges::max_element(left) - left.begin())] = layers;
      set_layers(lane, split);
      if (wanted.spread == Spread::whole || fits(1)) return;
    }
    set_layers(lane, share_layers(layers, rooms(lane)));
    even_out(lane);
  }

  /// Layers differ, the output layer most of all: moves some from where they do not fit to where most is left.
  void even_out(std::size_t lane) {
    constexpr int most_moves = 4;
    for (int move = 0; move < most_moves && !fits(1); ++move) {
      std::vector<std::uint32_t> split = lanes_[lane].split;
      std::vector<double> left;
      for (const std::size_t place : gpus_[lane])
        left.push_back(fillable * static_cast<double>(request_.places[place].available) - static_cast<double>(needed(place)));
      const auto from = static_cast<std::size_t>(std::ranges::min_element(left) - left.begin());
      const auto to = static_cast<std::size_t>(std::ranges::max_element(left) - left.begin());
      if (split[from] == 0 || left[to] <= 0) return;
      const LaneDemand& own = demand(lane);
      const std::size_t place = gpus_[lane][from];
      const double each = static_cast<double>(own.weights[place] + own.context[place]) / split[from];
      const auto wanted = static_cast<std::uint32_t>(std::ceil(-left[from] / std::max(each, 1.0)));
      const std::uint32_t moved = std::clamp(wanted, 1U, split[from]);
      split[from] -= moved;
      split[to] += moved;
      set_layers(lane, split);
    }
  }

  /// What was given stays, as many layers as it says; of the rest as many as fit.
  void place_layers() {
    const auto is_own = [&](std::size_t lane) { return lane != base_lane && !moves_with(base_lane, lane); };
    const auto put_given = [&](std::size_t lane) {
      if (request_.lanes[lane].gpu_layers) put(lane, *request_.lanes[lane].gpu_layers);
    };
    // Over several GPUs it goes around the others.
    const bool yields = gpus_[base_lane].size() > 1 && request_.lanes[base_lane].split.empty() &&
                        request_.lanes[base_lane].spread != MemoryRequest::Lane::Spread::whole;
    if (!yields) put_given(base_lane);
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (is_own(i)) put_given(i);
    }
    // What is called most goes first.
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (is_own(i) && !request_.lanes[i].gpu_layers) choose_layers(i);
    }
    if (request_.lanes[base_lane].gpu_layers) {
      put_given(base_lane);
    } else {
      choose_layers(base_lane);
    }
  }

  void choose_layers(std::size_t lane) {
    // More layers only relieve the host.
    const std::uint32_t chosen = largest(0, request_.lanes[lane].most_gpu_layers, [&](std::uint32_t layers) {
      put(lane, layers);
      return fits(1);
    });
    put(lane, chosen);
  }

  void set_lengths(std::uint32_t length) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (!request_.lanes[i].length) lanes_[i].length = std::min(request_.lanes[i].longest, length);
    }
  }

  void choose_lengths() {
    std::uint32_t longest = 0;
    for (const MemoryRequest::Lane& lane : request_.lanes) {
      if (!lane.length) longest = std::max(longest, lane.longest);
    }
    if (longest == 0) return;
    const std::uint32_t steps = (longest + smallest_context - 1) / smallest_context;
    const std::uint32_t chosen = largest(1, steps, [&](std::uint32_t step) {
      set_lengths(step * smallest_context);
      return fits(0);
    });
    set_lengths(chosen * smallest_context);
  }

  void choose_parallel() {
    if (request_.parallel) return;
    Bytes spare;
    Bytes one;
    for (std::size_t place = 0; place < request_.places.size(); ++place) {
      one.push_back(needed(place));
      spare.push_back(request_.places[place].available - one.back());
    }
    const auto set = [&](std::uint32_t sequences) {
      for (LaneNumbers& lane : lanes_) lane.sequences = sequences;
    };
    set(largest(1, request_.most_parallel, [&](std::uint32_t sequences) {
      set(sequences);
      if (!fits(0)) return false;
      for (std::size_t place = 0; place < spare.size(); ++place) {
        // A few bytes fewer are possible too: buffers are laid out anew.
        const std::uint64_t more = needed(place) - std::min(needed(place), one[place]);
        if (static_cast<double>(more) > spare_for_sequences * static_cast<double>(spare[place])) return false;
      }
      return true;
    }));
  }

  void check() {
    for (std::size_t place = 0; place < request_.places.size(); ++place) {
      const std::uint64_t available = request_.places[place].available;
      if (needed(place) > available) {
        throw Failure(FailureKind::out_of_memory, shortage_message(place), Shortage{needed(place), available});
      }
    }
  }

  std::string shortage_message(std::size_t place) {
    std::vector<std::string> models;
    std::vector<std::string> lengths;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (!shares_weights(i)) models.push_back("\"" + request_.lanes[i].model + "\"");
      lengths.push_back(std::to_string(lanes_[i].length));
    }
    if (std::all_of(lengths.begin(), lengths.end(), [&](const std::string& length) { return length == lengths.front(); }))
      lengths.resize(1);
    std::string message = listed(models, "and") + (models.size() == 1 ? " needs " : " need ") + readable(needed(place)) + " of " +
                          request_.places[place].name + " (weights " + readable(weights(place)) + ", contexts of " +
                          listed(lengths, "and") + " tokens";
    if (lanes_[0].sequences > 1) message += " for " + std::to_string(lanes_[0].sequences) + " sequences";
    message += " " + readable(needed(place) - weights(place)) + "), " + readable(request_.places[place].available) + " are free: ";
    return message + remedy(place);
  }

  std::string remedy(std::size_t place) {
    const auto is_told = [](const MemoryRequest::Lane& lane) {
      return !lane.split.empty() || lane.spread == MemoryRequest::Lane::Spread::whole;
    };
    const bool told = place > 0 && request_.places.size() > 2 && std::ranges::any_of(request_.lanes, is_told);
    if (weights(place) > request_.places[place].available) {
      if (told) return "leave out `tensorSplit`, `mainGpu` and `splitMode`, or set `gpuLayers` to \"auto\"";
      return place == 0 ? "use smaller models or smaller quantisations of them" : "lower `gpuLayers` or set it to \"auto\"";
    }
    std::vector<std::string> ways = {"lower `context`"};
    if (lanes_[0].sequences > 1) ways.emplace_back("lower `parallel`");
    const auto can_shrink = [](const MemoryRequest::Lane& lane) { return lane.cache_can_shrink; };
    if (std::any_of(request_.lanes.begin(), request_.lanes.end(), can_shrink)) ways.emplace_back("set `kvCache` to \"q8_0\"");
    ways.emplace_back(place == 0 ? "use smaller models" : "lower `gpuLayers`");
    return listed(ways, "or");
  }

  const MemoryRequest& request_;
  const MeasureLane& measure_;
  std::vector<LaneNumbers> lanes_;
  /// The places of each lane's GPUs.
  std::vector<std::vector<std::size_t>> gpus_;
  std::map<std::pair<std::size_t, LaneNumbers>, LaneDemand> measured_;
};

}  // namespace

MemoryPlan plan_memory(const MemoryRequest& request, const MeasureLane& measure) { return Planner(request, measure).plan(); }

std::string readable(std::uint64_t bytes) {
  constexpr std::array<std::pair<double, const char*>, 3> units = {{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}}};
  for (const auto& [size, name] : units) {
    if (static_cast<double>(bytes) < size && size > 1e3) continue;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f %s", static_cast<double>(bytes) / size, name);
    return text.data();
  }
  return {};
}

}  // namespace nudging
