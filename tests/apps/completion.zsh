# completion.zsh SCRIPT: types the lines of standard input, each with a tab behind it, into an interactive zsh that has
# the completion SCRIPT, and prints what became of them.
zmodload zsh/zpty
directory=$(mktemp -d)
cat > $directory/setup <<END
autoload -U compinit
compinit -D -u
source ${(q)1}
keep-line() {
  [[ \$BUFFER == exit ]] || { print -r -- "\$BUFFER" >> $directory/lines; BUFFER='' }
  zle .accept-line
}
zle -N accept-line keep-line
END
TERM=dumb zpty shell zsh -f -i
zpty -w shell "source $directory/setup"
while IFS= read -r line; do zpty -w shell "$line"$'\t'; done
zpty -w shell exit
while zpty -r shell output; do :; done
cat $directory/lines
rm -r $directory
