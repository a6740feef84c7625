#pragma once

#include <vector>

#include "bytes/byte_law.h"
#include "bytes/byte_mixture.h"
#include "choice/context_keys.h"
#include "nudge/answer.h"
#include "nudge/record.h"
#include "nudge/task.h"

namespace nudging {

/// Plain decoding by several models, byte by byte (R45 to R48): each symbol is chosen as soon as it is certain which one it is, and goes
/// behind the text of each. Ends at the end symbol. `prompt`: tokens that the noise of sampling depends on besides the answer's bytes.
/// `budget`: tokens of the first model's spelling. Laws, chooser, answer and record must outlive the task.
Task<StopReason> decode_bytes(std::vector<ByteLaw*> laws, const SymbolChooser& chooser, std::vector<Token> prompt, std::size_t budget,
                              Answer& answer, Record& record);

}  // namespace nudging
