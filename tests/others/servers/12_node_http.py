"""Launcher for 12_node_http.js: node's http, replies with Content-Length, everything in HTTP 200.
Right: the same lifecycle in another language; seeds that are null come back as random integers."""
import os
import sys

os.execvp("node", ["node", os.path.splitext(os.path.abspath(__file__))[0] + ".js", sys.argv[1]])
