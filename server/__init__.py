"""The hall: rules (domain), rooms, storage, pages. Only `app` composes (ARCHITECTURE.md)."""
