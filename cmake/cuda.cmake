# What a CUDA build needs beside the toolkit: nothing of the driver, neither to build nor to load.

if(NUDGING_CCACHE AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
  set(CMAKE_CUDA_COMPILER_LAUNCHER "${NUDGING_CCACHE}")
endif()

# ggml links the driver's library for virtual memory, and an addon that needs it could not even be loaded without a driver. This one opens
# it when it is first asked. It has to be there before CUDAToolkit is looked for, which leaves targets alone that exist.
add_library(nudging_cuda_driver STATIC "${CMAKE_CURRENT_SOURCE_DIR}/native/backend/cuda/driver.cpp")
add_library(CUDA::cuda_driver ALIAS nudging_cuda_driver)
# In the same way the runtime becomes part of the addon, and is no library to be found; cuBLAS, of hundreds of megabytes, stays one.
add_library(nudging_cuda_runtime INTERFACE)
add_library(CUDA::cudart ALIAS nudging_cuda_runtime)
find_package(CUDAToolkit REQUIRED)
target_link_libraries(nudging_cuda_runtime INTERFACE CUDA::cudart_static)
target_include_directories(nudging_cuda_driver SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
target_link_libraries(nudging_cuda_driver PRIVATE ${CMAKE_DL_LIBS})
# Not nudging_own_code: C++20 would be asked of ggml's CUDA sources, too, which link this.
target_compile_features(nudging_cuda_driver PRIVATE cxx_std_17)
if(NOT MSVC)
  target_compile_options(nudging_cuda_driver PRIVATE -Wall -Wextra -Wpedantic -Wshadow)
endif()

option(NUDGING_PUBLISHED "The addon looks for cuBLAS where toolkits are installed, and not where this machine has it" OFF)
if(NUDGING_PUBLISHED)
  set(CMAKE_SKIP_BUILD_RPATH ON)
  add_link_options("LINKER:-rpath,/usr/local/cuda/lib64")
endif()
