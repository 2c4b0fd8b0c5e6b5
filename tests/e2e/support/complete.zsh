# zsh -f complete.zsh FOLDER LINE…
# What zsh completes at the end of each line, as in front of a person: `LINE=>its matches`. FOLDER has the function _troupe.
zmodload zsh/zpty
export ZDOTDIR=$1 TERM=dumb; shift
mkfifo $ZDOTDIR/told
cat > $ZDOTDIR/.zshrc <<'RC'
PS1= RPS1= fpath=($ZDOTDIR $fpath)
unsetopt beep list_beep
autoload -Uz compinit && compinit -u -D
exec 9> $ZDOTDIR/told
typeset -ga troupe_seen=()
# With -O, -A or -D it only asks.
compadd() {
  if [[ ${argv[(r)-[ADO]*]} == '' && ${argv[(r)-*[OAD]]} == '' ]]; then
    local -a troupe_found=()
    builtin compadd -O troupe_found "$@"
    troupe_seen+=($troupe_found)
  fi
  builtin compadd "$@"
}
troupe_tell() { comppostfuncs=(troupe_tell); print -u 9 -r -- ${(ou)troupe_seen}; troupe_seen=() }
comppostfuncs=(troupe_tell)
RC
zpty -b z zsh -i
exec 8< $ZDOTDIR/told
for line; do
  zpty -w -n z $line$'\t'
  read -r -t 60 -u 8 matches || { print -r -- "$line=>nothing came"; exit 1 }
  print -r -- "$line=>$matches"
  zpty -w -n z $'\x15'
  while zpty -r -t z piece; do :; done
done
