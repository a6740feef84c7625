# Our layers. What each may include is what it is given in rooms.cmake: `nudge` cannot reach llama.h or Node-API by accident.

set(NUDGING_SOURCE_DIR "${CMAKE_CURRENT_SOURCE_DIR}/native" CACHE PATH "Our native source; the mutation tests build changed copies")
set(native "${NUDGING_SOURCE_DIR}")
find_package(Threads REQUIRED)

include(cmake/rooms.cmake)

# What reads a whole vocabulary's logits for every token is compiled for the same instructions as ggml's kernels.
get_target_property(kernel_options ggml-cpu COMPILE_OPTIONS)
if(kernel_options AND (NUDGING_NATIVE OR NUDGING_LEVEL))
  # Files, unlike targets, cannot have options of several words, and those are about other things.
  set(instructions ${kernel_options})
  list(FILTER instructions INCLUDE REGEX "^[-/](m|arch)")
  set_property(
    SOURCE "${native}/choice/top1.cpp" "${native}/choice/gumbel.cpp" "${native}/choice/measures.cpp" "${native}/choice/mixture.cpp"
    APPEND PROPERTY COMPILE_OPTIONS ${instructions})
endif()

if(NOT MSVC)
  # Nobody reads floating-point traps. Without them GCC turns these loops into vector instructions, four times as fast, to the same bits.
  set_property(
    SOURCE "${native}/choice/mixture.cpp" "${native}/choice/token_rules.cpp"
    APPEND PROPERTY COMPILE_OPTIONS -fno-trapping-math)
endif()

# What runs inside ggml's threads, compiled for the same instructions as ggml's own kernels, and with their private headers.
if(kernel_options)
  target_compile_options(nudging_kernels PRIVATE ${kernel_options})
endif()
if(NOT MSVC)
  target_compile_options(nudging_kernels PRIVATE -ffp-contract=off)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 warns about its own AVX-512 header.
    target_compile_options(nudging_kernels PRIVATE -Wno-uninitialized -Wno-maybe-uninitialized)
  endif()
endif()
get_target_property(kernel_definitions ggml-cpu COMPILE_DEFINITIONS)
if(kernel_definitions)
  target_compile_definitions(nudging_kernels PRIVATE ${kernel_definitions})
endif()
target_include_directories(nudging_kernels SYSTEM PRIVATE
  "${NUDGING_LLAMA_CPP_DIR}/ggml/src" "${NUDGING_LLAMA_CPP_DIR}/ggml/src/ggml-cpu")

file(GLOB addon_sources CONFIGURE_DEPENDS "${native}/addon/*.cpp")
if(addon_sources AND CMAKE_JS_INC)
  include(cmake/addon.cmake)
endif()

file(GLOB test_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/test/native/*.cpp")
if(NUDGING_TESTS AND test_sources)
  include(cmake/tests.cmake)
endif()
