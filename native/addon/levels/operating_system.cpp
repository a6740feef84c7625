#include "operating_system.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <cstdint>
#ifdef _MSC_VER
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace nudging {

#if defined(__x86_64__) || defined(_M_X64)
namespace {

bool may_ask() {
  constexpr std::uint32_t osxsave = 1u << 27;
#ifdef _MSC_VER
  int registers[4] = {};
  __cpuid(registers, 1);
  return (static_cast<std::uint32_t>(registers[2]) & osxsave) != 0;
#else
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & osxsave) != 0;
#endif
}

std::uint64_t xcr0() {
#ifdef _MSC_VER
  return _xgetbv(0);
#else
  // The intrinsic needs a compiler flag for the whole file.
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
#endif
}

}  // namespace

SavedRegisters saved_registers() {
  const std::uint64_t saved = may_ask() ? xcr0() : 0;
  const auto all = [saved](std::uint64_t bits) { return (saved & bits) == bits; };
  constexpr std::uint64_t sse_and_avx = 0x6;
  constexpr std::uint64_t avx512_parts = 0xe0;
  constexpr std::uint64_t tiles = 0x60000;
  const bool avx = all(sse_and_avx);
  return {.avx = avx, .avx512 = avx && all(avx512_parts), .amx = all(tiles)};
}
#else
SavedRegisters saved_registers() { return {}; }
#endif

}  // namespace nudging
