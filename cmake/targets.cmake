# One library for each folder of src/: gptj_library(text SOURCES ... DEPENDS ...).
# A folder sees its own headers, the public ones, and those of the folders it depends on.
function(gptj_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(gptj_${name} STATIC ${ARG_SOURCES})
  target_include_directories(gptj_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(gptj_${name} PUBLIC ${ARG_DEPENDS})
  target_compile_features(gptj_${name} PUBLIC cxx_std_20)  # for those who add this project to theirs
  if(GPTJ_FUZZ)
    target_compile_options(gptj_${name} PRIVATE -fsanitize=fuzzer-no-link)  # tells the fuzzer which way a file went
    target_link_options(gptj_${name} INTERFACE -fsanitize=fuzzer-no-link)  # what that calls, for programs without a fuzzer
  endif()
endfunction()

# For a target that waits for people or a network: what takes long is compiling it.
function(gptj_quick_to_compile target)
  target_compile_options(${target} PRIVATE $<IF:$<CONFIG:Debug>,-O0,-O1>)
endfunction()

# For a target of the tests: where the data lie; and quick to compile, for what must be fast is what is tested.
function(gptj_test_properties target)
  target_compile_options(${target} PRIVATE -O0)
  target_compile_definitions(${target} PRIVATE GPTJ_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data"
                                               GPTJ_DEMO_MODELS="${PROJECT_SOURCE_DIR}/models/demo")
endfunction()

# One test program for each folder of tests/: gptj_test(text SOURCES ... DEPENDS ...).
# Every GoogleTest case is a ctest case, named "folder.Suite.Case" behind GPTJ_TEST_PREFIX.
function(gptj_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${name} PRIVATE ${ARG_DEPENDS} GTest::gtest GTest::gtest_main)
  gptj_test_properties(test_${name})
  gtest_discover_tests(test_${name} TEST_PREFIX "${GPTJ_TEST_PREFIX}${name}." DISCOVERY_TIMEOUT 60)
endfunction()
