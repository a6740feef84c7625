# Compiler launcher, sanitizers, and the warnings that our own code has to pass.

find_program(NUDGING_CCACHE ccache)
if(NUDGING_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${NUDGING_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${NUDGING_CCACHE}")
endif()

if(NUDGING_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(NUDGING_SANITIZE STREQUAL "thread")
  # llama.cpp too: locks and atomics that are not instrumented would look like races in our code.
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(NOT NUDGING_SANITIZE STREQUAL "none")
  message(FATAL_ERROR "NUDGING_SANITIZE is none, address or thread, not '${NUDGING_SANITIZE}'")
endif()

function(nudging_own_code target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  if(MSVC)
    target_compile_options(${target} PRIVATE /W4 /utf-8 /permissive-)
  else()
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow)
  endif()
  if(NOT NUDGING_SANITIZE STREQUAL "none")
    target_compile_options(${target} PRIVATE -g -UNDEBUG)
  endif()
  if(NUDGING_SANITIZE STREQUAL "address")
    # Undefined behaviour in our code only: ggml does pointer arithmetic that is reported and not ours to mend.
    target_compile_options(${target} PRIVATE -fsanitize=undefined -fno-sanitize-recover=undefined)
  endif()
endfunction()
