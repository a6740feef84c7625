#pragma once

namespace nudging {

/** How wide the registers are that the operating system saves and restores; without that their instructions are illegal. */
struct SavedRegisters {
  bool avx = true;
  bool avx512 = true;
  bool amx = true;
};

/** Asks the CPU (XCR0, Intel SDM vol. 1, 13.3) on x86; everywhere else all is saved. */
SavedRegisters saved_registers();

}  // namespace nudging
