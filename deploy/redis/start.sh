#!/bin/sh
# Becomes redis-server with the users of users.acl, their passwords from REDIS_WORKER_PASSWORD and its kin, for the
# namespace INGEST_NAMESPACE with any number of partitions, with REDIS_MAXMEMORY, and its files in REDIS_DATA.
set -eu
umask 077
here=$(dirname "$0")
users=/tmp/users.acl
data=${REDIS_DATA:-/data}

hash_of() {
    printf %s "$1" | sha256sum | cut -d ' ' -f 1
}

sed -e "s|ingest:|${INGEST_NAMESPACE:-ingest}:|g" -e 's|:0}|:[0-9]*}|g' \
    -e "/^user worker /s|#0\{64\}|#$(hash_of "$REDIS_WORKER_PASSWORD")|" \
    -e "/^user producer /s|#0\{64\}|#$(hash_of "$REDIS_PRODUCER_PASSWORD")|" \
    -e "/^user consumer /s|#0\{64\}|#$(hash_of "$REDIS_CONSUMER_PASSWORD")|" \
    -e "/^user operator /s|#0\{64\}|#$(hash_of "$REDIS_OPERATOR_PASSWORD")|" \
    "$here/users.acl" > "$users"
unset REDIS_WORKER_PASSWORD REDIS_PRODUCER_PASSWORD REDIS_CONSUMER_PASSWORD REDIS_OPERATOR_PASSWORD
mkdir -p "$data"
exec redis-server "$here/redis.conf" --dir "$data" --aclfile "$users" --maxmemory "${REDIS_MAXMEMORY:-512mb}"
