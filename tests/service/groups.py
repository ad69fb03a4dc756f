"""What a systemd of a test leaves behind, and is to be cleaned up."""

CLEAN = """
umount --recursive --lazy /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# What was killed is gone in a moment.
for each in 1 2 3 4 5 6 7 8 9; do
    find "$1" -depth -type d -exec rmdir {} + 2> /dev/null && exit
    sleep 0.1
done
"""
