#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "ggml-backend.h"

namespace nudging {

/// The version of llama.cpp's RPC protocol: major, minor, patch. All three change with what both sides must agree on, operations included.
std::array<std::uint32_t, 3> rpc_protocol();

/// The devices of such servers ("host:port"), in their order, by llama.cpp's names: RPC0, RPC1 and so on. The connections stay until the
/// process ends.
///
/// llama.cpp ends the process if a server cannot be reached, speaks another version, or is lost later: by closing the connection, or by
/// being silent for so many milliseconds while an answer is due (patch 0014). What it writes last names the server (lib/isolate/ending.ts
/// reads it). Hence ask servers who they are before (lib/rpc/probe.ts), and call this in a process that may end. Throws
/// Failure(device_unsuitable) for one that offers nothing.
std::vector<ggml_backend_dev_t> rpc_devices(const std::vector<std::string>& servers, std::uint32_t timeout);

/// What a server offers, and how.
struct RpcService {
  /// IPv4 address and port.
  std::string endpoint;
  /// Folder for weights that came once, so that they need not come again; empty: none.
  std::string cache;
  /// Of the CPU, where it is offered.
  std::size_t threads = 1;
  std::vector<ggml_backend_dev_t> devices;
};

/// The devices of these names; without any the GPUs of this machine, or its CPU where there is none. Throws Failure(device_unsuitable).
std::vector<ggml_backend_dev_t> offered_devices(const std::vector<std::string>& names);

/// Serves one client after the other. Returns only if that cannot be done (the port is taken), and llama.cpp has said why on stderr.
void serve_rpc(RpcService service);

}  // namespace nudging
