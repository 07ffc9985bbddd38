"""What ingest is measured beside: one program a peer, as its competent user would write it.

They run in a venv of their own (`tests.bench.peer_venv`) and import nothing of ours but each other. Each has
`fill`, which queues the URLs that stdin has, and `work`, which runs one worker until it is ended.
"""
