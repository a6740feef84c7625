#pragma once

#include <compare>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backend/cpu_buffers.h"
#include "models/file_identity.h"
#include "models/model.h"

namespace nudging {

/// The models that are loaded in this process, so that whoever loads the same file with the same layers on the same GPUs and the same extra
/// CPU buffers, mapped or not, shares its weights. It keeps no model alive. A model in several files is known by the one that is named.
/// Thread-safe: every engine loads on its own thread.
class ModelRegistry {
 public:
  /// The process's.
  static ModelRegistry& instance();

  /// Loads a model, or shares the one that is loaded. If another thread is loading it, waits, reporting that one's progress; should that
  /// one fail or give up, loads it itself. Throws as Model's constructor does; `progress` ends the waiting too.
  std::shared_ptr<const Model> load(const Model::Options& options, const Model::Progress& progress);

  /// Whether the weights are there already.
  bool holds(const Model::Options& options) const;

  /// Whether a thread is loading it.
  bool is_loading(const Model::Options& options) const;

  /// How the file is loaded, mapped or not, if it is; nothing of its extra CPU buffers.
  struct Loaded {
    std::uint32_t gpu_layers;
    std::optional<Placement> placement;
  };
  std::vector<Loaded> all_of(const std::string& path, bool mapped = true) const;

 private:
  struct Key {
    FileIdentity file;
    std::uint32_t gpu_layers;
    /// What decides in which order the weights lie, and by which kernels they are multiplied.
    CpuBuffers cpu_buffers;
    bool mapped;
    std::optional<Placement> placement;
    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    std::weak_ptr<const Model> model;
    /// A thread is loading it.
    bool loading = false;
    float fraction = 0;
  };

  static Key key_of(const Model::Options& options);
  std::shared_ptr<const Model> load_as(const Key& key, const Model::Options& options, const Model::Progress& progress);
  void forget_expired();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, Entry> entries_;  // guarded by mutex_
};

}  // namespace nudging
