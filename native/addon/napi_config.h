#pragma once

/// The only place that includes N-API. The build sets NAPI_VERSION and turns node-addon-api's C++ exceptions off: a pending
/// JavaScript exception is checked for, and no C++ exception crosses the C ABI.

/// A worker that is being terminated runs no JavaScript: throwing there fails, and must not end the process.
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#include <napi.h>
