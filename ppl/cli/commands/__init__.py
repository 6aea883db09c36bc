"""One file a verb; each defines the click command ``command``."""
