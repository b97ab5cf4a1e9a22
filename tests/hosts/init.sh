#!/bin/sh
# First process of a host, in new namespaces. Usage: init.sh NAME GROUP TREE FOLDER [PROGRAM ...]
#
# Makes the tree its root (changes go to FOLDER/upper), says "ready", waits until its network is there, and becomes PROGRAM; without
# one, it only cares for orphans.
set -e
name=$1 group=$2 tree=$3 folder=$4 root=$4/root
if [ -n "$group" ]; then
  # A control group of its own first, which becomes the root of the namespace of groups.
  mount --make-rprivate /
  mount -t cgroup2 none "$folder/group"
  mkdir -p "$folder/group/$group"
  echo 0 > "$folder/group/$group/cgroup.procs"
  umount "$folder/group"
  shift 2
  exec unshare --cgroup sh "$0" "$name" "" "$@"
fi
shift 4
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
# What is not of the network belongs to the whole machine and stays as it is.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,ro "$root/proc/sys"
echo 0 > "$root/proc/sys/net/ipv6/conf/default/accept_dad"  # nobody waits a second for an address
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 none "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do touch "$root/dev/$node"; mount --bind "/dev/$node" "$root/dev/$node"; done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
cd "$root/dev"
ln -s pts/ptmx ptmx
ln -s /proc/self/fd fd
ln -s fd/0 stdin
ln -s fd/1 stdout
ln -s fd/2 stderr
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir "$root/run/lock"
mount -t tmpfs tmpfs "$root/tmp"
for store in docker containerd; do  # these need a file system that overlays can lie on
  mkdir -p "$root/var/lib/$store" "$folder/store/$store"
  mount --bind "$folder/store/$store" "$root/var/lib/$store"
done
hostname "$name"
cd "$root"
mkdir -p .old
pivot_root . .old
umount -l /.old
rmdir /.old
mount --make-rshared /  # as systemd finds it on a machine, or in a container that is made for it
echo ready
read -r _go
exec < /dev/null > /dev/null 2>&1
if [ $# -gt 0 ]; then exec env -i container=docker PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; fi
unshare --net sh -c 'echo $$ > /run/container.pid; exec sleep infinity' &  # what stands for a container
while :; do wait; done
