"""Wire formats: what requests may hold, what answers look like."""
