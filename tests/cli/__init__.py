"""The command line against a service that is made up, over real HTTP."""
