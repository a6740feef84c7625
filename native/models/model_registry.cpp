#include "models/model_registry.h"

#include <chrono>
#include <string>

#include "basics/failure.h"

namespace nudging {

namespace {

/// How often a thread that waits for another's loading looks whether it is still wanted.
constexpr std::chrono::milliseconds patience(20);

}  // namespace

ModelRegistry& ModelRegistry::instance() {
  static ModelRegistry registry;
  return registry;
}

ModelRegistry::Key ModelRegistry::key_of(const Model::Options& options) {
  const CpuBuffers& buffers = options.cpu_buffers ? *options.cpu_buffers : all_cpu_buffers();
  return {FileIdentity::of(options.path), options.gpu_layers, buffers, options.mapped, options.placement};
}

std::shared_ptr<const Model> ModelRegistry::load(const Model::Options& options, const Model::Progress& progress) {
  const Key key = key_of(options);
  while (true) {
    float fraction = 1;
    {
      std::unique_lock lock(mutex_);
      forget_expired();
      Entry& entry = entries_[key];
      std::shared_ptr<const Model> loaded = entry.model.lock();
      if (!loaded && !entry.loading) {
        entry.loading = true;
        entry.fraction = 0;
        lock.unlock();
        return load_as(key, options, progress);
      }
      if (loaded) {
        lock.unlock();
        // Shared or not, whoever waits hears that it is complete.
        progress(1);
        return loaded;
      }
      changed_.wait_for(lock, patience);
      // The map may have changed meanwhile.
      const auto still = entries_.find(key);
      fraction = still == entries_.end() ? 0 : still->second.fraction;
    }
    // Not under the lock: the callback may take its time. The last step is reported when the model is there.
    if (fraction < 1 && !progress(fraction)) throw Failure(FailureKind::load_aborted, "loading \"" + options.path + "\" was aborted");
  }
}

std::shared_ptr<const Model> ModelRegistry::load_as(const Key& key, const Model::Options& options, const Model::Progress& progress) {
  std::shared_ptr<const Model> model;
  try {
    model = std::make_shared<const Model>(options, [&](float fraction) {
      {
        const std::scoped_lock lock(mutex_);
        entries_[key].fraction = fraction;
      }
      return progress(fraction);
    });
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    entries_.erase(key);
    changed_.notify_all();
    throw;
  }
  const bool unchanged = FileIdentity::of(options.path) == key.file;
  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_[key];
  entry.loading = false;
  // A file that was replaced while it was read is nobody else's.
  if (unchanged) entry.model = model;
  changed_.notify_all();
  return model;
}

bool ModelRegistry::holds(const Model::Options& options) const {
  const Key key = key_of(options);
  const std::scoped_lock lock(mutex_);
  const auto entry = entries_.find(key);
  return entry != entries_.end() && !entry->second.model.expired();
}

bool ModelRegistry::is_loading(const Model::Options& options) const {
  const Key key = key_of(options);
  const std::scoped_lock lock(mutex_);
  const auto entry = entries_.find(key);
  return entry != entries_.end() && entry->second.loading;
}

std::vector<ModelRegistry::Loaded> ModelRegistry::all_of(const std::string& path, bool mapped) const {
  const FileIdentity identity = FileIdentity::of(path);
  std::vector<Loaded> all;
  const std::scoped_lock lock(mutex_);
  for (const auto& [key, entry] : entries_) {
    if (key.file == identity && key.mapped == mapped && !entry.model.expired()) all.push_back({key.gpu_layers, key.placement});
  }
  return all;
}

void ModelRegistry::forget_expired() {
  std::erase_if(entries_, [](const auto& item) { return !item.second.loading && item.second.model.expired(); });
}

}  // namespace nudging
