#pragma once

#include <cstddef>
#include <functional>

namespace nudging {

/// Runs `work` on a thread of its own whose stack has at least `bytes`, and returns when it is done; what it throws is thrown here. The
/// memory of the stack is taken only as far as it is used. Throws Failure(out_of_memory) if there is no address space for it.
///
/// Only libstdc++ needs it (`std::regex` there recurses once a letter), so elsewhere `work` is simply called.
void on_deep_stack(std::size_t bytes, const std::function<void()>& work);

}  // namespace nudging
