# nudging.node: one file that needs nothing of ours beside it, and whose symbols nobody else in the process can see.

add_library(nudging MODULE ${addon_sources} ${CMAKE_JS_SRC})
nudging_own_code(nudging)
target_include_directories(nudging SYSTEM PRIVATE ${CMAKE_JS_INC})
target_link_libraries(nudging PRIVATE ${CMAKE_JS_LIB})
if(TARGET nudging_engine)
  target_link_libraries(nudging PRIVATE nudging_engine)
endif()
target_compile_definitions(nudging PRIVATE NAPI_VERSION=8 NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS)
set_target_properties(nudging PROPERTIES
  PREFIX ""
  SUFFIX ".node"
  # The generator expression keeps multi-configuration generators from adding a folder.
  LIBRARY_OUTPUT_DIRECTORY "$<1:${CMAKE_BINARY_DIR}>"
  RUNTIME_OUTPUT_DIRECTORY "$<1:${CMAKE_BINARY_DIR}>")

if(APPLE)
  target_link_options(nudging PRIVATE "LINKER:-undefined,dynamic_lookup" "LINKER:-dead_strip")
elseif(UNIX)
  target_compile_options(nudging PRIVATE -ffunction-sections -fdata-sections)
  target_link_options(nudging PRIVATE "LINKER:--exclude-libs,ALL" "LINKER:--gc-sections" "LINKER:-Bsymbolic")
  if(NUDGING_SANITIZE STREQUAL "none" AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    # Prebuilt binaries meet older distributions than the one that built them.
    target_link_options(nudging PRIVATE -static-libstdc++ -static-libgcc)
  endif()
endif()

if(MSVC AND CMAKE_JS_NODELIB_DEF AND CMAKE_JS_NODELIB_TARGET)
  target_link_options(nudging PRIVATE /DELAYLOAD:NODE.EXE)
  target_link_libraries(nudging PRIVATE delayimp)
  execute_process(COMMAND ${CMAKE_AR} /def:${CMAKE_JS_NODELIB_DEF} /out:${CMAKE_JS_NODELIB_TARGET} ${CMAKE_STATIC_LINKER_FLAGS})
endif()
