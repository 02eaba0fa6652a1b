"""The client library against a service that is made up."""
