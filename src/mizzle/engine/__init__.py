"""The protocol engine: bytes in, bytes out. Knows MySQL and MariaDB; knows no socket, clock, lock, thread or loop."""
