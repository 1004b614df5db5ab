# The guardian of a server program. Arguments: the server's folder, the file it reads as its standard input, then the
# program and its arguments. Standard input is a pipe from the owner; standard output one to the owner.
folder=$1 input=$2
shift 2
PATH=${PATH:-}:/usr/bin:/bin # for the few tools below, whatever the owner's looks like
cd / || exit 1
exec 3>&1 >/dev/null 2>&1

# A later process can stop a detached server by writing into this pipe. It is held open for reading as long as this
# guardian lives, and gets its name only then: a pipe that nobody reads is how one knows that the guardian is gone.
mkfifo "$folder/stop.new" && exec 4<>"$folder/stop.new" && mv -f "$folder/stop.new" "$folder/stop" || exit 1

# Only the program keeps descriptor 3, so the owner's end of it closes when the program ends.
"$@" <"$input" >>"$folder/log" 2>&1 4<&- &
program=$!
trap '' HUP INT TERM # after the program's start: it would inherit what is ignored
echo "$program" >"$folder/pid"
exec 3>&-

while read -r word; do
  case $word in
  leave)
    # The next guardian of this folder brings its own pipe; until then there is none, rather than one nobody reads.
    rm -f "$folder/stop"
    wait "$program"
    exit $?
    ;;
  detach) read -r word <&4; break ;;
  esac
done

# Here the owner is gone, in whatever way. The data goes too, so there is no reason to let the server save it first.
kill -KILL "$program"
wait "$program"
rm -rf "$folder"
