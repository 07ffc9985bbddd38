# The runbook's words for Kubernetes, with INGEST_OPS_REDIS_URL in the Secret. In the checkout, for another namespace than
# `news` or another overlay with NAMESPACE or OVERLAY set: . deploy/night/kubernetes.sh
in_namespace() {
    kubectl -n "${NAMESPACE:-news}" "$@"
}

operator() {
    in_namespace exec -i deployment/ingest-worker -- \
        sh -c 'INGEST_REDIS_URL=$INGEST_OPS_REDIS_URL exec ingest "$@"' ingest "$@"
}

worker_log() {
    in_namespace logs -l app.kubernetes.io/component=worker --tail=-1 --max-log-requests=50
}

workers() {
    ended=.status.containerStatuses[0].lastState.terminated
    columns=POD:.metadata.name,PHASE:.status.phase,RESTARTS:.status.containerStatuses[0].restartCount
    in_namespace get pods -l app.kubernetes.io/component=worker \
        -o "custom-columns=$columns,LAST_END:$ended.reason,EXIT_CODE:$ended.exitCode"
}

restart_workers() {
    in_namespace rollout restart deployment/ingest-worker
    in_namespace rollout status deployment/ingest-worker
}

# Where KEDA scales, its least number: the Deployment's would not hold.
scale_workers() {
    if in_namespace get scaledobject/ingest-worker >/dev/null 2>&1; then
        in_namespace patch scaledobject/ingest-worker --type=merge -p "{\"spec\": {\"minReplicaCount\": $1}}"
    else
        in_namespace scale deployment/ingest-worker --replicas="$1"
    fi
}

# After an edit of hosts.toml: a new ConfigMap, and a rolling restart.
read_hosts_file() {
    kubectl apply -k "${OVERLAY:-deploy/k8s/overlays/production}"
}

redis_as_operator() {
    in_namespace exec -i deployment/ingest-worker -- python -c \
        'import os, pprint, redis, sys; r = redis.Redis.from_url(os.environ["INGEST_OPS_REDIS_URL"], decode_responses=True)
pprint.pp(r.execute_command(*sys.argv[1:]))' "$@"
}
