# Keeps one server for the process at the other end of standard input, and outlives that process just long enough to clean up.
# Orders come as lines; each is answered by one line. End of input: the owner is gone, so kill the server and remove its folder.
#
# usage: sh -c SCRIPT sh FOLDER [TEMPLATE SIZE]    with TEMPLATE and SIZE the data folder is a tmpfs of that size (see `data_limit`)
folder=$1
limited=0
if [ $# -eq 3 ]; then
  limited=1
  mount -t tmpfs -o "size=$3" tmpfs "$folder/data" && cp -a "$2/." "$folder/data/" || { echo "cannot mount a tmpfs"; exit 1; }
fi
echo ready
pid=
end() {
  if [ -n "$pid" ]; then
    kill "-$1" "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    pid=
  fi
}
while read -r order argument; do
  case $order in
    start) sh "$folder/start.sh" </dev/null >>"$folder/server.log" 2>&1 & pid=$!; echo "$pid" >"$folder/server.pid"; echo "$pid" ;;
    term) end TERM; echo done ;;
    kill) end KILL; echo done ;;
    resize) mount -i -t tmpfs -o "remount,size=$argument" tmpfs "$folder/data" && echo done || echo failed ;;
    keep) : >"$folder/keep"; echo done; exit 0 ;;
  esac
done
end KILL
[ $limited = 1 ] && umount "$folder/data"
rm -rf "$folder"
