#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backend/cpu_buffers.h"
#include "ggml.h"
#include "lanes/decoder.h"
#include "models/placement.h"

namespace nudging {

constexpr std::int32_t longest_context = -1;
constexpr std::int32_t all_gpu_layers = -1;
constexpr std::int32_t fitting_gpu_layers = -2;

/// Everything that loading needs. Checked by the caller: paths not empty, numbers in range.
struct EngineOptions {
  struct Lane {
    std::string name;
    std::string path;
    /// The output layer counts as one; `all_gpu_layers`, or `fitting_gpu_layers`: as many as fit.
    std::int32_t gpu_layers = all_gpu_layers;
    /// Tokens per sequence; 0: what the model was trained with, at most `default_context`; `longest_context`: as much of it as fits.
    std::int32_t context = 0;
    /// One of `kv_cache_types`.
    ggml_type cache_type = GGML_TYPE_F16;
    /// Nothing: by device and context.
    std::optional<bool> flash_attention;
    PlacementWish placement = {};
    /// The model is on another machine, and of the file only the vocabulary and the template are read.
    bool remote = false;
  };
  /// The base's, the aligned model's, and any further ones.
  std::vector<Lane> lanes;
  /// CPU threads per model; 0: as many as its size is worth, at most `cores`.
  std::int32_t threads = 0;
  std::int32_t cores = 1;
  /// Sequences that decode together; 0: a few, as memory allows.
  std::uint32_t parallel = 0;
  /// Most tokens in one decode call.
  std::uint32_t batch = 512;
  /// Both models decode at the same time; nothing: if one of them runs on a GPU.
  std::optional<bool> overlap;
  /// Whether passes must give the same bits whatever is decoded beside them; nothing: where that can be had.
  std::optional<bool> deterministic;
  /// Whether the likeliest token is found where the output layer is, and not by the host; nothing: on a GPU, if it proves right and no
  /// slower, and there is room for it.
  std::optional<bool> device_top1;
  /// Whether passes on GPUs are filled up to a few shapes.
  bool padded = false;
  /// Bytes that this process may still allocate.
  std::uint64_t host_memory = 0;
  /// Extra CPU buffers that weights may be put into, by ggml's names; nothing: all of this machine's. Names that it does not have do no
  /// harm.
  std::optional<CpuBuffers> cpu_buffers;
  /// Whether weights may be pages of the files.
  bool mapped = true;
  /// Of those buffers, the ones that are known to do harm.
  CpuBuffers harmful_cpu_buffers;
  /// Servers of llama.cpp's RPC whose devices may be used ("host:port"), and the milliseconds after which a silent one counts as lost,
  /// which ends the process.
  std::vector<std::string> rpc_servers;
  std::uint32_t rpc_timeout = 0;
  /// For tests: GPUs in place of this machine's.
  std::optional<std::vector<ggml_backend_dev_t>> gpus;
  /// For tests: what stands between the scheduler and those who decode.
  WrapDecoder wrap_decoder = nullptr;
};

}  // namespace nudging
