{
  # For tools that only know node-gyp (prebuildify, node-gyp-build): the build itself is CMake's, driven by our script.
  "targets": [
    {
      "target_name": "nudging",
      "type": "none",
      "actions": [
        {
          "action_name": "build",
          "inputs": [],
          "outputs": ["<(PRODUCT_DIR)/nudging.node"],
          "action": ["node", "scripts/build.mjs"],
          "message": "building nudging.node with CMake"
        }
      ]
    }
  ]
}
