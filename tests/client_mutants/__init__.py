"""Broken clients, one for each way of being wrong, and correct ones of different habits: what
`check_client` must and must not find.
"""
