#!/bin/sh
# log-files.sh FOLDER DAYS [once]: keeps Vector's files, named by the day (UTC), fit for mtail and for the disk.
# mtail begins at the end of every file that it finds, so today's file, and from an hour before midnight tomorrow's, is
# made empty before Vector writes to it. Not sooner: mtail lets go of files that nobody wrote to for a day. Of older
# ones DAYS are kept.
set -eu
trap 'exit 0' TERM INT
folder=$1 days=$2
while :; do
    for moment in now '1 hour'; do
        file=$folder/worker-$(date -u -d "$moment" +%F).log
        test -e "$file" || : > "$file"
    done
    find "$folder" -name 'worker-*.log' -type f -mtime "+$days" -delete
    test "${3:-}" != once || exit 0
    sleep 60 &
    wait $!
done
