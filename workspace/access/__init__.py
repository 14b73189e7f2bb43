"""Who gets in: sessions that can be listed and ended, throttled sign-in, and the optional second factor."""
