// What ggml calls of the CUDA driver, forwarded to it when it is there. Linked in place of libcuda, so that an addon with CUDA in it loads
// on machines without an NVIDIA driver, too; every call says so there, CUDA's own library finds no device, and models run on the CPU.

#include <cuda.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace {

#ifdef _WIN32
void* find(const char* name) {
  static const HMODULE driver = LoadLibraryExA("nvcuda.dll", nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32);
  return driver == nullptr ? nullptr : reinterpret_cast<void*>(GetProcAddress(driver, name));
}
#else
void* find(const char* name) {
  // The name that the driver installs; `libcuda.so` is for linking, and comes with the toolkit or a development package. Never closed:
  // CUDA's own library uses it, too.
  static void* const driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  return driver == nullptr ? nullptr : dlsym(driver, name);
}
#endif

template <typename... Arguments>
CUresult call(CUresult (*function)(Arguments...), Arguments... arguments) {
  return function == nullptr ? CUDA_ERROR_STUB_LIBRARY : function(arguments...);
}

}  // namespace

#define TEXT_OF(name) #name
// cuda.h defines some names as others, with a version at their end: those are what the driver exports, and what is expanded here.
#define SYMBOL(name) TEXT_OF(name)
#define FORWARD(name, parameters, ...)                                                  \
  extern "C" CUresult CUDAAPI name parameters {                                         \
    static const auto function = reinterpret_cast<decltype(&name)>(find(SYMBOL(name))); \
    return call(function, __VA_ARGS__);                                                 \
  }

FORWARD(cuDeviceGet, (CUdevice * device, int ordinal), device, ordinal)
FORWARD(cuDeviceGetAttribute, (int* value, CUdevice_attribute attribute, CUdevice device), value, attribute, device)
FORWARD(cuMemGetAllocationGranularity,
        (size_t* granularity, const CUmemAllocationProp* properties, CUmemAllocationGranularity_flags option), granularity, properties,
        option)
FORWARD(cuMemCreate, (CUmemGenericAllocationHandle * handle, size_t size, const CUmemAllocationProp* properties, unsigned long long flags),
        handle, size, properties, flags)
FORWARD(cuMemRelease, (CUmemGenericAllocationHandle handle), handle)
FORWARD(cuMemAddressReserve, (CUdeviceptr * pointer, size_t size, size_t alignment, CUdeviceptr address, unsigned long long flags), pointer,
        size, alignment, address, flags)
FORWARD(cuMemAddressFree, (CUdeviceptr pointer, size_t size), pointer, size)
FORWARD(cuMemMap, (CUdeviceptr pointer, size_t size, size_t offset, CUmemGenericAllocationHandle handle, unsigned long long flags), pointer,
        size, offset, handle, flags)
FORWARD(cuMemUnmap, (CUdeviceptr pointer, size_t size), pointer, size)
FORWARD(cuMemSetAccess, (CUdeviceptr pointer, size_t size, const CUmemAccessDesc* access, size_t count), pointer, size, access, count)

/// Its text is printed, so there is one without a driver, too.
extern "C" CUresult CUDAAPI cuGetErrorString(CUresult error, const char** text) {
  static const auto function = reinterpret_cast<decltype(&cuGetErrorString)>(find("cuGetErrorString"));
  if (function != nullptr) return function(error, text);
  *text = "no NVIDIA driver is installed";
  return CUDA_SUCCESS;
}
