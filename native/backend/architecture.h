#pragma once

#include <string>

#include "llama.h"

namespace nudging {

/// llama.cpp's name of what a model is, such as "llama".
std::string architecture_of(const llama_model* model);

}  // namespace nudging
