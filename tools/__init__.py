"""What builds, checks and equips the project; nothing here is installed."""
