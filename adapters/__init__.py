"""The technologies behind the ports of the core: one folder each."""
