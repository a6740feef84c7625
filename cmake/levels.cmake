# Levels of CPU. A published binary exists once for each level of its architecture, and before loading one `levels.node` says which of them
# this CPU can run (native/addon/levels). Their instruction sets have ggml's names.

set(NUDGING_LEVELS_x86 v2 v3 icelake sapphirerapids)
set(NUDGING_LEVEL_v2 SSE42)
set(NUDGING_LEVEL_v3 ${NUDGING_LEVEL_v2} AVX F16C FMA AVX2 BMI2)
set(NUDGING_LEVEL_icelake ${NUDGING_LEVEL_v3} AVX512 AVX512_VBMI AVX512_VNNI)
set(NUDGING_LEVEL_sapphirerapids ${NUDGING_LEVEL_icelake} AVX512_BF16 AMX_TILE AMX_INT8)

set(NUDGING_LEVELS_arm dotprod i8mm)
set(NUDGING_LEVEL_dotprod DOTPROD)
set(NUDGING_LEVEL_i8mm ${NUDGING_LEVEL_dotprod} FP16_VECTOR_ARITHMETIC MATMUL_INT8)
# As compilers spell them; both without SVE, whose vectors are of no one length.
set(NUDGING_ARM_ARCH_dotprod armv8.2-a+dotprod)
set(NUDGING_ARM_ARCH_i8mm armv8.6-a+dotprod+fp16+i8mm+nosve)

set(NUDGING_LEVEL "" CACHE STRING "A level of CPU that the binary is for, instead of NUDGING_NATIVE's choice")

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  set(levels_arch arm)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(levels_arch x86)
else()
  set(levels_arch none)
endif()

if(NUDGING_LEVEL)
  if(NOT NUDGING_LEVEL IN_LIST NUDGING_LEVELS_${levels_arch})
    message(FATAL_ERROR "NUDGING_LEVEL is one of ${NUDGING_LEVELS_${levels_arch}} here, not '${NUDGING_LEVEL}'")
  endif()
  set(NUDGING_NATIVE OFF CACHE BOOL "" FORCE)
  if(levels_arch STREQUAL "arm")
    set(GGML_CPU_ARM_ARCH ${NUDGING_ARM_ARCH_${NUDGING_LEVEL}} CACHE STRING "" FORCE)
  else()
    # All of them, because ggml switches some on by itself where it is not for this machine's CPU.
    foreach(set IN ITEMS SSE42 AVX F16C FMA AVX2 BMI2 AVX_VNNI AVX512 AVX512_VBMI AVX512_VNNI AVX512_BF16 AMX_TILE AMX_INT8 AMX_BF16)
      if(set IN_LIST NUDGING_LEVEL_${NUDGING_LEVEL})
        set(GGML_${set} ON CACHE BOOL "" FORCE)
      else()
        set(GGML_${set} OFF CACHE BOOL "" FORCE)
      endif()
    endforeach()
  endif()
endif()
