#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "templates/chat_template.h"

namespace nudging {

/// What a file says of the model in it, as the engine will understand it. Nothing of the weights is read.
struct ModelFacts {
  /// Short description from llama.cpp, such as "llama 8B Q4_0".
  std::string description;
  std::uint32_t trained_context = 0;
  struct Named {
    Token token;
    std::string text;
  };
  /// Put in front of every prompt.
  std::optional<Named> leading;
  /// Each ends a generation.
  std::vector<Named> ends;
  /// Its memory is a state and no cache, for all layers or some: it cannot be cut back.
  bool recurrent = false;
  /// The chat, as the chat template makes a prompt of it; empty if it has none or that failed.
  std::vector<Segment> rendered;
  /// Why the template could not be used; empty otherwise.
  std::string template_failure;
};

/// Reads what a file says, and renders a chat with its template. Takes as long as reading its vocabulary does. May be called on any thread.
/// Throws Failure: model_unreadable, model_invalid, model_unsupported.
ModelFacts facts_of(const std::string& path, const std::vector<Message>& chat);

}  // namespace nudging
