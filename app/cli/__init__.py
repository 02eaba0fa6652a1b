"""`mintage`: the command line."""
