#include "models/model_registry.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "backend/log.h"
#include "basics/failure.h"
#include "check.h"

using namespace nudging;

namespace {

const std::string demo = NUDGING_DEMO_MODELS;
const std::string base = demo + "/base.gguf";

bool any(float) { return true; }

/// A place for changed copies of a model.
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("nudging-registry-" + std::to_string(std::random_device()()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

}  // namespace

TEST("registry: a file is loaded once while somebody has it, by whatever path") {
  capture_log();
  const Folder folder;
  const std::filesystem::path link = folder.path / "link.gguf";
  std::filesystem::create_symlink(base, link);
  ModelRegistry registry;
  CHECK(!registry.holds({base, 0}));
  std::shared_ptr<const Model> first = registry.load({base, 0}, any);
  CHECK(registry.holds({base, 0}));
  CHECK(registry.load({base, 0}, any) == first);
  CHECK(registry.load({link.string(), 0}, any) == first);
  CHECK(registry.load({demo + "/../demo/base.gguf", 0}, any) == first);
  CHECK(registry.load({demo + "/aligned.gguf", 0}, any) != first);
  CHECK_EQUAL(registry.all_of(link.string()).at(0).gpu_layers, 0U);
  first.reset();
  CHECK(!registry.holds({base, 0}));
  CHECK(registry.all_of(base).empty());
}

TEST("registry: other layers on the GPU are another model, and so is a file that was changed") {
  const Folder folder;
  const std::string copy = (folder.path / "copy.gguf").string();
  std::filesystem::copy_file(base, copy);
  ModelRegistry registry;
  const std::shared_ptr<const Model> first = registry.load({copy, 0}, any);
  CHECK(registry.load({copy, 1}, any) != first);
  // Replaced, as a download would do it: the old file lives on while it is mapped.
  std::filesystem::copy_file(base, folder.path / "new.gguf");
  std::filesystem::rename(folder.path / "new.gguf", copy);
  CHECK(registry.load({copy, 0}, any) != first);
}

TEST("registry: other extra CPU buffers are another model, and all of them are what is not chosen") {
  ModelRegistry registry;
  const std::shared_ptr<const Model> all = registry.load({base, 0}, any);
  CHECK(registry.load({base, 0, Model::Weights::all, all_cpu_buffers()}, any) == all);
  if (all_cpu_buffers().empty()) return;
  CHECK(!registry.holds({base, 0, Model::Weights::all, CpuBuffers{}}));
  CHECK(registry.load({base, 0, Model::Weights::all, CpuBuffers{}}, any) != all);
}

TEST("registry: who comes while it is loading waits, hears how far it is, and shares") {
  ModelRegistry registry;
  std::atomic<bool> waits = false;
  std::shared_ptr<const Model> first;
  std::thread loader([&] {
    first = registry.load({base, 0}, [&](float fraction) {
      // Held at its first step until the other one has heard of it.
      while (fraction < 0.5F && !waits) std::this_thread::yield();
      return true;
    });
  });
  while (!registry.is_loading({base, 0})) std::this_thread::yield();
  std::vector<float> heard;
  const std::shared_ptr<const Model> second = registry.load({base, 0}, [&](float fraction) {
    heard.push_back(fraction);
    return waits = true;
  });
  loader.join();
  CHECK(first && first == second);
  CHECK(heard.size() >= 2);
  CHECK_EQUAL(heard.back(), 1.0F);
}

TEST("registry: if the one that loads gives up, the one that waits loads it itself") {
  ModelRegistry registry;
  std::atomic<bool> waits = false;
  bool gave_up = false;
  std::thread loader([&] {
    try {
      registry.load({base, 0}, [&](float) {
        while (!waits) std::this_thread::yield();
        return false;
      });
    } catch (const Failure& failure) {
      gave_up = failure.kind() == FailureKind::load_aborted;
    }
  });
  while (!registry.is_loading({base, 0})) std::this_thread::yield();
  const std::shared_ptr<const Model> second = registry.load({base, 0}, [&](float) { return waits = true; });
  loader.join();
  CHECK(gave_up);
  CHECK(second != nullptr);
  CHECK(registry.holds({base, 0}));
}

TEST("registry: waiting can be given up, and a failure is nobody else's") {
  ModelRegistry registry;
  std::atomic<bool> left = false;
  std::shared_ptr<const Model> first;
  std::thread loader([&] {
    first = registry.load({base, 0}, [&](float) {
      while (!left) std::this_thread::yield();
      return true;
    });
  });
  while (!registry.is_loading({base, 0})) std::this_thread::yield();
  bool aborted = false;
  try {
    registry.load({base, 0}, [](float) { return false; });
  } catch (const Failure& failure) {
    aborted = failure.kind() == FailureKind::load_aborted;
  }
  left = true;
  loader.join();
  CHECK(aborted);
  CHECK(first != nullptr);

  const Folder folder;
  const std::string broken = (folder.path / "broken.gguf").string();
  std::ofstream(broken) << "GGUF";
  for (int i = 0; i < 2; ++i) {
    bool failed = false;
    try {
      registry.load({broken, 0}, any);
    } catch (const Failure& failure) {
      failed = failure.kind() == FailureKind::model_invalid;
    }
    CHECK(failed);
    CHECK(!registry.is_loading({broken, 0}));
  }
}

TEST("registry: one model's chat template is made once, whoever asks first") {
  ModelRegistry registry;
  const std::shared_ptr<const Model> model = registry.load({demo + "/aligned.gguf", 0}, any);
  std::vector<const ChatTemplate*> seen(4);
  {
    std::vector<std::jthread> threads;
    for (const ChatTemplate*& each : seen) threads.emplace_back([&each, &model] { each = model->chat_template(); });
  }
  CHECK(seen[0] != nullptr);
  for (const ChatTemplate* each : seen) CHECK(each == seen[0]);
}

TEST("registry: weights that are not mapped are another model than those that are") {
  ModelRegistry registry;
  const std::shared_ptr<const Model> mapped = registry.load({base, 0}, any);
  const Model::Options copied{base, 0, Model::Weights::all, std::nullopt, false};
  CHECK(!registry.holds(copied));
  CHECK(registry.all_of(base, false).empty());
  CHECK(registry.load(copied, any) != mapped);
}
