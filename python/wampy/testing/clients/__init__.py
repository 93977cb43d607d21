"""Clients for tests and for trying things out."""
