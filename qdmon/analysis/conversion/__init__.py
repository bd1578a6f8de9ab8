"""What happens to a dot: conversions and returns, bleaching, losses, shifts of its line."""
