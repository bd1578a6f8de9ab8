"""What travels and what is kept: messages, wire format, publisher, subscriber, replay, file formats.

Takes from `hardware` only plain data types and record decoders; never imports `qdmon`.
"""
