"""The minimal client under test. It has no public names yet."""

__all__: list[str] = []
