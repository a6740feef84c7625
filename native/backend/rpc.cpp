#include "backend/rpc.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "backend/gpus.h"
#include "basics/failure.h"
#include "ggml-rpc.h"

namespace nudging {

namespace {

/// llama.cpp connects anew for every question about a server's memory unless somebody holds the connection.
void keep_connected(const std::string& server) {
  static std::mutex mutex;
  // Never freed: at the end of the process the server, which freeing would ask, may be gone.
  static std::map<std::string, ggml_backend_t> connections;
  const std::scoped_lock lock(mutex);
  if (!connections.contains(server)) connections.emplace(server, ggml_backend_rpc_init(server.c_str(), 0));
}

std::vector<ggml_backend_dev_t> all_devices() {
  std::vector<ggml_backend_dev_t> all;
  for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) all.push_back(ggml_backend_dev_get(i));
  return all;
}

}  // namespace

std::array<std::uint32_t, 3> rpc_protocol() { return {RPC_PROTO_MAJOR_VERSION, RPC_PROTO_MINOR_VERSION, RPC_PROTO_PATCH_VERSION}; }

std::vector<ggml_backend_dev_t> rpc_devices(const std::vector<std::string>& servers, std::uint32_t timeout) {
  std::vector<ggml_backend_dev_t> devices;
  ggml_backend_rpc_set_timeout(timeout);
  for (const std::string& server : servers) {
    ggml_backend_reg_t added = ggml_backend_rpc_add_server(server.c_str());
    if (added == nullptr)
      throw Failure(FailureKind::device_unsuitable,
                    "`rpcServers` names " + server + ", which offers no device: look at how it was started");
    keep_connected(server);
    for (std::size_t i = 0; i < ggml_backend_reg_dev_count(added); ++i) devices.push_back(ggml_backend_reg_dev_get(added, i));
  }
  return devices;
}

std::vector<ggml_backend_dev_t> offered_devices(const std::vector<std::string>& names) {
  const std::vector<ggml_backend_dev_t> all = all_devices();
  std::vector<ggml_backend_dev_t> offered;
  for (const std::string& name : names) {
    const auto device = std::ranges::find_if(all, [&](ggml_backend_dev_t one) { return ggml_backend_dev_name(one) == name; });
    if (device == all.end())
      throw Failure(FailureKind::device_unsuitable, "there is no device \"" + name + "\": this machine has " + names_of(all));
    offered.push_back(*device);
  }
  if (names.empty()) offered = usable_gpus();
  if (offered.empty()) offered = {ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU)};
  return offered;
}

void serve_rpc(RpcService service) {
  ggml_backend_rpc_start_server(service.endpoint.c_str(), service.cache.empty() ? nullptr : service.cache.c_str(), service.threads,
                                service.devices.size(), service.devices.data());
}

}  // namespace nudging
