# Makes what is served: the directory of each board that is to start from the network, and of no other. A board that asks
# for files all the same, because its firmware was told an address, finds none and goes on to its disk.
set -eu
find /srv/tftp -mindepth 1 -delete
ln -s /files/bootcode.bin /srv/tftp/bootcode.bin
for directory; do
  ln -s "/files/$directory" "/srv/tftp/$directory"
  [ -d "/files/$directory" ] || echo "There is no directory $directory on the volume: that board will not start" >&2
done
