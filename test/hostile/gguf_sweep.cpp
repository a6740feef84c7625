#include "gguf_sweep.h"

#include <cstring>
#include <limits>
#include <set>

namespace {

constexpr std::uint32_t u32 = 4;
constexpr std::uint32_t f32 = 6;
constexpr std::uint32_t flag = 7;

template <typename T>
T number_in(const std::string& bytes) {
  T number{};
  std::memcpy(&number, bytes.data(), std::min(sizeof number, bytes.size()));
  return number;
}

std::vector<std::string> awkward(const GgufFile::Value& value) {
  std::vector<std::string> all;
  if (value.type == u32) {
    const auto now = number_in<std::uint32_t>(value.elements.front());
    for (const std::uint32_t other :
         std::set<std::uint32_t>{0, 1, 3, now / 2, now + 1, 2 * now, 4 * now, std::numeric_limits<std::uint32_t>::max()}) {
      if (other != now) all.push_back(bytes_of(other));
    }
  } else if (value.type == f32) {
    for (const float other : {0.0F, -1.0F, 1e30F}) all.push_back(bytes_of(other));
  } else if (value.type == flag) {
    all.emplace_back(1, value.elements.front()[0] == 0 ? '\1' : '\0');
  }
  return all;
}

}  // namespace

std::vector<Change> every_change(const GgufFile& sound) {
  std::vector<Change> changes;
  const GgufFile::Value* architecture = sound.find("general.architecture");
  const std::string prefix = architecture == nullptr ? "" : architecture->elements.front() + ".";
  for (std::size_t at = 0; at < sound.values.size(); ++at) {
    const GgufFile::Value& value = sound.values[at];
    if (!value.key.starts_with(prefix)) continue;
    changes.push_back(
        {"without " + value.key, [at](GgufFile& file) { file.values.erase(file.values.begin() + static_cast<std::ptrdiff_t>(at)); }});
    for (const std::string& other : awkward(value)) {
      const std::string shown =
          value.type == f32 ? std::to_string(number_in<float>(other)) : std::to_string(number_in<std::uint32_t>(other));
      changes.push_back({value.key + " = " + shown, [at, other](GgufFile& file) { file.values[at].elements = {other}; }});
    }
  }
  for (std::size_t at = 0; at < sound.tensors.size(); ++at) {
    changes.push_back({"without " + sound.tensors[at].name,
                       [at](GgufFile& file) { file.tensors.erase(file.tensors.begin() + static_cast<std::ptrdiff_t>(at)); }});
  }
  return changes;
}
