#include "lanes/team.h"

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "backend/log.h"
#include "check.h"
#include "lanes/model_context.h"

using namespace nudging;

TEST("team: every row is done once, whoever does it, time and again") {
  for (const std::size_t members : {1U, 2U, 5U}) {
    Team team(members);
    CHECK_EQUAL(team.members(), members);
    for (std::size_t rows = 0; rows < 200; ++rows) {
      std::vector<int> done(rows, 0);
      std::vector<std::atomic<int>> inside(members);
      team.share(rows, [&](std::size_t row, std::size_t member) {
        // A member does one row at a time: what it keeps for itself is safe.
        CHECK_EQUAL(inside[member]++, 0);
        ++done[row];
        --inside[member];
      });
      CHECK(done == std::vector<int>(rows, 1));
    }
  }
}

TEST("team: whoever shares waits for the slowest row") {
  Team team(2);
  for (int turn = 0; turn < 5; ++turn) {
    std::atomic<int> begun = 0;
    std::atomic<int> done = 0;
    team.share(2, [&](std::size_t, std::size_t member) {
      // Each has one of them, and whoever shares is the first to be through.
      for (++begun; begun < 2;) std::this_thread::yield();
      if (member != 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      ++done;
    });
    CHECK_EQUAL(done.load(), 2);
  }
}

TEST("team: what a row throws is thrown to whoever asked, and the team goes on") {
  Team team(3);
  for (int turn = 0; turn < 20; ++turn) {
    std::string said;
    try {
      team.share(50, [](std::size_t row, std::size_t) {
        if (row == 17) throw std::runtime_error("row 17");
      });
    } catch (const std::runtime_error& error) {
      said = error.what();
    }
    CHECK_EQUAL(said, "row 17");
    std::atomic<int> done = 0;
    team.share(50, [&](std::size_t, std::size_t) { ++done; });
    CHECK_EQUAL(done.load(), 50);
  }
}

TEST("team: a context reads the same with several readers") {
  capture_log();
  const std::string path = std::string(NUDGING_DEMO_MODELS) + "/base.gguf";
  const auto model = std::make_shared<const Model>(Model::Options{path}, [](float) { return true; });
  const std::atomic<bool> never = false;
  const std::vector<Token> tokens = model->vocabulary().tokenize("Question: What is a harbor?\nAnswer:\nA harbor is a sheltered place");
  std::vector<std::vector<float>> answers;
  for (const std::size_t readers : {1U, 4U}) {
    ModelContext context(model, {.length = 64, .readers = readers, .deterministic = true}, nullptr, never);
    Pass pass;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      pass.tokens.push_back({tokens[i], i, 0, i % 2 == 0 ? Wanted::top1 : Wanted::distribution});
      pass.readings.emplace_back();
    }
    const PassResult result = context.decode(pass);
    CHECK(!result.failure);
    CHECK_EQUAL(result.said.size(), tokens.size());
    std::vector<float>& answer = answers.emplace_back();
    for (std::size_t i = 0; i < result.said.size(); ++i) {
      const PassResult::Said& said = result.said[i];
      answer.push_back(static_cast<float>(said.top1.token));
      answer.push_back(said.top1.probability);
      CHECK_EQUAL(said.logits.size(), i % 2 == 0 ? 0U : model->vocabulary().size());
      answer.insert(answer.end(), said.logits.begin(), said.logits.end());
    }
  }
  CHECK(answers[0] == answers[1]);
}
