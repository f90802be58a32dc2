"""Launcher for 13_node_class_chunked.js: replies in chunks, HTTP codes by the prose, webhook by fetch().
Right: transfer coding is not part of the contract, and each refusal has code and envelope."""
import os
import sys

os.execvp("node", ["node", os.path.splitext(os.path.abspath(__file__))[0] + ".js", sys.argv[1]])
