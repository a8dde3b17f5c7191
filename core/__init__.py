"""The control plane without its technologies: values, decisions, use cases and the ports they need.

Loose files are words shared by all; folders are features. Nothing here imports a framework.
"""
