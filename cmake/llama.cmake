# llama.cpp as static libraries, and its Jinja engine alone out of its `common` folder.

set(BUILD_SHARED_LIBS OFF)
foreach(part COMMON TESTS TOOLS EXAMPLES SERVER APP)
  set(LLAMA_BUILD_${part} OFF CACHE BOOL "" FORCE)
endforeach()
set(LLAMA_OPENSSL OFF CACHE BOOL "" FORCE)
set(LLAMA_ALL_WARNINGS OFF CACHE BOOL "" FORCE)
set(LLAMA_BUILD_IS_DEV OFF CACHE BOOL "" FORCE)

set(GGML_NATIVE ${NUDGING_NATIVE} CACHE BOOL "" FORCE)
set(GGML_RPC ON CACHE BOOL "" FORCE)
# libibverbs, where it was found, would be a library to ship.
set(GGML_RPC_RDMA OFF CACHE BOOL "" FORCE)
# We attach a persistent thread pool of our own; OpenMP would ignore it, and would be a library to ship.
set(GGML_OPENMP OFF CACHE BOOL "" FORCE)
set(GGML_CCACHE OFF CACHE BOOL "" FORCE)
# A library found by chance on the machine that builds would be missed on the one that runs.
set(GGML_CUDA_NCCL OFF CACHE BOOL "" FORCE)
foreach(variant CUDA VULKAN METAL)
  string(TOLOWER ${variant} name)
  if(name STREQUAL NUDGING_VARIANT)
    set(GGML_${variant} ON CACHE BOOL "" FORCE)
  else()
    set(GGML_${variant} OFF CACHE BOOL "" FORCE)
  endif()
endforeach()
if(NOT NUDGING_VARIANT MATCHES "^(cpu|cuda|vulkan|metal)$")
  message(FATAL_ERROR "NUDGING_VARIANT is cpu, cuda, vulkan or metal, not '${NUDGING_VARIANT}'")
endif()
if(GGML_CUDA)
  include(cmake/cuda.cmake)
endif()

add_subdirectory("${NUDGING_LLAMA_CPP_DIR}" llama.cpp EXCLUDE_FROM_ALL)

# Their headers are not ours to warn about. (`add_subdirectory(… SYSTEM)` says the same, from CMake 3.25 on.)
foreach(target llama ggml ggml-base)
  get_target_property(directories ${target} INTERFACE_INCLUDE_DIRECTORIES)
  if(directories)
    set_property(TARGET ${target} APPEND PROPERTY INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${directories})
  endif()
endforeach()

# Its headers say "json.h" and "string.h": only `common` may be on the include path, never `common/jinja`.
file(GLOB jinja_sources CONFIGURE_DEPENDS "${NUDGING_LLAMA_CPP_DIR}/common/jinja/*.cpp")
add_library(nudging-jinja STATIC EXCLUDE_FROM_ALL
  ${jinja_sources}
  "${NUDGING_LLAMA_CPP_DIR}/common/json.cpp"
  "${NUDGING_LLAMA_CPP_DIR}/common/unicode.cpp")
target_compile_features(nudging-jinja PUBLIC cxx_std_17)
target_include_directories(nudging-jinja SYSTEM PUBLIC
  "${NUDGING_LLAMA_CPP_DIR}/common" "${NUDGING_LLAMA_CPP_DIR}/vendor")
target_link_libraries(nudging-jinja PUBLIC ggml)
if(MSVC)
  target_compile_options(nudging-jinja PRIVATE /w /utf-8 /bigobj)
else()
  target_compile_options(nudging-jinja PRIVATE -w)
endif()
