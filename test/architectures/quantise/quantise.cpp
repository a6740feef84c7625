// Writes a copy of a GGUF model with weights of another type, as llama.cpp quantises them.

#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>

#include "../../tools/command_line.h"
#include "llama.h"

namespace {

constexpr const char* usage = "usage: quantise --model FILE --out FILE --type q4_0|q8_0|q4_k|q6_k|iq4_nl|f16|bf16 [--threads 1]\n";

llama_ftype type_of(const std::string& name) {
  static const std::map<std::string, llama_ftype, std::less<>> types = {
      {"q4_0", LLAMA_FTYPE_MOSTLY_Q4_0}, {"q8_0", LLAMA_FTYPE_MOSTLY_Q8_0}, {"q4_k", LLAMA_FTYPE_MOSTLY_Q4_K_M},
      {"q6_k", LLAMA_FTYPE_MOSTLY_Q6_K}, {"f16", LLAMA_FTYPE_MOSTLY_F16},   {"iq4_nl", LLAMA_FTYPE_MOSTLY_IQ4_NL},
      {"bf16", LLAMA_FTYPE_MOSTLY_BF16}};
  const auto found = types.find(name);
  if (found == types.end()) throw std::invalid_argument(usage);
  return found->second;
}

void quantise(const CommandLine& options) {
  llama_model_quantize_params parameters = llama_model_quantize_default_params();
  parameters.nthread = static_cast<std::int32_t>(options.number("threads"));
  parameters.ftype = type_of(options.text("type"));
  const std::uint32_t status = llama_model_quantize(options.text("model").c_str(), options.text("out").c_str(), &parameters);
  if (status != 0) throw std::runtime_error("llama.cpp does not quantise this model");
}

}  // namespace

int main(int count, char** words) {
  try {
    quantise({count, words, usage, {{"threads", "1"}}, {"model", "out", "type"}});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
