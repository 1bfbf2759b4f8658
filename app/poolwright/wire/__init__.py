"""The protocol between the supervisor and its workers: messages and how they become bytes. No I/O."""
