# Warnings and sanitizers, for every target of the project.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options(-Wno-restrict)  # finds overlaps in "text" + std::string (GCC bug 105651)
endif()
if(GPTJ_WERROR)
  add_compile_options(-Werror)
endif()

if(GPTJ_SANITIZE)
  # Without checks for null: they make kernels compile four times as long, and such an access crashes anyway.
  add_compile_options(-fsanitize=${GPTJ_SANITIZE} -fno-sanitize=null -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${GPTJ_SANITIZE})
endif()
