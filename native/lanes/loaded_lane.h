#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lanes/company.h"
#include "lanes/costs.h"
#include "models/model.h"
#include "lanes/pass.h"
#include "nudge/record.h"

namespace nudging {

/// One model of the engine as the scheduler sees it: what its sequences can hold, what its passes cost, and what is to become of their
/// memory before the next one. Who decodes is the affair of its Decoder. The scheduler's thread owns it; what does not change may be read
/// by any.
class LoadedLane {
 public:
  struct Traits {
    /// Tokens that a sequence can hold, prompt and output together.
    std::size_t length = 0;
    /// Most tokens of one pass.
    std::size_t batch = 512;
    /// False for recurrent memories, which hold no past to go back to.
    bool can_cut = true;
    /// Whether sequences can have tokens in common.
    bool can_share = true;
    /// Sequences beside each one, for contexts that branch off from it (branches.h). Their numbers follow those of `sequences`.
    std::size_t branches = 0;
    std::size_t sequences = 1;
    /// Whether it decodes while other lanes do.
    bool apart = false;
    /// Whether the model is on another machine: each sequence has passes of its own, in which whole contexts stand.
    bool remote = false;
    /// How far other company moves what it says.
    Tolerance tolerance = {};
    /// How its passes are filled up.
    Padding padding = {};
    /// The same for lanes that have one vocabulary (one_vocabulary.h).
    std::size_t vocabulary_kind = 0;
  };

  LoadedLane(std::string name, std::shared_ptr<const Model> model, const Traits& traits)
      : name_(std::move(name)), model_(std::move(model)), traits_(traits) {
    costs_.set_padding(traits.padding);
  }

  /// For messages.
  const std::string& name() const { return name_; }
  const Model& model() const { return *model_; }
  const Vocabulary& vocabulary() const { return model_->vocabulary(); }
  std::size_t length() const { return traits_.length; }
  std::size_t batch() const { return traits_.batch; }
  bool can_cut() const { return traits_.can_cut; }
  bool can_share() const { return traits_.can_share; }
  std::size_t branches() const { return traits_.branches; }
  llama_seq_id branch(llama_seq_id sequence, std::size_t which) const {
    return static_cast<llama_seq_id>(traits_.sequences + static_cast<std::size_t>(sequence) * traits_.branches + which);
  }
  bool apart() const { return traits_.apart; }
  bool remote() const { return traits_.remote; }
  Tolerance tolerance() const { return traits_.tolerance; }
  std::size_t vocabulary_kind() const { return traits_.vocabulary_kind; }

  /// What passes cost, as measured so far.
  Costs& costs() { return costs_; }
  const Costs& costs() const { return costs_; }
  /// The same beside other lanes.
  Company& company() { return company_; }
  /// The questions of the last pass that had any.
  Batch last_batch() const { return last_batch_; }
  void remember_batch(Batch batch) { last_batch_ = batch; }

  /// Before the next pass, in the order of the calls.
  void edit(MemoryEdit edit) { edits_.push_back(edit); }
  std::vector<MemoryEdit> take_edits() { return std::exchange(edits_, {}); }

 private:
  std::string name_;
  std::shared_ptr<const Model> model_;
  Traits traits_;
  Costs costs_;
  Company company_;
  Batch last_batch_;
  std::vector<MemoryEdit> edits_;
};

}  // namespace nudging
