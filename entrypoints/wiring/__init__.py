"""Puts the application together: who implements which port, in what order things open, who answers which hook."""
