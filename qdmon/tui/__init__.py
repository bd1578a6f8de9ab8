"""The terminal screens: view models in, cells out. No analysis and no sockets on the drawing side."""
