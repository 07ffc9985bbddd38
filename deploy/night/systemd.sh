# The runbook's words for systemd, as root, with the operator's INGEST_REDIS_URL in /etc/ingest/operator.env. In the
# checkout: . deploy/night/systemd.sh
as_operator() {
    systemd-run --quiet --collect --pipe --wait -p DynamicUser=yes \
        -p EnvironmentFile=/etc/ingest/ingest.env -p EnvironmentFile=/etc/ingest/operator.env "$@"
}

operator() {
    as_operator /opt/ingest/.venv/bin/ingest "$@"
}

worker_log() {
    journalctl -u 'ingest*' -o cat --no-pager --since=-1day
}

workers() {
    systemctl show 'ingest*' -p Id,ActiveState,SubState,Result,ExecMainStatus,NRestarts,MemoryCurrent
}

restart_workers() {
    systemctl restart 'ingest*'
}

# Beside ingest.service, ingest@2 and so on. For fewer: systemctl disable --now ingest@4
scale_workers() {
    systemctl enable --now $(seq -f 'ingest@%.0f' 2 "$1")
}

# After an edit of the file that INGEST_HOSTS_FILE names.
read_hosts_file() {
    systemctl reload 'ingest*'
}

redis_as_operator() {
    as_operator /opt/ingest/.venv/bin/python -c \
        'import os, pprint, redis, sys; r = redis.Redis.from_url(os.environ["INGEST_REDIS_URL"], decode_responses=True)
pprint.pp(r.execute_command(*sys.argv[1:]))' "$@"
}
