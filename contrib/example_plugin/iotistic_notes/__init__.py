"""Notes that people, and we ourselves, stick to devices."""
