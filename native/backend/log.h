#pragma once

#include <string>

namespace nudging {

/// Sends llama.cpp's log to a buffer of the calling thread instead of stderr; the NUDGING_LOG environment variable, if set,
/// also prints it. Called once per process.
void capture_log();

/// The last error or warning lines that llama.cpp wrote on this thread, joined by "; ", and forgets them. They are the only
/// place where it says why a model could not be loaded.
std::string take_log();

}  // namespace nudging
