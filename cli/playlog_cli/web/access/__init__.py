"""Who gets in, and how: the socket on loopback, the gate before the site, tokens, and opening a browser."""
