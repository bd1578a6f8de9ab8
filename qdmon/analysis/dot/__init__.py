"""The states of a dot read from its time bins, and the blinking type that follows."""
