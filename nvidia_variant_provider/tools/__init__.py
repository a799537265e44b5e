"""The tools around the provider: standard library and the extras; the door never imports them."""
