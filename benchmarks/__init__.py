"""Benchmarks: each figure of the product beside a reference measured in the same run, on the same embedded servers.

Absolute figures depend on the machine and on what else it does; the ratios are what counts. docs/benchmarks.md tells more.
"""
