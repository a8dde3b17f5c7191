"""Work behind the scenes: the relay of events and the periodic tasks."""
