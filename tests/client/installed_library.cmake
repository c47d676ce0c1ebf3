# Installs the component "client" of BUILD into SCRATCH, builds EXAMPLE against it by find_package, and runs it.
function(run expected)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL expected)
    message(FATAL_ERROR "${ARGN} ended with ${result} instead of ${expected}:\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${SCRATCH})
run(0 ${CMAKE_COMMAND} --install ${BUILD} --component client --prefix ${SCRATCH}/prefix)
run(0 ${CMAKE_COMMAND} -S ${EXAMPLE} -B ${SCRATCH}/build -D CMAKE_PREFIX_PATH=${SCRATCH}/prefix -D CMAKE_CXX_COMPILER=${COMPILER})
run(0 ${CMAKE_COMMAND} --build ${SCRATCH}/build)
run(2 ${SCRATCH}/build/visitors)                     # without arguments: how it is used
run(1 ${SCRATCH}/build/visitors 127.0.0.1:1 nobody)  # with nobody there
run(0 ${SCRATCH}/prefix/bin/tanist --version)
file(GLOB_RECURSE pkg_config ${SCRATCH}/prefix/*/tanist.pc)
find_program(PKG_CONFIG pkg-config)
if(PKG_CONFIG)
  get_filename_component(pkg_config_dir ${pkg_config} DIRECTORY)
  run(0 ${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${pkg_config_dir} ${PKG_CONFIG} --exists --print-errors tanist)
endif()
file(REMOVE_RECURSE ${SCRATCH})
