"""The daily commands on models of a store, one module a command."""
