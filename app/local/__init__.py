"""A PostgreSQL and a Valkey of our own beside the service's processes, for `mintage up`, `mintage demo`, tests and benchmarks.

`servers.LocalServers` runs the two servers in a data folder, `processes.Supervisor` runs web, worker and dispatcher.
"""
