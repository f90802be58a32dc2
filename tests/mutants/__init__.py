"""A small server of the contract, written without any of the three packages, and the many ways in
which it can be broken.
"""
