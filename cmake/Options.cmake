# What every target of the project is compiled with: link imageswarm::options.
add_library(imageswarm_options INTERFACE)
add_library(imageswarm::options ALIAS imageswarm_options)
target_compile_features(imageswarm_options INTERFACE cxx_std_20)
target_compile_options(imageswarm_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion $<$<BOOL:${IMAGESWARM_WERROR}>:-Werror>)
# g++ 12 sees overlapping copies in "text" + std::string where there are none (GCC bug 105651).
target_compile_options(imageswarm_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_include_directories(imageswarm_options INTERFACE ${CMAKE_SOURCE_DIR})
# libtorrent was built with these and exports Asio symbols, so every file that sees Asio must agree.
target_compile_definitions(imageswarm_options INTERFACE
  BOOST_ASIO_ENABLE_CANCELIO BOOST_ASIO_NO_DEPRECATED FMT_HEADER_ONLY=0
  IMAGESWARM_VERSION="${PROJECT_VERSION}")

# libtorrent's exported target defines TORRENT_USE_ASSERTS for the build type Debug, which changes the layout of
# its types against the packaged library. The presets therefore never use that type.
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  message(FATAL_ERROR "Use the preset dev (RelWithDebInfo, -O0): Debug does not fit the packaged libtorrent.")
endif()
