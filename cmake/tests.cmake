# One binary, one CTest entry a source file: the runner takes the file's name without `.cpp` and runs the tests in it.

enable_testing()
add_executable(nudge_test ${test_sources})
target_link_libraries(nudge_test PRIVATE nudge Threads::Threads)
target_include_directories(nudge_test PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/test/native")
nudging_own_code(nudge_test)
set_target_properties(nudge_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY "$<1:${CMAKE_BINARY_DIR}>")

foreach(source IN LISTS test_sources)
  get_filename_component(name "${source}" NAME_WE)
  if(name MATCHES "_test$|^test_")
    add_test(NAME ${name} COMMAND nudge_test ${name})
  endif()
endforeach()

# Models for test/models.test.ts and test/architectures.test.ts.
file(GLOB random_model_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/test/tools/*.cpp")
if(random_model_sources)
  add_executable(random_model ${random_model_sources})
  target_link_libraries(random_model PRIVATE ggml)
  nudging_own_code(random_model)
  set_target_properties(random_model PROPERTIES RUNTIME_OUTPUT_DIRECTORY "$<1:${CMAKE_BINARY_DIR}>")
  if(TARGET nudging_test_tools)
    add_dependencies(nudging_test_tools random_model)
  endif()
endif()
