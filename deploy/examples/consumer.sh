#!/bin/sh
# An example of a consumer for the shell: prints the id and the URL of each event, and acknowledges it.
#
# Environment: REDIS_URL; STREAM and GROUP, where they are not {ingest:0}:articles and example; READER, its name in the
# group. Started again under that name, it first has what it did not acknowledge. Needs redis-cli.
set -eu
stream=${STREAM:-"{ingest:0}:articles"}
group=${GROUP:-example}
reader=${READER:-shell}
ending=
trap 'ending=yes' TERM INT

redis() {
    redis-cli --raw -u "$REDIS_URL" "$@"
}

redis XGROUP CREATE "$stream" "$group" 0 MKSTREAM >/dev/null || exit
after=0
while [ -z "$ending" ]; do
    # One a line: stream, entry, and then names and values by turns; no value has a line break.
    reply=$(redis XREADGROUP GROUP "$group" "$reader" COUNT 1 BLOCK 1000 STREAMS "$stream" "$after") || reply=
    entry=$(printf '%s\n' "$reply" | sed -n 2p)
    case $entry in
        [0-9]*-[0-9]*) ;;
        *)
            # Nothing, or what Redis has against it. Before the first look at what is new, that was all of the old.
            [ -z "$reply" ] && [ "$after" = ">" ] || sleep 0.2
            after=">"
            continue
            ;;
    esac
    printf '%s\n' "$reply" | awk '
        NR > 2 && NR % 2 { name = $0; next }
        NR > 2 { value[name] = $0 }
        END { if (NR > 3) print value["id"] "  " value["subject"] }'  # keep it here, under its id; "data" is the JSON
    redis XACK "$stream" "$group" "$entry" >/dev/null
done
