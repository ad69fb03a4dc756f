"""Made-up people, consultations and files; the same seed makes the same ones."""
