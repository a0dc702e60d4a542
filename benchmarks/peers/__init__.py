"""One script for each peer, run by the Python of the peer's own environment: it evaluates the same cases on the same mock."""
