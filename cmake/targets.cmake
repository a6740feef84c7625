# Our layers. What each may include is what it is given here: `nudge` cannot reach llama.h or Node-API by accident.

set(NUDGING_SOURCE_DIR "${CMAKE_CURRENT_SOURCE_DIR}/native" CACHE PATH "Our native source; the mutation tests build changed copies")
set(native "${NUDGING_SOURCE_DIR}")
find_package(Threads REQUIRED)

file(GLOB nudge_sources CONFIGURE_DEPENDS "${native}/nudge/*.cpp")
if(nudge_sources)
  add_library(nudge STATIC ${nudge_sources})
  target_include_directories(nudge PUBLIC "${native}")
  nudging_own_code(nudge)
endif()

file(GLOB engine_sources CONFIGURE_DEPENDS "${native}/engine/*.cpp")
if(engine_sources)
  add_library(nudging_engine STATIC ${engine_sources})
  target_link_libraries(nudging_engine PUBLIC nudge llama nudging-jinja Threads::Threads)
  # For src/llama-ext.h: how much memory a context takes is not in the public header yet.
  target_include_directories(nudging_engine SYSTEM PRIVATE "${NUDGING_LLAMA_CPP_DIR}")
  if(NUDGING_NATIVE AND NOT MSVC)
    # What reads a whole vocabulary's logits for every token.
    set_source_files_properties("${native}/engine/top1.cpp" "${native}/engine/sampling.cpp" PROPERTIES COMPILE_OPTIONS "-march=native")
  endif()
  nudging_own_code(nudging_engine)
endif()

file(GLOB addon_sources CONFIGURE_DEPENDS "${native}/addon/*.cpp")
if(addon_sources AND CMAKE_JS_INC)
  include(cmake/addon.cmake)
endif()

file(GLOB test_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/test/native/*.cpp")
if(NUDGING_TESTS AND test_sources)
  include(cmake/tests.cmake)
endif()
