# imageswarm_room(NAME SOURCES a.cpp… [USES imageswarm::x…] [HIDES Lib::y…])
#
# One folder, one static library imageswarm::NAME. USES are the rooms that its headers show; HIDES are what only its
# .cpp files see, so a heavy library cannot leak into a header that others include.
function(imageswarm_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;HIDES" ${ARGN})
  if(NOT ROOM_SOURCES)  # plain values, no code of its own
    add_library(imageswarm_${name} INTERFACE)
    add_library(imageswarm::${name} ALIAS imageswarm_${name})
    target_link_libraries(imageswarm_${name} INTERFACE imageswarm::options ${ROOM_USES})
    return()
  endif()
  add_library(imageswarm_${name} STATIC ${ROOM_SOURCES})
  add_library(imageswarm::${name} ALIAS imageswarm_${name})
  target_link_libraries(imageswarm_${name}
    PUBLIC imageswarm::options ${ROOM_USES}
    PRIVATE ${ROOM_HIDES})
endfunction()
