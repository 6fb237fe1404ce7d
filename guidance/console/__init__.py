"""The assistant at work: a session of one case, headless or on the screen."""
