# NAME.node: one file that needs nothing of ours beside it, and whose symbols nobody else in the process can see.
function(nudging_addon target name)
  set_target_properties(${target} PROPERTIES
    PREFIX ""
    SUFFIX ".node"
    OUTPUT_NAME ${name}
    # The generator expression keeps multi-configuration generators from adding a folder.
    LIBRARY_OUTPUT_DIRECTORY "$<1:${CMAKE_BINARY_DIR}>"
    RUNTIME_OUTPUT_DIRECTORY "$<1:${CMAKE_BINARY_DIR}>")
  if(APPLE)
    target_link_options(${target} PRIVATE "LINKER:-undefined,dynamic_lookup" "LINKER:-dead_strip")
  elseif(UNIX)
    target_compile_options(${target} PRIVATE -ffunction-sections -fdata-sections)
    target_link_options(${target} PRIVATE "LINKER:--gc-sections" "LINKER:-Bsymbolic"
      "LINKER:--version-script=${CMAKE_CURRENT_SOURCE_DIR}/cmake/addon.map")
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/cmake/addon.map")
    if(NUDGING_SANITIZE STREQUAL "none" AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
      # Prebuilt binaries meet older distributions than the one that built them.
      target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc)
    endif()
    if(NUDGING_LEVEL)
      # What is published carries no symbols for debuggers.
      target_link_options(${target} PRIVATE "LINKER:-s")
    endif()
  endif()
endfunction()

add_library(nudging MODULE ${addon_sources} ${CMAKE_JS_SRC})
nudging_own_code(nudging)
target_include_directories(nudging SYSTEM PRIVATE ${CMAKE_JS_INC})
target_link_libraries(nudging PRIVATE ${CMAKE_JS_LIB})
nudging_room(addon TARGET nudging USES nudge backend trust models engine LIBRARIES llama)
target_compile_definitions(nudging PRIVATE NAPI_VERSION=8 NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS)
nudging_addon(nudging nudging)

if(MSVC AND CMAKE_JS_NODELIB_DEF AND CMAKE_JS_NODELIB_TARGET)
  target_link_options(nudging PRIVATE /DELAYLOAD:NODE.EXE)
  target_link_libraries(nudging PRIVATE delayimp)
  execute_process(COMMAND ${CMAKE_AR} /def:${CMAKE_JS_NODELIB_DEF} /out:${CMAKE_JS_NODELIB_TARGET} ${CMAKE_STATIC_LINKER_FLAGS})
endif()

include(cmake/levels_addon.cmake)

if(NUDGING_TESTS)
  # Everything that the TypeScript tests need beside the addon.
  add_custom_target(nudging_test_tools)
  add_library(nudging_probe MODULE test/probe/probe.cpp ${CMAKE_JS_SRC})
  nudging_own_code(nudging_probe)
  target_include_directories(nudging_probe PRIVATE "${NUDGING_ROOMS_DIR}/addon")
  target_include_directories(nudging_probe SYSTEM PRIVATE ${CMAKE_JS_INC})
  target_link_libraries(nudging_probe PRIVATE ${CMAKE_JS_LIB} nudging_engine)
  target_compile_definitions(nudging_probe PRIVATE NAPI_VERSION=8 NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS)
  set_target_properties(nudging_probe PROPERTIES PREFIX "" SUFFIX ".node" LIBRARY_OUTPUT_DIRECTORY "$<1:${CMAKE_BINARY_DIR}>")
  if(APPLE)
    target_link_options(nudging_probe PRIVATE "LINKER:-undefined,dynamic_lookup")
  elseif(UNIX)
    target_link_options(nudging_probe PRIVATE "LINKER:-Bsymbolic"
      "LINKER:--version-script=${CMAKE_CURRENT_SOURCE_DIR}/cmake/addon.map")
  endif()
  add_dependencies(nudging_test_tools nudging_probe)
endif()
