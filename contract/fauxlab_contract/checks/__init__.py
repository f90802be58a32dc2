"""Checks of a running server, phase by phase; `fauxlab_contract.run` puts them together."""

__all__: list[str] = []
