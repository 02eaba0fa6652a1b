"""The command line over real HTTP: against a service that is made up, and where it matters against the real one."""
