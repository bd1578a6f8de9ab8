"""The toolkit side: screens, keys, timers, the terminal. What is drawn is decided in `view` and `panels`."""
