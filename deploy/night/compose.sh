# The runbook's words for docker-compose. In the checkout: . deploy/night/compose.sh
operator() {
    if [ -t 0 ] && [ -t 1 ]; then docker-compose run --rm operator "$@"; else docker-compose run --rm -T operator "$@"; fi
}

worker_log() {
    docker-compose logs --no-color --no-log-prefix worker
}

workers() {
    docker-compose ps worker
    docker-compose ps -q worker | xargs -r docker inspect --format \
        '{{.Name}} {{.State.Status}}, exit code {{.State.ExitCode}}, out of memory {{.State.OOMKilled}}, restarts {{.RestartCount}}'
}

restart_workers() {
    docker-compose restart worker
}

scale_workers() {
    docker-compose up -d --no-build --no-recreate --scale "worker=$1" worker
}

# After an edit of deploy/hosts/hosts.toml.
read_hosts_file() {
    docker-compose kill -s HUP worker
}

redis_as_operator() {
    docker-compose exec -T redis \
        sh -c 'REDISCLI_AUTH=$REDIS_OPERATOR_PASSWORD exec redis-cli --user operator "$@"' redis-cli "$@"
}
