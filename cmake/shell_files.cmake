# cmake -D PROGRAM=bin/gpt-j -D NAME=gpt-j -D TO=DIRECTORY -P shell_files.cmake: what 'completion' and 'man' print.
file(REMOVE_RECURSE ${TO})
file(MAKE_DIRECTORY ${TO}/bash ${TO}/zsh ${TO}/man1)

function(write_output file)
  execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_FILE ${TO}/${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

write_output(bash/${NAME} completion bash)
write_output(zsh/_${NAME} completion zsh)
write_output(man1/${NAME}.1 man)
execute_process(COMMAND ${PROGRAM} man --list OUTPUT_VARIABLE commands COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" commands "${commands}")
foreach(command IN LISTS commands)
  write_output(man1/${NAME}-${command}.1 man ${command})
endforeach()
