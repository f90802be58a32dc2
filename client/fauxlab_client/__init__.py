"""The minimal client."""
