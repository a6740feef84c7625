# One binary, one CTest entry a source file: the runner takes the file's name without `.cpp` and runs the tests in it.

enable_testing()
add_executable(nudge_test ${test_sources})
target_link_libraries(nudge_test PRIVATE nudging_nudge nudging_bytes Threads::Threads)
target_include_directories(nudge_test PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/test/native")
nudging_own_code(nudge_test)
set_target_properties(nudge_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY "$<1:${CMAKE_BINARY_DIR}>")

foreach(source IN LISTS test_sources)
  get_filename_component(name "${source}" NAME_WE)
  if(name MATCHES "_test$|^test_")
    add_test(NAME ${name} COMMAND nudge_test ${name})
  endif()
endforeach()

# Programs that make models: random ones for test/models.test.ts and test/architectures.test.ts, big ones for the benchmarks, unquantised
# ones for test/real, quantised ones for scripts/test-architectures.mjs.
function(nudging_model_tool name folder)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ggml)
  nudging_own_code(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "$<1:${CMAKE_BINARY_DIR}>")
  if(TARGET nudging_test_tools)
    add_dependencies(nudging_test_tools ${name})
  endif()
endfunction()
nudging_model_tool(random_model test/tools)
nudging_model_tool(inflate bench/inflate)
nudging_model_tool(convert_weights test/weights)
nudging_model_tool(quantise test/architectures/quantise)
if(TARGET quantise)
  target_link_libraries(quantise PRIVATE llama)
endif()

# The engine against llama.cpp's own vocabularies and chat templates, and the demo pair.
file(GLOB engine_test_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/test/engine/*.cpp")
add_library(nudging_wrong_files STATIC test/hostile/gguf_file.cpp test/hostile/gguf_mutant.cpp test/hostile/gguf_sweep.cpp)
target_include_directories(nudging_wrong_files PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}/test/hostile")
target_link_libraries(nudging_wrong_files PUBLIC ggml)
nudging_own_code(nudging_wrong_files)
# These two put functions of their own in the place of llama.cpp's, so that a device can fail, or be wrong.
if(APPLE OR WIN32)
  list(FILTER engine_test_sources EXCLUDE REGEX "(device|top1_trial)_test\\.cpp$")
endif()
add_executable(engine_test ${engine_test_sources} "${CMAKE_CURRENT_SOURCE_DIR}/test/native/main.cpp")
if(NOT APPLE AND NOT WIN32)
  target_link_options(engine_test PRIVATE "LINKER:--wrap=llama_synchronize" "LINKER:--wrap=llama_free"
    "LINKER:--wrap=_Z17llama_get_top_ithP13llama_contextiP9llama_top")
endif()
target_link_libraries(engine_test PRIVATE nudging_engine nudging-jinja nudging_wrong_files)
target_include_directories(engine_test PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/test/native")
target_include_directories(engine_test SYSTEM PRIVATE "${NUDGING_LLAMA_CPP_DIR}")
target_compile_definitions(engine_test PRIVATE "NUDGING_LLAMA_CPP_MODELS=\"${NUDGING_LLAMA_CPP_DIR}/models\""
  "NUDGING_DEMO_MODELS=\"${CMAKE_CURRENT_SOURCE_DIR}/models/demo\"")
nudging_own_code(engine_test)
set_target_properties(engine_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY "$<1:${CMAKE_BINARY_DIR}>")
add_dependencies(nudge_test engine_test)
foreach(source IN LISTS engine_test_sources)
  get_filename_component(name "${source}" NAME_WE)
  # The others are what tests stand on.
  if(name MATCHES "_test$")
    add_test(NAME engine_${name} COMMAND engine_test ${name})
  endif()
endforeach()

# What else the machine does would change what they measure.
set_tests_properties(engine_company_test engine_lanes_at_work_test engine_team_test engine_tokenise_growth_test PROPERTIES RUN_SERIAL TRUE)

# Loads wrong models in child processes, for test/hostile-models.test.ts; there is no fork on Windows.
if(UNIX)
  add_executable(hostile_models test/hostile/hostile_models.cpp)
  target_link_libraries(hostile_models PRIVATE nudging_engine nudging_wrong_files)
  nudging_own_code(hostile_models)
  set_target_properties(hostile_models PROPERTIES RUNTIME_OUTPUT_DIRECTORY "$<1:${CMAKE_BINARY_DIR}>")
  if(TARGET nudging_test_tools)
    add_dependencies(nudging_test_tools hostile_models)
  endif()
endif()

# What a GPU of stated speed would make of the scheduler's choices.
add_executable(simulated_gpu bench/simulated/main.cpp bench/simulated/shared_gpu.cpp)
target_link_libraries(simulated_gpu PRIVATE nudging_engine)
nudging_own_code(simulated_gpu)
set_target_properties(simulated_gpu PROPERTIES RUNTIME_OUTPUT_DIRECTORY "$<1:${CMAKE_BINARY_DIR}>")
if(TARGET nudging_test_tools)
  add_dependencies(nudging_test_tools simulated_gpu)
endif()
