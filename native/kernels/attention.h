#pragma once

namespace nudging {

/// Makes the attention of deterministic contexts (`llama_context_params::batch_invariant`) ours, for the whole process. Idempotent.
void install_attention();

}  // namespace nudging
