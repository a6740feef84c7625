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
